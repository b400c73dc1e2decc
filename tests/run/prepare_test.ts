import assert from "node:assert/strict";
import { join } from "node:path";
import type { RunInterface, RunOptions } from "../../src/run/options.ts";
import { prepareConfig } from "../../src/run/prepare.ts";

interface Scene {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** What the person was told and asked, in order. */
  readonly said: string[];
  prepare(
    options?: Partial<RunOptions>,
    person?: { readonly answer?: boolean; readonly before?: () => Promise<void> },
  ): ReturnType<typeof prepareConfig>;
}

async function withScene(test: (scene: Scene) => Promise<void>): Promise<void> {
  const root = await Deno.realPath(await Deno.makeTempDir());
  const cwd = join(root, "project");
  const env = { HOME: join(root, "home"), FIRMA_STATE_DIR: join(root, "state") };
  const said: string[] = [];
  await Deno.mkdir(cwd);
  try {
    await test({
      cwd,
      said,
      env,
      prepare(options = {}, { answer, before } = {}) {
        said.length = 0;
        const ui: RunInterface = {
          interactive: answer !== undefined,
          tell: (level, text) => said.push(`${level}: ${text}`),
          confirm: async (explanation, question) => {
            said.push([...explanation, question].join("\n"));
            await before?.();
            return answer ?? false;
          },
        };
        return prepareConfig(
          {
            command: ["claude"],
            cwd,
            workspace: cwd,
            env,
            mappings: [],
            sidecar: { noAutostart: false, startupTimeoutMs: 0, needsOwn: false },
            monitor: false,
            yes: false,
            trust: false,
            ...options,
          },
          ui,
        );
      },
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("prepareConfig() asks once before it writes anything, and never again", () =>
  withScene(async ({ cwd, said, prepare }) => {
    const declined = await prepare({}, { answer: false });
    assert.ok(!declined.ok && declined.error[0]?.code === "DECLINED");
    assert.deepEqual([...Deno.readDirSync(cwd)], []);
    assert.equal(said.length, 1);
    assert.match(said[0]!, /posture dev; mappings npm, pypi, cargo, github, anthropic/);

    assert.equal((await prepare({}, { answer: true })).ok, true);
    assert.equal(said.length, 1);
    assert.equal((await prepare({}, { answer: false })).ok, true);
    assert.deepEqual(said, []);
  }));

Deno.test("prepareConfig() says one line where nobody can answer, or --yes was given", async () => {
  for (const [options, person] of [[{}, {}], [{ yes: true }, { answer: false }]] as const) {
    await withScene(async ({ cwd, said, prepare }) => {
      assert.equal((await prepare(options, person)).ok, true);
      assert.deepEqual(said, [
        `info: wrote ${cwd}/.firma (posture dev; mappings npm, pypi, cargo, github, anthropic)`,
      ]);
      assert.equal((await prepare(options, person)).ok, true);
      assert.deepEqual(said, []);
    });
  }
});

Deno.test("prepareConfig() uses --posture, --mapping and --profile for a new project alone", () =>
  withScene(async ({ said, prepare }) => {
    const flags = { posture: "strict", mappings: ["npm"], profile: "codex", yes: true };
    const first = await prepare(flags);
    assert.ok(first.ok);
    assert.deepEqual(first.value.files.map(({ name }) => name), [
      "policies/strict.cedar",
      "issuance-policies/issuance.cedar",
      "mappings/npm.toml",
    ]);
    assert.equal(first.value.config.run.profile, "codex");
    assert.equal((await prepare(flags)).ok, true);
    assert.match(said.join(), /^warn: --posture and --mapping ignored: \S+ exists already$/);
  }));

Deno.test("prepareConfig() names policies and mappings that changed, once", () =>
  withScene(async ({ cwd, said, prepare }) => {
    await prepare();
    await Deno.writeTextFile(join(cwd, ".firma/policies/dev.cedar"), "// mine\n");
    await Deno.remove(join(cwd, ".firma/mappings/pypi.toml"));
    await Deno.writeTextFile(join(cwd, ".firma/policies/more.cedar"), "");
    assert.equal((await prepare()).ok, true);
    assert.deepEqual(said, [
      "warn: since the last run: mappings/pypi.toml removed, policies/dev.cedar changed, " +
      "policies/more.cedar added",
    ]);
    assert.equal((await prepare()).ok, true);
    assert.deepEqual(said, []);
  }));

// Attack: an agent above renames the project and puts up a double with policies of its own.
Deno.test("prepareConfig() refuses changed policies in a directory that was replaced", () =>
  withScene(async ({ cwd, prepare }) => {
    await prepare();
    const directory = join(cwd, ".firma");
    await Deno.rename(directory, `${directory}.old`);
    for (const name of ["policies", "issuance-policies", "mappings"]) {
      await Deno.mkdir(join(directory, name), { recursive: true });
      for (const entry of Deno.readDirSync(join(`${directory}.old`, name))) {
        await Deno.copyFile(
          join(`${directory}.old`, name, entry.name),
          join(directory, name, entry.name),
        );
      }
    }
    await Deno.copyFile(`${directory}.old/firma.toml`, join(directory, "firma.toml"));
    await Deno.writeTextFile(
      join(directory, "policies/dev.cedar"),
      "permit(principal, action, resource);",
    );
    const double = await prepare();
    assert.ok(!double.ok && double.error[0]?.code === "CONFIG_NOT_TRUSTED");
    assert.match(double.error[0].message, /its directory was replaced since the last run/);

    // The same directory put back, as by a switch of branches, is no reason to ask.
    await Deno.copyFile(
      `${directory}.old/policies/dev.cedar`,
      join(directory, "policies/dev.cedar"),
    );
    assert.equal((await prepare()).ok, true);
  }));

Deno.test("prepareConfig() trusts with --trust, and remembers", () =>
  withScene(async ({ cwd, said, prepare }) => {
    await prepare();
    const file = join(cwd, ".firma/firma.toml");
    await Deno.writeTextFile(file, `${await Deno.readTextFile(file)}\n# edited\n`);
    const changed = await prepare();
    assert.ok(!changed.ok && changed.error[0]?.code === "CONFIG_NOT_TRUSTED");
    assert.equal((await prepare({ trust: true })).ok, true);
    assert.deepEqual(said, [`warn: trusting ${file} because of --trust`]);
    assert.equal((await prepare()).ok, true);
    assert.deepEqual(said, []);
  }));

Deno.test("prepareConfig() sets up no project in a home directory", () =>
  withScene(async ({ cwd, prepare }) => {
    const refused = await prepare({ env: { HOME: cwd }, yes: true });
    assert.ok(!refused.ok && refused.error[0]?.code === "WORKSPACE_REFUSED");
    assert.deepEqual([...Deno.readDirSync(cwd)], []);
  }));

Deno.test("prepareConfig() uses what another first launch wrote while it was asking", () =>
  withScene(async ({ cwd, prepare }) => {
    const first = Promise.withResolvers<void>();
    const second = prepare({
      mappings: ["npm"],
    }, { answer: true, before: () => first.promise });
    assert.equal((await prepare({ yes: true })).ok, true);
    const text = await Deno.readTextFile(join(cwd, ".firma/firma.toml"));
    first.resolve();
    assert.equal((await second).ok, true);
    assert.equal(await Deno.readTextFile(join(cwd, ".firma/firma.toml")), text);
  }));

Deno.test("prepareConfig() lets many first launches start at once", () =>
  withScene(async ({ cwd, env }) => {
    const script = `
      import { prepareConfig } from ${
      JSON.stringify(import.meta.resolve("../../src/run/prepare.ts"))
    };
      const options = { command: ["sh"], cwd: ${JSON.stringify(cwd)}, env: ${JSON.stringify(env)},
        workspace: ${JSON.stringify(cwd)}, mappings: [], yes: true, trust: false };
      const ui = { interactive: false, tell: (_, text) => console.log(text), confirm: () => {} };
      const result = await prepareConfig(options, ui);
      console.log(result.ok ? "ready" : result.error[0].message);
    `;
    const url = `data:text/typescript,${encodeURIComponent(script)}`;
    const outputs = await Promise.all(Array.from({ length: 4 }, async () => {
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", "--config", "deno.json", url],
      }).output();
      return new TextDecoder().decode(stdout);
    }));
    for (const output of outputs) assert.match(output, /^ready$/m);
    assert.equal(outputs.filter((output) => output.includes("wrote ")).length, 1);
  }));
