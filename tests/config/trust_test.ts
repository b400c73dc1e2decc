import assert from "node:assert/strict";
import { join } from "node:path";
import type { ConfigFile } from "../../src/config/load.ts";
import { readConfigFile } from "../../src/config/load.ts";
import { digestOf } from "../../src/config/load.ts";
import type { OperatorFile } from "../../src/config/operator_files.ts";
import {
  changesSince,
  directoryReplaced,
  forgetTrust,
  recordTrust,
  rememberFiles,
  trustRecords,
  trustState,
} from "../../src/config/trust.ts";

interface Project {
  readonly base: string;
  readonly env: { readonly XDG_DATA_HOME: string };
  readonly path: string;
  read(): ConfigFile;
}

async function withProject(test: (project: Project) => void | Promise<void>): Promise<void> {
  const base = await Deno.realPath(await Deno.makeTempDir());
  try {
    const path = join(base, "project/.firma/firma.toml");
    await Deno.mkdir(join(path, ".."), { recursive: true });
    await Deno.writeTextFile(path, "# one\n");
    await test({
      base,
      env: { XDG_DATA_HOME: join(base, "data") },
      path,
      read() {
        const read = readConfigFile(path);
        if (!read.ok) throw new Error(read.error.message);
        return read.value;
      },
    });
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

function policy(name: string, text: string): OperatorFile {
  return { kind: "policy", path: `/p/${name}`, name, text, digest: digestOf(text) };
}

Deno.test("trustState() trusts a file at its path with its content, and no other", () =>
  withProject(async ({ base, env, path, read }) => {
    assert.equal(trustState(read(), env).state, "unknown");
    assert.equal(recordTrust(read(), [], "command", env).ok, true);
    assert.equal(trustState(read(), env).state, "trusted");

    const copy = join(base, "copy.toml");
    await Deno.copyFile(path, copy);
    const other = readConfigFile(copy);
    assert.ok(other.ok);
    assert.equal(trustState(other.value, env).state, "unknown");

    await Deno.writeTextFile(path, "# two\n");
    assert.equal(trustState(read(), env).state, "changed");
    await Deno.writeTextFile(path, "# one\n");
    assert.equal(trustState(read(), env).state, "trusted");
  }));

Deno.test("forgetTrust() takes trust back", () =>
  withProject(({ env, path, read }) => {
    recordTrust(read(), [], "command", env);
    assert.deepEqual(trustRecords(env).map((record) => record.path), [path]);
    assert.equal(forgetTrust(path, env), true);
    assert.equal(forgetTrust(path, env), false);
    assert.equal(trustState(read(), env).state, "unknown");
    assert.deepEqual(trustRecords(env), []);
  }));

Deno.test("trustState() trusts nothing on a damaged record", () =>
  withProject(async ({ env, read }) => {
    recordTrust(read(), [], "command", env);
    const directory = join(env.XDG_DATA_HOME, "firma/trust");
    const [record] = [...Deno.readDirSync(directory)];
    const file = join(directory, record!.name);
    for (const text of ["", "{", "null", "[]", '{"path":1}', "{}"]) {
      await Deno.writeTextFile(file, text);
      assert.equal(trustState(read(), env).state, "unknown", text);
    }
  }));

Deno.test("recordTrust() keeps its records where only this user gets at them", () =>
  withProject(async ({ env, read }) => {
    recordTrust(read(), [], "scaffold", env);
    const directory = join(env.XDG_DATA_HOME, "firma/trust");
    assert.equal((await Deno.stat(directory)).mode! & 0o777, 0o700);
    const [record] = [...Deno.readDirSync(directory)];
    assert.equal((await Deno.stat(join(directory, record!.name))).mode! & 0o777, 0o600);
  }));

Deno.test("changesSince() names what was added, changed and removed", () =>
  withProject(({ env, read }) => {
    recordTrust(read(), [policy("a", "1"), policy("b", "1"), policy("c", "1")], "command", env);
    const now = [policy("a", "1"), policy("b", "2"), policy("d", "1")];
    const trust = trustState(read(), env);
    assert.ok(trust.state === "trusted");
    assert.deepEqual(changesSince(trust.record, now), ["b changed", "c removed", "d added"]);
    rememberFiles(trust.record, now, env);
    const later = trustState(read(), env);
    assert.ok(later.state === "trusted");
    assert.deepEqual(changesSince(later.record, now), []);
  }));

// Attack: an agent in a parent directory renames the project and puts up a double.
Deno.test("directoryReplaced() notices a double of the directory", () =>
  withProject(async ({ env, path, read }) => {
    recordTrust(read(), [], "command", env);
    const trust = trustState(read(), env);
    assert.ok(trust.state === "trusted");
    assert.equal(directoryReplaced(trust.record), false);
    const directory = join(path, "..");
    await Deno.rename(directory, `${directory}.old`);
    await Deno.mkdir(directory);
    await Deno.copyFile(`${directory}.old/firma.toml`, path);
    assert.equal(directoryReplaced(trust.record), true);
  }));

Deno.test("trustState() says whose the records are when this user may not read them", () =>
  withProject(({ env, read }) => {
    assert.equal(trustState(read(), env).state, "unknown");
    const trust = join(env.XDG_DATA_HOME, "firma/trust");
    Deno.mkdirSync(join(trust, ".."), { recursive: true });
    Deno.writeTextFileSync(
      trust,
      "a file in place of the directory, which root cannot read either",
    );
    const expected = { message: /Cannot read what you trust in ".*\/firma\/trust": / };
    assert.throws(() => trustState(read(), env), expected);
    assert.throws(() => trustRecords(env), expected);
  }));
