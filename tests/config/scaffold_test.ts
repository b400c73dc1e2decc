import assert from "node:assert/strict";
import { join } from "node:path";
import { programOf } from "../../src/config/agent_program.ts";
import { packNames, readPack } from "../../src/config/packs.ts";
import { defaultMappings, scaffoldFiles, writeScaffold } from "../../src/config/scaffold.ts";
import { parseConfig } from "../../src/config/schema.ts";

const DEFAULTS = { projectDataDir: "/data", auditFile: "/audit", authorityKey: "/key" };

async function inDirectory(test: (directory: string) => void | Promise<void>): Promise<void> {
  const directory = await Deno.realPath(await Deno.makeTempDir());
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("programOf() sees through package runners", () => {
  const table: [string[], string][] = [
    [["claude"], "claude"],
    [["/usr/bin/codex", "exec"], "codex"],
    [["npx", "-y", "@anthropic-ai/claude-code@latest", "-p", "hi"], "claude"],
    [["npm", "exec", "@openai/codex"], "codex"],
    [["npx", "cowsay"], "npx"],
    [["npx", "constructor"], "npx"],
    [[], ""],
  ];
  for (const [command, program] of table) assert.equal(programOf(command), program);
});

Deno.test("defaultMappings() adds the vendor of the agent", () => {
  assert.deepEqual(defaultMappings(["npm", "test"]), ["npm", "pypi", "cargo", "github"]);
  assert.deepEqual(defaultMappings(["claude"]), ["npm", "pypi", "cargo", "github", "anthropic"]);
  assert.deepEqual(defaultMappings(["codex"]).at(-1), "openai");
  assert.deepEqual(defaultMappings(["toString"]), ["npm", "pypi", "cargo", "github"]);
});

Deno.test("scaffoldFiles() makes a configuration that is valid and says what its comments say", () => {
  for (const profile of [undefined, "codex"]) {
    const files = scaffoldFiles({ posture: "dev", mappings: ["npm", "pypi"], profile });
    assert.ok(files.ok);
    const texts = new Map(files.value.map(({ path, text }) => [path, text]));
    assert.deepEqual([...texts.keys()], [
      "firma.toml",
      "policies/dev.cedar",
      "issuance-policies/issuance.cedar",
      "mappings/npm.toml",
      "mappings/pypi.toml",
    ]);
    const config = parseConfig(texts.get("firma.toml")!, "/p/.firma/firma.toml", DEFAULTS);
    assert.ok(config.ok, JSON.stringify(config));
    assert.deepEqual(config.value.sidecar.mapping, {
      rulesPaths: ["/p/.firma/mappings/npm.toml", "/p/.firma/mappings/pypi.toml"],
      defaultProtected: true,
    });
    assert.equal(config.value.run.profile, profile);
  }
});

Deno.test("scaffoldFiles() gives each project an agent of its own", () => {
  const id = () => {
    const files = scaffoldFiles({ posture: "dev", mappings: [] });
    return files.ok && /agt_\w+/.exec(files.value[0]!.text)?.[0];
  };
  assert.notEqual(id(), id());
});

Deno.test("scaffoldFiles() names the nearest posture and mapping", () => {
  const posture = scaffoldFiles({ posture: "strikt", mappings: [] });
  assert.ok(!posture.ok && posture.error.cure === 'did you mean "strict"?');
  const mapping = scaffoldFiles({ posture: "dev", mappings: ["nmp"] });
  assert.ok(!mapping.ok && mapping.error.cure === 'did you mean "npm"?');
});

// Attack: a name that leads out of the packs.
Deno.test("readPack() reads nothing but packs", () => {
  for (const name of ["../../deno", "/etc/passwd", "", ".", "npm.toml", "../mappings/npm"]) {
    assert.equal(readPack("mapping", name).ok, false, name);
  }
  for (const name of packNames("mapping")) assert.equal(readPack("mapping", name).ok, true, name);
});

Deno.test("writeScaffold() writes a whole .firma", () =>
  inDirectory(async (directory) => {
    const written = writeScaffold(directory, [
      { path: "firma.toml", text: "a" },
      { path: "policies/dev.cedar", text: "b" },
    ]);
    assert.deepEqual(written, { ok: true, value: join(directory, ".firma/firma.toml") });
    assert.equal(await Deno.readTextFile(join(directory, ".firma/policies/dev.cedar")), "b");
    assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), [".firma"]);
  }));

// Attack: a cloned repository brings policies without a firma.toml, for ours to bring into force.
Deno.test("writeScaffold() leaves a .firma alone that holds anything", () =>
  inDirectory(async (directory) => {
    await Deno.mkdir(join(directory, ".firma/policies"), { recursive: true });
    await Deno.writeTextFile(join(directory, ".firma/policies/evil.cedar"), "permit(…)");
    const written = writeScaffold(directory, [{ path: "firma.toml", text: "a" }]);
    assert.ok(!written.ok && written.error.code === "CONFIG_DIRECTORY_OCCUPIED");
    assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), [".firma"]);
    await assert.rejects(Deno.stat(join(directory, ".firma/firma.toml")));
  }));

Deno.test("writeScaffold() does not follow a link in the place of .firma", () =>
  inDirectory(async (directory) => {
    await Deno.mkdir(join(directory, "elsewhere"));
    await Deno.symlink(join(directory, "elsewhere"), join(directory, ".firma"));
    assert.equal(writeScaffold(directory, [{ path: "firma.toml", text: "a" }]).ok, false);
    assert.deepEqual([...Deno.readDirSync(join(directory, "elsewhere"))], []);
  }));
