import assert from "node:assert/strict";
import { join } from "node:path";

const ROOT = Deno.cwd();
const FIXTURE = `[bundle]
path = "policies"

[[cases]]
name = "reads <b>code</b>"
action.class = "code.read"
resource.host = "api.code.test"
expected = "ALLOW"
`;
const POLICY = 'permit (principal, action in [Firma::Action::"code.read"], resource);\n';

interface Step {
  readonly run: string;
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Reads the steps of action.yml, which keeps to one key a line, with `inputs` filled in. */
async function steps(inputs: Readonly<Record<string, string>>): Promise<Step[]> {
  const text = await Deno.readTextFile("action.yml");
  const defaults: Record<string, string> = {};
  const [, declared = ""] = /^inputs:\n([^]*?)^outputs:/m.exec(text) ?? [];
  for (const [, name, body] of declared.matchAll(/^ {2}([\w-]+):\n((?: {4}.*\n)+)/gm)) {
    defaults[name!] = /^ {4}default: "?(.*?)"?$/m.exec(body!)![1]!;
  }
  const filled = { ...defaults, ...inputs };
  const value = (written: string) =>
    written.replace(/\$\{\{ inputs\.([\w-]+) \}\}/g, (_, name) => filled[name]!);
  return text.slice(text.indexOf("\n  steps:\n")).split(/^ {4}- /m).slice(1).map((step) => {
    const run = /^ {6}run: (.*)$/m.exec(step)![1]!;
    assert.ok(!run.includes("${{"), "inputs must not become part of a script");
    const environment = /^ {6}env:\n((?: {8}.*\n?)+)/m.exec(step)?.[1] ?? "";
    const entries = [...environment.matchAll(/^ {8}(\w+): (.*)$/gm)];
    return {
      run,
      directory: value(/^ {6}working-directory: (.*)$/m.exec(step)?.[1] ?? "."),
      env: Object.fromEntries(entries.map(([, name, written]) => [name!, value(written!)])),
    };
  });
}

/** A runner's machine with a checked-out repository. */
class Runner implements AsyncDisposable {
  readonly #base: string;
  readonly workspace: string;

  private constructor(base: string) {
    this.#base = base;
    this.workspace = join(base, "workspace");
  }

  static async create(files: Readonly<Record<string, string>>): Promise<Runner> {
    const runner = new Runner(await Deno.makeTempDir({ prefix: "firma-action-" }));
    for (const name of ["temp", "workspace"]) await Deno.mkdir(join(runner.#base, name));
    for (const [path, text] of Object.entries(files)) {
      const file = join(runner.workspace, path);
      await Deno.mkdir(join(file, ".."), { recursive: true });
      await Deno.writeTextFile(file, text);
    }
    for (const name of ["path", "output", "summary"]) {
      await Deno.writeTextFile(join(runner.#base, name), "");
    }
    return runner;
  }

  read(name: "path" | "output" | "summary"): Promise<string> {
    return Deno.readTextFile(join(this.#base, name));
  }

  /** Runs the steps one after another until one fails, as a runner does. */
  async use(
    inputs: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ code: number; log: string }> {
    let log = "";
    for (const step of await steps(inputs)) {
      const added = (await this.read("path")).split("\n").filter((line) => line !== "");
      const { code, stdout, stderr } = await new Deno.Command("sh", {
        args: ["-e", "-c", step.run],
        cwd: join(this.workspace, step.directory),
        clearEnv: true,
        env: {
          HOME: Deno.env.get("HOME")!,
          PATH: [...added.reverse(), "/usr/local/bin:/usr/bin:/bin"].join(":"),
          FIRMA_DENO: Deno.execPath(),
          GITHUB_ACTIONS: "true",
          GITHUB_ACTION_PATH: ROOT,
          GITHUB_WORKSPACE: this.workspace,
          GITHUB_PATH: join(this.#base, "path"),
          GITHUB_OUTPUT: join(this.#base, "output"),
          GITHUB_STEP_SUMMARY: join(this.#base, "summary"),
          RUNNER_TEMP: join(this.#base, "temp"),
          ...env,
          ...step.env,
        },
      }).output();
      log += new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      if (code !== 0) return { code, log };
    }
    return { code: 0, log };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#base, { recursive: true });
  }
}

Deno.test("action.yml installs firma and runs the fixtures", async () => {
  await using runner = await Runner.create({ "a.toml": FIXTURE, "policies/a.cedar": POLICY });
  const { code, log } = await runner.use({});
  assert.equal(code, 0, log);
  assert.match(log, /^firma \d+\.\d+\.\d+ /m);
  assert.match(log, /^1 passed, 0 failed$/m);
  assert.doesNotMatch(log, /^::error/m);
  assert.equal(await runner.read("output"), "passed=1\nfailed=0\njunit=firma-policy-test.xml\n");
  const summary = await runner.read("summary");
  assert.match(summary, /^## firma policy test: passed\n\n1 passed, 0 failed\n\n<pre>\na\.toml\n/);
  assert.match(summary, /classes: 1 of \d+ touched/);
  // Attack: the name of a case that would be markup.
  assert.ok(summary.includes("reads &lt;b&gt;code&lt;/b&gt;"));
  const junit = await Deno.readTextFile(join(runner.workspace, "firma-policy-test.xml"));
  assert.match(junit, /tests="1" failures="0"/);
});

Deno.test("action.yml annotates a failed case at its place in the repository, and fails", async () => {
  await using runner = await Runner.create({
    "agents/one/a.toml": FIXTURE.replace("ALLOW", "DENY"),
    "agents/one/policies/a.cedar": POLICY,
  });
  const inputs = { "working-directory": "agents/one", paths: "a.toml", junit: "out/report.xml" };
  const { code, log } = await runner.use(inputs);
  assert.equal(code, 1, log);
  assert.match(
    log,
    /^::error file=agents\/one\/a\.toml,line=4,title=[^:]+::expected DENY, got ALLOW$/m,
  );
  assert.equal(await runner.read("output"), "passed=0\nfailed=1\njunit=out/report.xml\n");
  assert.match(await runner.read("summary"), /^## firma policy test: failed\n/);
});

Deno.test("action.yml says what is wrong with policies that cannot be used", async () => {
  await using runner = await Runner.create({
    "one fixture.toml": FIXTURE,
    "policies/a.cedar": POLICY.replace("code.read", "code.raed"),
  });
  // One path a line: a blank is part of the name.
  const { code, log } = await runner.use({ paths: "one fixture.toml" });
  assert.equal(code, 2, log);
  assert.match(log, /^::error file=policies\/a\.cedar,line=1,col=31,.*code\.raed/m);
  assert.match(await runner.read("summary"), /could not run[^]*did you mean/);
});

/** An action directory that holds nothing but the steps, and what `files` add. */
async function actionDirectory(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "firma-action-path-" });
  await Deno.mkdir(join(directory, "scripts"));
  await Deno.copyFile("scripts/action.sh", join(directory, "scripts/action.sh"));
  for (const [path, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(directory, path), text, { mode: 0o755 });
  }
  return directory;
}

const STUB = `#!/bin/sh
echo "stub $*"
`;

Deno.test("action.yml uses the release that version names, with the installer of releases", async () => {
  await using runner = await Runner.create({});
  const installer = `#!/bin/sh
echo "installing $2 from $6" >&2
mkdir -p "$4/bin"
printf '#!/bin/sh\\necho "stub $*"\\n' >"$4/bin/firma"
chmod +x "$4/bin/firma"
`;
  const directory = await actionDirectory({ "scripts/install.sh": installer });
  const { code, log } = await runner.use({ version: "v9.9.9" }, { GITHUB_ACTION_PATH: directory });
  assert.equal(code, 0, log);
  assert.match(log, /installing v9\.9\.9 from https:\/\/github\.com\/firma\/firma\/releases/);
  assert.match(log, /^stub version$/m);
  assert.match(log, /^stub policy test --github --coverage --junit firma-policy-test\.xml -- \.$/m);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("action.yml fetches the sources of a version that is no release", async () => {
  await using runner = await Runner.create({});
  const directory = await actionDirectory({});
  const repository = await actionDirectory({ "scripts/firma": STUB });
  const git = (...args: string[]) =>
    new Deno.Command("git", {
      args: ["-c", "user.name=test", "-c", "user.email=test@firma.test", ...args],
      cwd: repository,
    }).output();
  await git("init", "--quiet");
  await git("add", ".");
  await git("commit", "--quiet", "--message", "first");
  await git("tag", "nightly");
  const github = {
    GITHUB_ACTION_PATH: directory,
    GITHUB_SERVER_URL: "file:/",
    GITHUB_ACTION_REPOSITORY: repository,
  };
  const missing = await runner.use({ version: "weekly" }, github);
  assert.equal(missing.code, 2, missing.log);
  assert.match(missing.log, /cannot fetch the version/);
  const { code, log } = await runner.use({ version: "nightly" }, github);
  assert.equal(code, 0, log);
  assert.match(log, /^stub version$/m);
  await Deno.remove(directory, { recursive: true });
  await Deno.remove(repository, { recursive: true });
});

// Attack: inputs that a shell or git would take for something else than they are.
Deno.test("action.yml takes inputs as data", async () => {
  await using runner = await Runner.create({ "a.toml": FIXTURE, "policies/a.cedar": POLICY });
  for (const paths of ["$(touch hacked)", "a.toml; touch hacked", "--help", "`touch hacked`"]) {
    const { code, log } = await runner.use({ paths });
    assert.equal(code, 2, log);
  }
  for (const version of ["--upload-pack=touch hacked", "$(touch hacked)", "v1 x"]) {
    const { code, log } = await runner.use({ version });
    assert.equal(code, 2, log);
    assert.match(log, /no release, tag or branch/);
  }
  await assert.rejects(Deno.stat(join(runner.workspace, "hacked")), Deno.errors.NotFound);
});
