import assert from "node:assert/strict";
import {
  groupFile,
  hostsFile,
  nsswitchConf,
  passwdFile,
} from "../../src/sandbox/identity_files.ts";
import { gitSystemConfig } from "../../src/sandbox/git_config.ts";

const IDENTITY = { uid: 5000, gid: 6000, user: "ada", home: "/home/ada", shell: "/bin/sh" };

Deno.test("passwdFile() adds an entry for a user whom only a directory service knows", () => {
  const host = "root:x:0:0:root:/root:/bin/bash\n";
  assert.equal(passwdFile(host, IDENTITY), `${host}ada:x:5000:6000::/home/ada:/bin/sh\n`);
  assert.equal(passwdFile(host, { ...IDENTITY, uid: 0 }), host);
  assert.equal(passwdFile("", IDENTITY), "ada:x:5000:6000::/home/ada:/bin/sh\n");
});

Deno.test("groupFile() adds an entry for the user's group where it has none", () => {
  assert.equal(groupFile("root:x:0:\n", IDENTITY), "root:x:0:\nada:x:6000:\n");
  assert.equal(groupFile("staff:x:6000:\n", IDENTITY), "staff:x:6000:\n");
});

Deno.test("hostsFile() names only this machine", () => {
  assert.equal(hostsFile("box").split("\n").length, 3);
  assert.match(hostsFile("box"), /^127\.0\.0\.1 localhost box$/m);
});

Deno.test("nsswitchConf() looks names up in files and at the stub, and leaves the rest", () => {
  const host = "# comment\npasswd: sss files\nhosts:  files resolve [!UNAVAIL=return]\nrpc: db\n";
  assert.equal(
    nsswitchConf(host),
    "passwd: files\ngroup: files\nhosts: files dns\nrpc: db\n",
  );
  assert.match(nsswitchConf(""), /^hosts: files dns$/m);
});

Deno.test("gitSystemConfig() takes who the user is and nothing else", () => {
  const config = gitSystemConfig(
    [
      "[credential]",
      "\thelper = store",
      "\tname = not-this",
      '[url "https://token@github.test/"]',
      "\tinsteadOf = https://github.test/",
      "[user]",
      "\tname = Ada L",
      "\temail = ada@example.test",
      "\tsigningkey = secret",
      "[http]",
      "\textraHeader = secret",
    ].join("\n"),
  );
  assert.match(config, /\[user\]\n\tname = Ada L\n\temail = ada@example\.test\n$/);
  assert.doesNotMatch(config, /secret|token|store|not-this/);
});
