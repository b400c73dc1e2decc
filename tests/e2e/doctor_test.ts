import assert from "node:assert/strict";
import { join } from "node:path";
import type { NamedFinding } from "../../src/doctor/finding.ts";
import { unwrap } from "../../src/core/result.ts";
import { createAuthority } from "../../src/pki/certificate_authority.ts";
import { Person } from "../fixtures/cli.ts";

interface Report {
  readonly checks: readonly NamedFinding[];
  readonly worst: string;
  readonly exit_code: number;
}

/** What a machine may be short of, whatever firma does. */
const OF_THE_MACHINE = ["disk space", "clock"];

Deno.test("firma doctor is content where firma was never used, and changes nothing", async () => {
  await using person = await Person.create();
  const temporary = join(person.home, "t");
  await Deno.mkdir(temporary);
  const options = { env: { TMPDIR: temporary } };
  const { code, stdout } = await person.firma(["doctor", "--json"], options);
  const { checks, exit_code } = JSON.parse(stdout) as Report;
  const unwell = checks.filter(({ status, category }) =>
    status !== "ok" && !OF_THE_MACHINE.includes(category)
  );
  assert.deepEqual(unwell, []);
  assert.equal(code, exit_code);
  assert.deepEqual(checks.slice(0, 5).map(({ category }) => category), [
    "firma binary",
    "sandbox bwrap",
    "sandbox vz",
    "sandbox wsl2",
    "sandbox firecracker",
  ]);
  assert.match(
    checks.find(({ category }) => category === "sandbox starts")!.reason,
    /^both layers start/,
  );
  assert.deepEqual([...Deno.readDirSync(temporary)], []); // the sandbox left nothing behind
  for (const path of [person.stateDir, person.dataDir, join(person.project, ".firma")]) {
    assert.throws(() => Deno.lstatSync(path), Deno.errors.NotFound);
  }
});

// Hides the program as a machine without it would: nobody can run what is there.
const WITHOUT_BWRAP = ["bwrap", "--dev-bind", "/", "/", "--ro-bind", "/dev/null", "/usr/bin/bwrap"];

Deno.test("firma doctor names each thing that is broken, with its cure, and mends what it can", async () => {
  await using person = await Person.create();
  const expired = unwrap(await createAuthority("Old CA", 30, Date.now() - 60 * 86_400_000));
  await person.write(".firma/tls/server.crt", expired.certificate);
  await person.configure({
    rules: '[[rules]]\nhost = "*.mapped.test"\npath = "/**"\naction_class = "code.read"\n',
    more: '[authority]\ntls_cert_path = "tls/server.crt"\n',
  });
  assert.equal((await person.firma(["trust"])).code, 0);
  await person.write(".firma/policies/dev.cedar", "permit(principal, action, resource)");
  await Deno.mkdir(person.stateDir, { mode: 0o700 });
  const socket = join(person.stateDir, "authority.sock");
  const bind = "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])";
  await person.startProgram("/usr/bin/python3", ["-c", bind, socket]).finished();

  const [first, ...rest] = WITHOUT_BWRAP;
  const ill = await person.startUnder([first!, ...rest, "--"], ["doctor", "--json"]).finished();
  assert.equal(ill.code, 2, ill.stderr);
  const { checks } = JSON.parse(ill.stdout) as Report;
  const cures = new Map(
    checks.filter(({ status }) => status !== "ok").map(({ category, cure }) => [category, cure]),
  );
  const project = Deno.realPathSync(person.project);
  assert.match(cures.get("sandbox bwrap")!, /(apt-get|dnf|pacman|apk|zypper) .*bubblewrap$/);
  assert.equal(
    cures.get("certificates"),
    `firma authority init-tls --out-dir ${project}/.firma/tls --force`,
  );
  assert.equal(cures.get("policies"), `firma policy validate ${project}/.firma/policies`);
  assert.equal(cures.get("sockets"), `rm ${socket}`);

  // What is left after the repair are the other two.
  const mended = await person.firma(["doctor", "--fix"]);
  assert.equal(mended.code, 2);
  assert.match(mended.stderr, /^firma: removed .*authority\.sock$/m);
  assert.match(mended.stdout, /^fail {2}policies .*\n.*\n +cure: firma policy validate /m);
  assert.match(mended.stdout, /^ok {4}sockets /m);
  assert.throws(() => Deno.lstatSync(socket), Deno.errors.NotFound);
});
