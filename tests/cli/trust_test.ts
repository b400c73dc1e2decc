import assert from "node:assert/strict";
import { join } from "node:path";
import { Person } from "../fixtures/cli.ts";

const FILE = ".firma/firma.toml";

/** A command that would start a Sidecar, which these tests never let happen. */
const RUN = ["run", "--yes", "--", "echo", "it-ran"];

async function refusal(person: Person, words: readonly string[] = RUN): Promise<string> {
  const { code, stdout, stderr } = await person.firma(words);
  assert.deepEqual([code, stdout], [1, ""], stderr);
  return stderr;
}

// Attack: a cloned repository brings a .firma/ with permits of its own.
Deno.test("firma run refuses a .firma that came with the project, and says what is in it", async () => {
  await using person = await Person.create();
  await person.configure({ more: `[run]\nenv_passthrough = ["AWS_SECRET_ACCESS_KEY"]` });
  await person.write(".firma/policies/evil.cedar", "permit (principal, action, resource);\n");
  const text = await refusal(person);
  assert.match(text, /it was not written by firma for you, and you have not trusted it/);
  assert.match(text, /^ {2}policy policies\/evil\.cedar: 1 permit, 0 forbid$/m);
  assert.match(text, /^ {2}variables handed to the agent: AWS_SECRET_ACCESS_KEY$/m);
  assert.ok(text.includes(`firma trust ${await Deno.realPath(join(person.project, FILE))}`));
  assert.deepEqual(await person.runDirectories(), []);
});

Deno.test("firma trust trusts what is there now, and firma trust --list lists it", async () => {
  await using person = await Person.create();
  await person.configure({});
  const file = await Deno.realPath(join(person.project, FILE));
  const trusted = await person.firma(["trust"]);
  assert.equal(trusted.code, 0, trusted.stderr);
  assert.ok(trusted.stdout.startsWith(`Trusted: ${file}\n  policy policies/dev.cedar: `));
  assert.ok((await person.firma(["trust"])).stdout.startsWith(`Already trusted: ${file}\n`));
  assert.equal((await person.firma(["trust", "--list"])).stdout, `${file}\n`);
});

Deno.test("firma run refuses a firma.toml that changed after it was trusted", async () => {
  await using person = await Person.create();
  await person.configure({});
  await person.firma(["trust"]);
  await person.write(FILE, `${await person.read(FILE)}\n[run]\nprofile = "codex"\n`);
  assert.match(await refusal(person), /it changed since you trusted it/);
});

Deno.test("firma trust finds a configuration by directory, by file and from below", async () => {
  await using person = await Person.create();
  await person.configure({});
  await Deno.mkdir(join(person.project, "a/b"), { recursive: true });
  const file = await Deno.realPath(join(person.project, FILE));
  for (const path of [".", FILE, "a/b", undefined]) {
    const words = path === undefined ? ["trust"] : ["trust", path];
    const cwd = path === undefined ? join(person.project, "a") : person.project;
    assert.match((await person.firma(words, { cwd })).stdout, new RegExp(`trusted: ${file}`, "i"));
    const gone = await person.firma(["trust", "--remove", path ?? "."], { cwd });
    assert.equal(gone.stdout, `No longer trusted: ${file}\n`, gone.stderr);
  }
  assert.match(await refusal(person), /you have not trusted it/);
});

Deno.test("firma trust says what is wrong instead of trusting it", async () => {
  await using person = await Person.create();
  const nothing = await person.firma(["trust"]);
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /Cannot find a configuration/);

  const missing = await person.firma(["trust", "no/such/place"]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /Cannot read ".*no\/such\/place": there is no such file/);

  await person.configure({ more: "[authority]\npolcy_dir = 1" });
  const wrong = await person.firma(["trust"]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /"authority\.polcy_dir": there is no such key/);
  assert.match(wrong.stderr, /^ {2}at \S+\/\.firma\/firma\.toml:\d+:1$/m);
  assert.match(wrong.stderr, /cure: did you mean "policy_dir"\?/);
  assert.equal((await person.firma(["trust", "--list"])).stdout, "");
});

// Attack: only the link would be hidden from the agent, the directory behind it not.
Deno.test("firma run and firma trust refuse a .firma that is a symbolic link", async () => {
  await using person = await Person.create();
  await person.configure({});
  await Deno.rename(join(person.project, ".firma"), join(person.project, "hidden"));
  await Deno.symlink("hidden", join(person.project, ".firma"));
  assert.match(await refusal(person, ["run", "--trust", "--", "true"]), /it is a symbolic link/);
  const trust = await person.firma(["trust"]);
  assert.equal(trust.code, 1);
  assert.match(trust.stderr, /it is a symbolic link/);
});

// Attack: policies in the workspace, where the agent that they bind can write them.
Deno.test("firma run refuses policies and mappings that the agent could write", async () => {
  const table: Record<string, string> = {
    "authority.policy_dir": `[authority]\npolicy_dir = "../policies"`,
    "authority.issuance_policy_dir": `[authority]\nissuance_policy_dir = "../elsewhere"`,
  };
  for (const [name, more] of Object.entries(table)) {
    await using person = await Person.create();
    await person.configure({ more });
    const text = await refusal(person, ["run", "--trust", "--", "true"]);
    assert.ok(text.includes(`Cannot use ${name} "`), text);
    assert.match(text, /the agent could write it/);
    assert.deepEqual(await person.runDirectories(), []);
  }
  await using person = await Person.create();
  await person.configure({});
  await person.write("mine.cedar", "permit (principal, action, resource);");
  await Deno.symlink("../../mine.cedar", join(person.project, ".firma/policies/link.cedar"));
  assert.match(
    await refusal(person, ["run", "--trust", "--", "true"]),
    /Cannot use the policy "\S+link\.cedar": the agent could write it/,
  );
});

// Attack: the repository brings policies without a firma.toml, and waits for firma to add one.
Deno.test("firma run does not set up a project around policies that are there already", async () => {
  await using person = await Person.create();
  await person.write(".firma/policies/evil.cedar", "permit (principal, action, resource);");
  assert.match(await refusal(person), /there is something of that name without a firma\.toml/);
  await assert.rejects(person.read(FILE));
});

// Attack: names and values in a repository that would write to the terminal of whoever looks.
Deno.test("firma prints what a project chose without its control characters", async () => {
  await using person = await Person.create();
  await person.configure({
    more: `[run]\nprofile = "x\\u001b]0;owned\\u0007"\n[sidecar.audit]\nfile_path = "/a\\u202eb"`,
  });
  await person.write(".firma/policies/\x1b[2Jx.cedar", "");
  const cwd = join(person.project, "\x1b[31mred");
  await Deno.mkdir(cwd);
  const outputs = [
    await person.firma(RUN),
    await person.firma(RUN, { cwd }),
    await person.firma(["run", "--trust", "--", "true"]),
    await person.firma(["run", "--print-effective-config", "--profile", "generic", "--", "true"]),
    await person.firma(["trust"]),
    await person.firma(["trust", "--list"]),
  ];
  for (const { stdout, stderr } of outputs) {
    // deno-lint-ignore no-control-regex -- controls are what this looks for
    assert.doesNotMatch(stdout + stderr, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
  }
  assert.match(outputs[0]!.stderr, /\\x1b\[2Jx\.cedar/);
});

Deno.test("firma names files in force that others can change", async () => {
  await using person = await Person.create();
  await person.configure({});
  await Deno.chmod(join(person.project, ".firma/policies/dev.cedar"), 0o666);
  assert.match(await refusal(person), /everybody on this machine can write ".*dev\.cedar"/);
});

Deno.test("firma run --print-effective-config prints what would be in force and starts nothing", async () => {
  await using person = await Person.create();
  const words = ["run", "--print-effective-config", "--", "sh"];
  const first = JSON.parse((await person.firma(words)).stdout);
  assert.deepEqual([first.source, first.posture, first.profile], [
    "first launch",
    "dev",
    "generic",
  ]);
  assert.deepEqual([...Deno.readDirSync(person.project)], []);

  await person.configure({});
  const untrusted = JSON.parse((await person.firma(words)).stdout);
  assert.deepEqual([untrusted.source, untrusted.trust], ["directory", "unknown"]);
  assert.match(untrusted.config.sidecar.authority.agentId, /^agt_/);
  await person.firma(["trust"]);
  const trusted = JSON.parse((await person.firma(words)).stdout);
  assert.equal(trusted.trust, "trusted");
});
