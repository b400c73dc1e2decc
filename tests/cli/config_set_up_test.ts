import assert from "node:assert/strict";
import { join } from "node:path";
import { Person } from "../fixtures/cli.ts";

const AGENT = "agt_00000000000000000000000000";

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

Deno.test("firma config changes what it is told to and leaves the rest as people wrote it", async () => {
  await using person = await Person.create();
  await setUp(person, "--mapping", "npm", "--agent-id", AGENT);
  const own = (await person.read(".firma/firma.toml"))
    .replace("[run]\n", '# mine\n[sidecar.connector]\nidle_timeout = "7m" # long\n\n[run]\n')
    .replace('"mappings/npm.toml",', '"mappings/npm.toml", # registry\n  "own.toml",');
  await person.write(".firma/firma.toml", own);
  await person.write(".firma/own.toml", "");
  assert.equal((await person.firma(["trust"])).code, 0);
  const edited = `${await person.read(".firma/mappings/npm.toml")}# an edit\n`;
  await person.write(".firma/mappings/npm.toml", edited);

  assert.match(await setUp(person), /^Nothing to change\.$/m);
  const shown = await setUp(person, "--mapping", "npm,pypi", "--profile", "codex");
  assert.match(shown, /^keep \.firma\/mappings\/npm\.toml: it has edits/m);
  assert.match(shown, /^\+profile = "codex"$/m);
  assert.equal(
    await person.read(".firma/firma.toml"),
    own.replace("\n]\ndefault", '\n  "mappings/pypi.toml",\n]\ndefault')
      .replace('# profile = "generic"\n', '# profile = "generic"\nprofile = "codex"\n'),
  );
  assert.equal(await person.read(".firma/mappings/npm.toml"), edited);
  // It is the operator's own change, so nobody is asked to trust it again; the edit is still named.
  const run = await person.firma(["run", "--print-effective-config", "--", "true"]);
  assert.equal(JSON.parse(run.stdout).trust, "trusted");
  const trusted = await person.firma(["config", "--mapping", "npm", "--yes", "--force"]);
  assert.equal(trusted.code, 0);
  assert.doesNotMatch(await person.read(".firma/mappings/npm.toml"), /an edit/);
});

Deno.test("firma config changes the posture, but not one that has edits", async () => {
  await using person = await Person.create();
  await setUp(person, "--mapping", "npm");
  await setUp(person, "--posture", "strict");
  assert.deepEqual(await names(person, ".firma/policies"), ["strict.cedar"]);
  // Whoever runs already is told that it was meant.
  const projects = join(person.dataDir, "projects");
  const [project] = await Array.fromAsync(Deno.readDir(projects));
  const removed = await Deno.readTextFile(join(projects, project!.name, "removed-policies.json"));
  assert.equal(JSON.parse(removed)[0].file, "dev.cedar");

  await person.write(
    ".firma/policies/strict.cedar",
    `${await person.read(".firma/policies/strict.cedar")}// mine\n`,
  );
  const refused = await person.firma(["config", "--yes", "--posture", "dev"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /"policies\/strict\.cedar" has edits/);
  assert.deepEqual(await names(person, ".firma/policies"), ["strict.cedar"]);
  await setUp(person, "--posture", "dev", "--force");
  assert.deepEqual(await names(person, ".firma/policies"), ["dev.cedar"]);
});

Deno.test("firma config puts an agent under an Authority elsewhere, and back", async () => {
  await using person = await Person.create();
  const incomplete = await person.firma(["config", "--yes", "--mode", "agent-remote"]);
  assert.equal(incomplete.code, 1);
  assert.match(incomplete.stderr, /--authority-url is missing/);
  assert.match(incomplete.stderr, /--agent-id is missing/);
  await setUp(
    person,
    ...["--mode", "agent-remote", "--mapping", "npm", "--agent-id", AGENT],
    ...["--authority-url", "https://a.test:9443", "--authority-pub-key", "a.pub"],
    ...["--authority-client-cert", ".firma/c.crt", "--authority-client-key", "/k/c.key"],
  );
  const remote = await person.read(".firma/firma.toml");
  assert.match(remote, /^url = "https:\/\/a\.test:9443"$/m);
  assert.match(remote, /^public_key_path = ".*\/project\/a\.pub"$/m);
  assert.match(remote, /^tls_client_cert_path = "c\.crt"$/m);
  assert.deepEqual(await names(person, ".firma/policies"), []);
  await setUp(person, "--mode", "agent-local");
  const local = await person.read(".firma/firma.toml");
  assert.doesNotMatch(local, /url|_path =/);
  assert.match(local, new RegExp(AGENT));
  assert.equal((await person.firma(["config", "validate"])).code, 0);
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
  for (const flags of [["--force"], ["--posture", "strict"], ["--profile", "codex", "--force"]]) {
    const refused = await person.firma(["config", "--yes", ...flags]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /firma did not write it, and you have not trusted it/);
  }
  assert.equal(await person.read(".firma/firma.toml"), before);
  // Its policies alone, for ours to bring into force.
  await Deno.remove(join(person.project, ".firma/firma.toml"));
  const planted = await person.firma(["config", "--yes", "--force"]);
  assert.equal(planted.code, 1);
  assert.match(planted.stderr, /there is something in it, such as "[a-z-]+", and no firma\.toml/);
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
  assert.deepEqual(await names(person, "."), []);
});

// Attack: a link in the place of a directory or a file leads what is written elsewhere.
Deno.test("firma config follows no link and overwrites nothing that is read-only", async () => {
  await using person = await Person.create();
  await setUp(person, "--mapping", "npm");
  const file = join(person.project, ".firma/firma.toml");
  const folder = join(person.project, ".firma/mappings");
  const refused = async (pattern: RegExp) => {
    const done = await person.firma(["config", "--yes", "--mapping", "pypi", "--profile", "codex"]);
    assert.equal(done.code, 1);
    assert.match(done.stderr, pattern);
  };
  await Deno.chmod(file, 0o444);
  await refused(/firma\.toml": it is read-only/);
  await Deno.chmod(file, 0o644);
  await Deno.mkdir(join(person.project, "elsewhere"));
  await Deno.rename(folder, join(person.project, "kept"));
  await Deno.symlink("../elsewhere", folder);
  await refused(/mappings" is a symbolic link/);
  assert.deepEqual(await names(person, "elsewhere"), []);
  await Deno.remove(folder);
  await Deno.rename(join(person.project, "kept"), folder);
  await Deno.rename(join(person.project, ".firma"), join(person.project, "elsewhere/f"));
  await Deno.symlink("elsewhere/f", join(person.project, ".firma"));
  await refused(/\.firma": it is a symbolic link/);
  const nowhere = await person.firma(["config", "--yes", "-o", "/proc/firma"]);
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /^firma: Cannot set up "\/proc\/firma": /);
  assert.match(await Deno.readTextFile(join(person.project, "elsewhere/f/firma.toml")), /npm/);
});
