import assert from "node:assert/strict";
import { join } from "node:path";
import { CheckedContents } from "../../src/config/checked_contents.ts";
import { dataDir } from "../../src/config/paths.ts";
import { EarlyWorker } from "../../src/sidecar/early_worker.ts";
import { rememberMapping } from "../../src/sidecar/known_mapping.ts";
import { type Groundwork, prepare } from "../../src/sidecar/prepare.ts";
import type { SpareWorker } from "../../src/sidecar/spare_worker.ts";
import { readMapping } from "../../src/sidecar/settings.ts";

const CONFIG = `[sidecar.authority]
agent_id = "agt_00000000000000000000000000"

[sidecar.mapping]
rules_paths = ["rules.toml"]
`;

function rule(host: string): string {
  return `[[rules]]\nhost = "${host}"\npath = "/**"\naction_class = "code.read"\n`;
}

/** A project with a mapping that an earlier run found valid. */
async function project() {
  const dir = await Deno.realPath(await Deno.makeTempDir());
  const env = { XDG_DATA_HOME: join(dir, "data") };
  const directory = join(dir, ".firma");
  await Deno.mkdir(directory);
  const configFile = join(directory, "firma.toml");
  const rules = join(directory, "rules.toml");
  await Deno.writeTextFile(configFile, CONFIG);
  const runDirectory = join(dir, "run");
  const map = async (host: string) => {
    await Deno.writeTextFile(rules, rule(host));
    const mapping = await readMapping([rules]);
    assert.ok(mapping.ok);
    rememberMapping(
      mapping.value,
      { hosts: [host], size: 1 },
      new CheckedContents(join(dataDir(env), "known")),
    );
  };
  await map("one.test");
  return {
    env,
    configFile,
    runDirectory,
    map,
    async early() {
      const early = new EarlyWorker(configFile, runDirectory, env);
      await early.begun;
      return early.take();
    },
    async prepare(early: SpareWorker | undefined): Promise<Groundwork> {
      const options = { configFile, runDirectory, env, notify: () => {} };
      const made = await prepare(options, early);
      assert.ok(made.ok, JSON.stringify(made));
      return made.value;
    },
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

Deno.test("EarlyWorker sets the worker going that is used, and makes no directory", async () => {
  await using made = await project();
  const early = await made.early();
  assert.ok(early);
  assert.throws(() => Deno.statSync(made.runDirectory), Deno.errors.NotFound);
  const { spare } = await made.prepare(early);
  assert.equal(spare, early);
  spare.end();
});

// Attack: a mapping that is edited between the two readings leaves the worker with other hosts.
Deno.test("prepare() ends an early worker that may reach anything else", async () => {
  await using made = await project();
  const early = await made.early();
  assert.ok(early);
  await made.map("other.test");
  const { spare } = await made.prepare(early);
  assert.ok(spare);
  assert.notEqual(spare, early);
  assert.equal(early.fits({}), false);
  spare.end();
});

Deno.test("EarlyWorker makes none where the configuration cannot be used", async () => {
  await using made = await project();
  for (const text of ["[sidecar", "unknown_key = 1\n", `${CONFIG}\n[run]\nprofile = 1\n`]) {
    await Deno.writeTextFile(made.configFile, text);
    assert.equal(await made.early(), undefined);
  }
  await Deno.remove(made.configFile);
  assert.equal(await made.early(), undefined);
});

// Attack: a configuration of somebody else names a pipe that nobody writes to.
Deno.test("EarlyWorker makes none any more once it was asked for", async () => {
  await using made = await project();
  const early = new EarlyWorker(made.configFile, made.runDirectory, made.env);
  assert.equal(early.take(), undefined, "it is reading still");
  await early.begun;
  assert.equal(early.take(), undefined);
});
