import assert from "node:assert/strict";
import { join } from "node:path";
import { parseConfig } from "../../../src/config/schema.ts";
import type { Answers } from "../../../src/config/setup/answers.ts";
import { applyPlan } from "../../../src/config/setup/apply.ts";
import { planSetup, type SetupPlan } from "../../../src/config/setup/plan.ts";
import { existingAnswers, readProject } from "../../../src/config/setup/project.ts";
import { unwrap } from "../../../src/core/result.ts";

const AGENT = "agt_00000000000000000000000000";
const FRESH: Answers = {
  mode: "agent-local",
  profile: undefined,
  agentId: AGENT,
  posture: "dev",
  mappings: ["npm"],
  extraHosts: [],
  authorityListen: undefined,
  authorityUrl: undefined,
  authorityCaCert: undefined,
  authorityPubKey: undefined,
  authorityClientCert: undefined,
  authorityClientKey: undefined,
};

/** A directory for a project, and what `firma config` does there once it has its answers. */
class Desk implements AsyncDisposable {
  readonly directory: string;
  readonly #base: string;

  private constructor(base: string) {
    this.#base = base;
    this.directory = join(base, ".firma");
  }

  static async create(): Promise<Desk> {
    return new Desk(await Deno.realPath(await Deno.makeTempDir()));
  }

  project() {
    const project = readProject(this.directory, { HOME: "/home/ada" });
    if (!project.ok) assert.fail(JSON.stringify(project.error));
    return project.value;
  }

  plan(given: Partial<Answers>, force = false) {
    const project = this.project();
    const before = project.existing === undefined ? FRESH : existingAnswers(project);
    const names = project.existing === undefined ? Object.keys(FRESH) : Object.keys(given);
    const answers = { ...FRESH, posture: undefined, ...before, ...given };
    return planSetup(project, answers, new Set(names as (keyof Answers)[]), {
      force,
      tlsDir: answers.mode === "authority" ? "/data/tls" : undefined,
    });
  }

  /** Plans and writes; fails the test when one of it cannot be done. */
  setUp(given: Partial<Answers> = {}, force = false): SetupPlan {
    const plan = this.plan(given, force);
    if (!plan.ok) assert.fail(JSON.stringify(plan.error));
    unwrap(applyPlan(this.project(), plan.value));
    return plan.value;
  }

  read(path: string): string {
    return Deno.readTextFileSync(join(this.directory, path));
  }

  write(path: string, text: string): void {
    Deno.writeTextFileSync(join(this.directory, path), text);
  }

  names(path: string): string[] {
    return [...Deno.readDirSync(join(this.directory, path))].map(({ name }) => name).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#base, { recursive: true });
  }
}

Deno.test("planSetup() makes a configuration that is valid, whatever it is for", async () => {
  const remote = {
    mode: "agent-remote",
    authorityUrl: "https://a.test",
    authorityPubKey: "a.pub",
    authorityClientCert: "c.crt",
    authorityClientKey: "c.key",
  } as const;
  const cases: [Partial<Answers>, RegExp][] = [
    [{}, /^policy_dir = /m],
    [{ profile: "codex" }, /^profile = "codex"$/m],
    [{ extraHosts: ["a.test"] }, /^ {2}"mapping-rules\.toml",$/m],
    [remote, /^url = "https:\/\/a\.test"$/m],
    [{ mode: "authority", authorityListen: "127.0.0.1:1" }, /^tls_key_path = "\/data\/tls\//m],
  ];
  for (const [answers, expected] of cases) {
    await using desk = await Desk.create();
    desk.setUp(answers);
    const text = desk.read("firma.toml");
    assert.match(text, expected);
    assert.match(text, /^#:schema https:.*\n#/);
    const defaults = { projectDataDir: "/d", auditFile: "/a", authorityKey: "/k" };
    assert.ok(parseConfig(text, join(desk.directory, "firma.toml"), defaults).ok, text);
    // Nobody wants anything else: nothing changes.
    const again = desk.plan({});
    assert.ok(again.ok && again.value.changes.length === 0, JSON.stringify(again));
  }
});

Deno.test("planSetup() changes what was given and leaves the rest as people wrote it", async () => {
  await using desk = await Desk.create();
  desk.setUp();
  const own = desk.read("firma.toml")
    .replace("[run]\n", '# mine\n[sidecar.connector]\nidle_timeout = "7m" # long\n\n[run]\n')
    .replace('"mappings/npm.toml",', '"./mappings/npm.toml", # registry\n  "own.toml",');
  desk.write("firma.toml", own);
  const edited = `${desk.read("mappings/npm.toml")}# an edit\n`;
  desk.write("mappings/npm.toml", edited);
  const plan = desk.setUp({ mappings: ["npm", "pypi"], profile: "codex" });
  assert.deepEqual(plan.kept, ["mappings/npm.toml"]);
  const expected = own.replace("\n]\ndefault", '\n  "mappings/pypi.toml",\n]\ndefault')
    .replace('# profile = "generic"\n', '# profile = "generic"\nprofile = "codex"\n');
  assert.equal(desk.read("firma.toml"), expected);
  assert.equal(desk.read("mappings/npm.toml"), edited);

  desk.setUp({ mappings: ["pypi"] });
  assert.equal(desk.read("firma.toml"), expected.replace(/ {2}"\.\/mappings\/npm.*\n/, ""));
  desk.setUp({ mappings: ["npm"] }, true);
  assert.doesNotMatch(desk.read("mappings/npm.toml"), /an edit/);
});

Deno.test("planSetup() changes the posture, but not one that has edits", async () => {
  await using desk = await Desk.create();
  desk.setUp();
  desk.write("policies/own.cedar", "// of my own\n");
  desk.setUp({ posture: "strict" });
  assert.deepEqual(desk.names("policies"), ["own.cedar", "strict.cedar"]);
  desk.write("policies/strict.cedar", `${desk.read("policies/strict.cedar")}// mine\n`);
  const refused = desk.plan({ posture: "dev" });
  assert.ok(!refused.ok && refused.error[0]!.code === "POSTURE_EDITED");
  desk.setUp({ posture: "dev" }, true);
  assert.deepEqual(desk.names("policies"), ["dev.cedar", "own.cedar"]);
});

Deno.test("planSetup() touches no policies that lie elsewhere", async () => {
  await using desk = await Desk.create();
  desk.setUp();
  desk.write("firma.toml", desk.read("firma.toml").replace('"policies/"', '"/etc/firma/policies"'));
  assert.ok(desk.plan({ profile: "codex" }).ok);
  const refused = desk.plan({ posture: "strict" });
  assert.ok(!refused.ok && refused.error[0]!.code === "POLICIES_ELSEWHERE");
});

Deno.test("planSetup() puts an agent under an Authority elsewhere, and back", async () => {
  await using desk = await Desk.create();
  desk.setUp();
  const local = desk.read("firma.toml");
  desk.setUp({ mode: "agent-remote", authorityUrl: "unix:///run/a.sock" });
  const remote = desk.read("firma.toml");
  assert.match(remote, /^url = "unix:\/\/\/run\/a\.sock"$/m);
  desk.write("firma.toml", remote.replace(/^url = .*\n/m, '$&fallback_urls = ["unix:///b"]\n'));
  desk.setUp({ mode: "agent-local" });
  assert.equal(desk.read("firma.toml"), local);
  desk.setUp({ mode: "agent-remote", authorityUrl: "unix:///run/a.sock" }, true);
  assert.doesNotMatch(desk.read("firma.toml"), /^\[authority\]$/m);
});

Deno.test("planSetup() gives the directory of an Authority an agent with its mappings", async () => {
  await using desk = await Desk.create();
  desk.setUp({ mode: "authority", authorityListen: "unix:///run/a.sock" });
  desk.setUp({ mode: "agent-local", agentId: AGENT });
  const text = desk.read("firma.toml");
  assert.match(text, /^\[sidecar\.authority\]\nagent_id = "agt_0+"$/m);
  assert.match(text, /^\[sidecar\.mapping\]\nrules_paths = \["mappings\/npm\.toml"\]$/m);
});

// Attack: a policy without a firma.toml, for ours to bring into force.
Deno.test("readProject() refuses a directory that holds something and no configuration", async () => {
  await using desk = await Desk.create();
  await Deno.mkdir(desk.directory);
  desk.write("evil.cedar", "permit (principal, action, resource);");
  const project = readProject(desk.directory, { HOME: "/home/ada" });
  assert.ok(!project.ok && project.error[0]!.code === "CONFIG_DIRECTORY_UNUSABLE");
});

// Attack: a link in the place of a directory or a file leads what is written elsewhere.
Deno.test("applyPlan() follows no link and overwrites nothing that is read-only", async () => {
  await using desk = await Desk.create();
  desk.setUp();
  const at = (path: string) => join(desk.directory, path);
  const refused = (pattern: RegExp) => {
    const before = desk.read("firma.toml");
    const plan = desk.plan({ mappings: ["pypi"], profile: "codex" });
    assert.ok(plan.ok);
    const applied = applyPlan(desk.project(), plan.value);
    assert.match(applied.ok ? "" : applied.error.message, pattern);
    assert.equal(desk.read("firma.toml"), before);
  };
  await Deno.chmod(at("firma.toml"), 0o444);
  refused(/firma\.toml": it is read-only$/);
  await Deno.chmod(at("firma.toml"), 0o644);
  await Deno.mkdir(at("../elsewhere"));
  await Deno.rename(at("mappings"), at("../kept"));
  await Deno.symlink("../elsewhere", at("mappings"));
  refused(/mappings" is a symbolic link$/);
  await Deno.remove(at("mappings"));
  await Deno.rename(at("../kept"), at("mappings"));
  await Deno.symlink("../../elsewhere/x", at("mappings/pypi.toml"));
  refused(/pypi\.toml": it is a symbolic link$/);
  assert.deepEqual(desk.names("../elsewhere"), []);
  await Deno.remove(at("mappings/pypi.toml"));
  desk.setUp({ mappings: ["pypi"] });
  for (const linked of [".firma/firma.toml", ".firma"]) {
    const path = join(desk.directory, "..", linked);
    await Deno.rename(path, `${path}.real`);
    await Deno.symlink(`${path}.real`, path);
    const project = readProject(desk.directory, { HOME: "/home/ada" });
    assert.match(project.ok ? "" : project.error[0]!.message, /it is a symbolic link$/);
    await Deno.remove(path);
    await Deno.rename(`${path}.real`, path);
  }
});

Deno.test("applyPlan() writes nothing over what changed since it was planned", async () => {
  await using desk = await Desk.create();
  desk.setUp();
  const project = desk.project();
  const plan = desk.plan({ profile: "codex", posture: "strict" });
  assert.ok(plan.ok);
  desk.write("policies/dev.cedar", "// of somebody else\n");
  const applied = applyPlan(project, plan.value);
  assert.ok(!applied.ok);
  assert.match(applied.error.message, /dev\.cedar": it changed in the meantime$/);
  assert.deepEqual(desk.names("policies"), ["dev.cedar"]);
  assert.doesNotMatch(desk.read("firma.toml"), /^profile/m);
});
