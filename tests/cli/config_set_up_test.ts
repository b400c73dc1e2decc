import assert from "node:assert/strict";
import { join } from "node:path";
import { checkConfigFile, readConfigFile } from "../../src/config/load.ts";
import { operatorFiles } from "../../src/config/operator_files.ts";
import { changesSince, trustState } from "../../src/config/trust.ts";
import { unwrap } from "../../src/core/result.ts";
import { Person } from "../fixtures/cli.ts";

async function setUp(person: Person, ...flags: string[]) {
  const done = await person.firma(["config", "--yes", ...flags]);
  assert.deepEqual([done.code, done.stderr], [0, ""]);
  return done.stdout;
}

async function names(person: Person, path: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(join(person.project, path)));
    return entries.map(({ name }) => name).sort();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return [];
    throw cause;
  }
}

Deno.test("firma config writes a configuration that is valid and trusted, and nothing before it is told to", async () => {
  await using person = await Person.create();
  const asked = await person.firma(["config"]);
  assert.equal(asked.code, 1);
  assert.match(asked.stderr, /there is no terminal\n {2}cure: --yes takes flags and defaults/);
  const dry = await person.firma(["config", "--dry-run", "--mapping", "npm"]);
  assert.equal(dry.code, 0);
  assert.match(dry.stdout, /^\+ {2}"mappings\/npm\.toml",$/m);
  assert.deepEqual(await names(person, "."), []);

  const flags = ["--mapping", "npm", "--profile", "codex", "--extra-hosts", "api.test, *.b.test"];
  await setUp(person, ...flags);
  assert.deepEqual(await names(person, ".firma/policies"), ["dev.cedar"]);
  const text = await person.read(".firma/firma.toml");
  assert.match(text, /^#:schema https:\/\/.*firma\.schema\.json\n/);
  assert.match(text, /"mappings\/npm\.toml",\n {2}"mapping-rules\.toml",\n\]/);
  assert.match(text, /^profile = "codex"$/m);
  assert.match(await person.read(".firma/mapping-rules.toml"), /host = "\*\.b\.test"/);
  const valid = await person.firma(["config", "validate"]);
  assert.deepEqual([valid.code, valid.stderr], [0, ""]);
  const shown = await person.firma(["config", "show"]);
  assert.match(shown.stdout, /^trust: trusted$/m);
});

Deno.test("firma config is the operator's word for its changes, and for those alone", async () => {
  await using person = await Person.create();
  await setUp(person, "--mapping", "npm");
  const edited = `${await person.read(".firma/mappings/npm.toml")}# an edit\n`;
  await person.write(".firma/mappings/npm.toml", edited);
  const done = await setUp(person, "--posture", "strict", "--profile", "codex");
  assert.match(done, /firma\.toml\. A Sidecar that runs takes it over\.$/m);
  assert.deepEqual(await names(person, ".firma/policies"), ["strict.cedar"]);
  // Whoever runs already is told that it was meant.
  const projects = join(person.dataDir, "projects");
  const [project] = await Array.fromAsync(Deno.readDir(projects));
  const removed = await Deno.readTextFile(join(projects, project!.name, "removed-policies.json"));
  assert.equal(JSON.parse(removed)[0].file, "dev.cedar");
  // The next run still names what somebody else changed.
  const env = { HOME: person.home };
  const file = unwrap(readConfigFile(join(person.project, ".firma/firma.toml")));
  const config = checkConfigFile(file, env);
  const trusted = trustState(file, env);
  assert.ok(config.ok && trusted.state === "trusted");
  const changes = changesSince(trusted.record, operatorFiles(config.value));
  assert.deepEqual(changes, ["mappings/npm.toml changed"]);
});

Deno.test("firma config sets up an Authority with everything that it needs to listen", async () => {
  await using person = await Person.create();
  await setUp(
    person,
    "--mode",
    "authority",
    "--mapping",
    "npm",
    "--authority-listen",
    "127.0.0.1:0",
  );
  const serving = person.start(["authority"]);
  await serving.printed(/authority ready/);
  serving.kill("SIGTERM");
  assert.equal((await serving.finished()).code, 0);
  const key = /tls_key_path = "(.*)"/.exec(await person.read(".firma/firma.toml"))![1]!;
  assert.ok(key.startsWith(person.dataDir), key);
  assert.equal((await Deno.stat(key)).mode! & 0o777, 0o600);
});

Deno.test("firma config asks at a terminal, and an interrupted one writes nothing", async () => {
  await using person = await Person.create();
  const interrupted = person.startOnTerminal(["config"]);
  await interrupted.printed(/What is it for \[agent-local\]: /);
  await interrupted.write("\n");
  await interrupted.printed(/Profile of the sandbox/);
  await interrupted.write("\x03");
  assert.notEqual((await interrupted.finished()).code, 0);
  assert.deepEqual(await names(person, "."), []);

  const answered = person.startOnTerminal(["config", "--extra-hosts", ""]);
  await answered.write("agent\nagent-local\ncodex\nstrikt\nstrict\nnpm\n");
  await answered.printed(/did you mean "strict"\?/);
  await answered.printed(/Go on\? \[Y\/n\]/);
  assert.deepEqual(await names(person, "."), []);
  await answered.write("y\n");
  assert.equal((await answered.finished()).code, 0, answered.stdout);
  assert.deepEqual(await names(person, ".firma/policies"), ["strict.cedar"]);
  assert.match(await person.read(".firma/firma.toml"), /^profile = "codex"$/m);
});

// Attack: a cloned repository has a configuration; who changes it with firma would vouch for all of it.
Deno.test("firma config changes nothing that came with a repository, whatever it is given", async () => {
  await using person = await Person.create();
  await person.configure({ mappings: ["npm"] });
  const before = await person.read(".firma/firma.toml");
  const refused = await person.firma(["config", "--yes", "--posture", "strict", "--force"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /firma did not write it, and you have not trusted it/);
  assert.equal(await person.read(".firma/firma.toml"), before);
  const nowhere = await person.firma(["config", "--yes", "-o", "/proc/firma"]);
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /^firma: Cannot set up "\/proc\/firma": /);
});

// Attack: the file is exchanged between what the operator is shown and what is trusted for it.
Deno.test("firma config trusts no file that changed while somebody looked at the changes", async () => {
  await using person = await Person.create();
  await setUp(person, "--mapping", "npm");
  const asking = person.startOnTerminal(["config", "--mode", "agent-local", "--posture", "strict"]);
  await asking.write("\n\n\n"); // profile, mappings, hosts
  await asking.printed(/Go on\? \[Y\/n\]/);
  const text = await person.read(".firma/firma.toml");
  await person.write(".firma/firma.toml", `${text}# of somebody else\n`);
  await asking.write("y\n");
  assert.equal((await asking.finished()).code, 1);
  assert.match(asking.stdout, /somebody else changed it in the meantime/);
  const shown = await person.firma(["config", "show"]);
  assert.match(shown.stdout, /^trust: changed; firma run would not use it$/m);
});

Deno.test("firma config --list-templates lists what a configuration can be made of", async () => {
  await using person = await Person.create();
  const { code, stdout } = await person.firma(["config", "--list-templates"]);
  assert.equal(code, 0);
  for (const name of ["strict", "anthropic", "claude-code"]) {
    assert.match(stdout, new RegExp(`^${name} +`, "m"));
  }
});

// Attack: what names a host or a pack leads out of where it belongs.
Deno.test("firma config takes no answer that would say more than it seems", async () => {
  await using person = await Person.create();
  const host = 'a.test"\naction_class = "code.read\u001b]0;owned\u0007';
  const flags = ["config", "--yes", "--extra-hosts", host, "--mapping", "../../../etc/passwd"];
  const { code, stderr } = await person.firma(flags);
  assert.equal(code, 1);
  assert.match(stderr, /^firma: Cannot add a host: /m);
  assert.match(stderr, /^firma: Cannot find mapping "\.\.\/\.\.\/\.\.\/etc\/passwd"/m);
  // deno-lint-ignore no-control-regex -- what must not be there
  assert.doesNotMatch(stderr, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  const missing = await person.firma(["config", "--yes", "--workspace", "typo"]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /\/typo": there is no such directory/);
  assert.deepEqual(await names(person, "."), []);
});
