import assert from "node:assert/strict";
import { join } from "node:path";
import { knownService, serviceNames } from "../../src/cli/credentials/services.ts";
import { findSignIn } from "../../src/cli/credentials/sign_in.ts";
import { unwrap } from "../../src/core/result.ts";
import { Person } from "../fixtures/cli.ts";
import { startUpstream, type TestUpstream } from "../fixtures/upstream.ts";

const HOST = "api.anthropic.com";
const SECRET = "sk-ant-api03-raw-secret-of-a-person";
const FILE = ".firma/firma.toml";

/** A person with a trusted project, whose `api.anthropic.com` is on this machine. */
async function withVendor(upstream: TestUpstream): Promise<Person> {
  const person = await Person.create();
  const address = `127.0.0.1:${upstream.tlsPort}`;
  await person.configure({
    servers: [{ host: HOST, address, certificate: upstream.caPem }],
    mappings: ["anthropic"],
  });
  const trusted = await person.firma(["trust"]);
  assert.equal(trusted.code, 0, trusted.stderr);
  return person;
}

/** What the vendor was sent as a key, in order. */
function keysSeen(upstream: TestUpstream): string[] {
  return upstream.seen.flatMap(({ rawHeaders }) =>
    rawHeaders.flatMap((word, at) => word === "x-api-key" ? [rawHeaders[at + 1]!] : [])
  );
}

Deno.test("firma credentials add asks without showing, stores, proves and keeps trust; remove takes it back", async () => {
  const upstream = await startUpstream(HOST);
  await using person = await withVendor(upstream);
  const before = await person.read(FILE);
  const adding = person.startOnTerminal(["credentials", "add", "anthropic"]);
  await adding.printed(/Secret of anthropic .*\(it is not shown\): /);
  await adding.write(`${SECRET}x\x7f\n`);
  const added = await adding.finished();
  assert.equal(added.code, 0, added.stdout);
  assert.ok(!added.stdout.includes("sk-ant-api03"), "the terminal shows the secret");
  assert.match(added.stdout, /It works: https:\/\/api\.anthropic\.com\/v1\/models answered/);
  assert.deepEqual(keysSeen(upstream), [SECRET]);

  const after = await person.read(FILE);
  assert.ok(after.startsWith(before.trimEnd()) && !after.includes(SECRET), after);
  assert.match(after, /^env = \["ANTHROPIC_API_KEY"\]$/m);
  const path = /^path = "(.*)"$/m.exec(after)?.[1] ?? "";
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  assert.equal(await Deno.readTextFile(path), `${SECRET}\n`);
  assert.ok(path.includes("/firma/"), "it is not where no agent sees it");

  const tested = await person.firma(["credentials", "test", "--json"]);
  assert.equal(tested.code, 0, tested.stderr);
  assert.ok(!tested.stdout.includes(SECRET));
  const [row] = JSON.parse(tested.stdout);
  assert.deepEqual([row.name, row.ok, row.provider], ["anthropic", true, "file"]);
  assert.deepEqual(keysSeen(upstream), [SECRET, SECRET]);

  const removed = await person.firma(["credentials", "remove", "anthropic"]);
  assert.equal(removed.stdout, "Removed anthropic\nDeleted the secret of anthropic\n");
  assert.equal((await person.read(FILE)).trimEnd(), before.trimEnd());
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  const again = await person.firma(["trust"]);
  assert.match(again.stdout, /^Already trusted/, "trust was lost on the way");
  await upstream.close();
});

Deno.test("firma credentials add writes what flags say, and list shows it without secrets", async () => {
  await using person = await Person.create();
  await person.configure({});
  await person.firma(["trust"]);
  const token = join(person.home, "token");
  await Deno.writeTextFile(token, `${SECRET}\n`, { mode: 0o600 });
  const add = (...words: string[]) => person.firma(["credentials", "add", ...words]);
  const first = await add(
    ...["work", "--host", "api.work.test", "--header", "X-Work", "--path", "/v1"],
    ...["--from-file", token, "--json"],
  );
  assert.equal(first.code, 0, first.stderr);
  assert.equal(JSON.parse(first.stdout).credential, "work");
  const second = await add("helper", "--host", "b.test", "--command", "/bin/echo", SECRET);
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stdout, /It can be obtained/);
  const listed = await person.firma(["credentials", "list", "--json"]);
  assert.deepEqual(JSON.parse(listed.stdout), [
    {
      name: "work",
      provider: "file",
      hosts: ["api.work.test"],
      paths: ["/v1"],
      action_classes: [],
      header: "x-work",
    },
    {
      name: "helper",
      provider: "command",
      hosts: ["b.test"],
      paths: [],
      action_classes: [],
      header: "authorization",
    },
  ]);

  const toml = await person.read(FILE);
  const refused: [string[], RegExp][] = [
    [["work", "--host", "c.test", "--from-file", token], /there is a credential of this name/],
    [["other", "--from-file", token], /no --host says where it goes/],
    [["other", "--host", "*.test", "--from-file", token], /is not the name of one host/],
    [["other", "--host", "b.test", "--from-file", token], /"helper" is for some of the same calls/],
    [["other", "--host", "d.test", "--from-env", "NONE"], /there is no variable "NONE"/],
    [["other", "--host", "d.test", "--from-env", "A", "--from-file", token], /several places/],
    [["other", "--host", "d.test", "--command", "echo", "x"], /not the absolute path/],
  ];
  for (const [words, why] of refused) {
    const { code, stderr } = await add(...words);
    assert.equal(code, 1, words.join(" "));
    assert.match(stderr, why);
  }
  assert.equal(await person.read(FILE), toml, "a refused one changed the file");
});

// Attack: a cloned repository names a helper, and waits for somebody to try its credentials.
Deno.test("firma credentials runs no helper of a configuration that nobody trusts, nor changes it", async () => {
  await using person = await Person.create();
  const trap = join(person.home, "sprung");
  await person.configure({
    more: `[sidecar.credentials.trap]
provider = "command"
command = ["/usr/bin/touch", "${trap}"]
hosts = ["a.test"]
`,
  });
  for (const words of [["test"], ["add", "github", "--from-env", "HOME"], ["remove", "trap"]]) {
    const { code, stderr } = await person.firma(["credentials", ...words]);
    assert.equal(code, 1);
    assert.match(stderr, /trusted/, words[0]);
  }
  await assert.rejects(Deno.stat(trap), Deno.errors.NotFound);
});

Deno.test("findSignIn() takes over what other programs keep, and nothing that they renew", async () => {
  const home = await Deno.makeTempDir();
  const write = async (path: string, text: string) => {
    const file = join(home, path);
    await Deno.mkdir(join(file, ".."), { recursive: true });
    await Deno.writeTextFile(file, text);
  };
  const secretOf = (name: string) => findSignIn(unwrap(knownService(name))!, home)?.secret;
  for (const name of serviceNames()) assert.equal(secretOf(name), undefined, name);
  const npm = unwrap(knownService("npm"))!.hosts[0];
  await write(
    ".config/gh/hosts.yml",
    `ghe.test:
    oauth_token: gho_of-another-host
github.com:
    users:
        ada:
    git_protocol: https
    oauth_token: gho_the-right-one
    user: ada
`,
  );
  await write(".npmrc", `//other.test/:_authToken=wrong\n//${npm}/:_authToken=npm_the-right-one\n`);
  await write(".codex/auth.json", JSON.stringify({ OPENAI_API_KEY: "sk-the-right-one" }));
  await write(".cache/huggingface/token", "hf_the-right-one\n");
  await write(
    ".copilot/config.json",
    `// Managed automatically.\n{"copilotTokens":{"https://github.com:ada":"gho_theRightOne"}}`,
  );
  assert.equal(secretOf("copilot"), "gho_theRightOne");
  assert.equal(secretOf("github"), "gho_the-right-one");
  assert.equal(secretOf("npm"), "npm_the-right-one");
  assert.equal(secretOf("openai"), "sk-the-right-one");
  assert.equal(secretOf("huggingface"), "hf_the-right-one");
  await write(".npmrc", `//${npm}/:_authToken=\${NPM_TOKEN}\n`);
  await write(".codex/auth.json", JSON.stringify({ OPENAI_API_KEY: null, tokens: { a: "b" } }));
  await write(".config/gh/hosts.yml", "github.com:\n    user: ada\n");
  for (const name of ["github", "npm", "openai"]) assert.equal(secretOf(name), undefined, name);
  await Deno.remove(home, { recursive: true });
});

Deno.test("firma credentials add takes over a sign-in that a program renews, and remove gives it back", async () => {
  await using person = await Person.create();
  await person.configure({});
  await person.firma(["trust"]);
  const file = join(person.home, ".claude/.credentials.json");
  await Deno.mkdir(join(file, ".."), { recursive: true });
  const tokens = {
    accessToken: "sk-ant-oat01-of-the-person",
    refreshToken: "sk-ant-ort01-of-the-person",
    expiresAt: 4_000_000_000_000,
  };
  const signIn = { claudeAiOauth: { ...tokens, scopes: ["user:inference"] }, other: { a: 1 } };
  await Deno.writeTextFile(file, JSON.stringify(signIn), { mode: 0o600 });

  // Without being told to, nothing is taken over where nobody can be asked.
  const asked = await person.firma(["credentials", "add", "claude"], { stdin: "sk-ant-oat01-x\n" });
  assert.equal(asked.code, 0, asked.stderr);
  assert.deepEqual(JSON.parse(await Deno.readTextFile(file)), signIn);
  const added = await person.firma(["credentials", "add", "claude", "--from-sign-in", "--replace"]);
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stderr, /Claude Code is signed out outside of sandboxes/);
  const left = await Deno.readTextFile(file);
  assert.ok(!left.includes("of-the-person") && left.includes('"user:inference"'), left);
  assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
  const toml = await person.read(FILE);
  assert.match(toml, /^provider = "sign_in"$/m);
  assert.match(toml, /^sign_in_at = "claude"$/m);
  assert.ok(!toml.includes("CLAUDE_CODE_OAUTH_TOKEN"), "the program would not renew");
  const path = /^sign_in_file = "(.*)"$/m.exec(toml)?.[1] ?? "";
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  const kept = JSON.parse(await Deno.readTextFile(path));
  assert.equal(kept.refresh_token, tokens.refreshToken);
  const tested = await person.firma(["credentials", "test"]);
  assert.match(tested.stdout, /ok +claude: obtained from sign_in/);
  const again = await person.firma(["credentials", "add", "claude", "--from-sign-in", "--replace"]);
  assert.equal(again.code, 1, "what was taken over is no sign-in");

  // By then it has been renewed.
  const renewed = { access_token: "sk-ant-oat01-new", refresh_token: "sk-ant-ort01-new" };
  await Deno.writeTextFile(path, JSON.stringify({ ...renewed, expires_at_ms: 5 }));
  const removed = await person.firma(["credentials", "remove", "claude"]);
  assert.match(removed.stdout, /Claude Code has its sign-in back/);
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  assert.deepEqual(JSON.parse(await Deno.readTextFile(file)), {
    claudeAiOauth: {
      accessToken: renewed.access_token,
      refreshToken: renewed.refresh_token,
      expiresAt: 5,
      scopes: ["user:inference"],
    },
    other: { a: 1 },
  });
});
