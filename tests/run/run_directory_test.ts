import assert from "node:assert/strict";
import { join } from "node:path";
import { newId } from "../../src/core/id.ts";
import { createRunDirectory, removeAbandonedRuns } from "../../src/run/run_directory.ts";

async function withState(
  test: (env: { FIRMA_STATE_DIR: string }, runs: string) => void | Promise<void>,
): Promise<void> {
  const base = await Deno.realPath(await Deno.makeTempDir());
  try {
    await test({ FIRMA_STATE_DIR: join(base, "s") }, join(base, "s/run"));
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

const LONG_AGO = new Date(Date.now() - 3_600_000);

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

Deno.test("createRunDirectory() makes a directory for this user alone, and removes it", () =>
  withState((env, runs) => {
    const id = newId("sbx");
    const made = createRunDirectory(id, env);
    assert.ok(made.ok);
    assert.equal(made.value.path, join(runs, id));
    assert.equal(Deno.statSync(made.value.path).mode! & 0o777, 0o700);
    made.value[Symbol.dispose]();
    assert.equal(exists(made.value.path), false);
  }));

Deno.test("createRunDirectory() refuses a state directory in which no socket would fit", () =>
  withState((env) => {
    const made = createRunDirectory(newId("sbx"), {
      FIRMA_STATE_DIR: join(env.FIRMA_STATE_DIR, "x".repeat(80)),
    });
    assert.ok(!made.ok && made.error.code === "STATE_DIR_TOO_LONG");
  }));

Deno.test("removeAbandonedRuns() removes what dead runs left, and nothing else", () =>
  withState(async (env, runs) => {
    const live = createRunDirectory(newId("sbx"), env);
    const dead = createRunDirectory(newId("sbx"), env);
    assert.ok(live.ok && dead.ok);
    // The lock of the dead one goes with its process; here with the file.
    await Deno.remove(join(dead.value.path, "owner.lock"));
    await Deno.mkdir(join(dead.value.path, "w0"));
    const young = join(runs, newId("sbx"));
    const foreign = join(runs, "something-else");
    await Deno.mkdir(young);
    await Deno.mkdir(foreign);
    for (const path of [live.value.path, dead.value.path, foreign]) {
      await Deno.utime(path, LONG_AGO, LONG_AGO);
    }
    removeAbandonedRuns(env);
    assert.deepEqual(
      [live.value.path, dead.value.path, young, foreign].map(exists),
      [true, false, true, true],
    );
    live.value[Symbol.dispose]();
  }));

// Attack: a directory that another process locks, to see whether the lock counts across processes.
Deno.test("removeAbandonedRuns() sees the locks of other processes", () =>
  withState(async (env) => {
    const script = `
      import { createRunDirectory } from ${
      JSON.stringify(import.meta.resolve("../../src/run/run_directory.ts"))
    };
      const made = createRunDirectory(${JSON.stringify(newId("sbx"))}, ${JSON.stringify(env)});
      console.log(made.ok ? made.value.path : "");
      for await (const _ of Deno.stdin.readable);
    `;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--quiet",
        "--ext=ts",
        `data:text/typescript,${encodeURIComponent(script)}`,
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
    const path = (await lines.next()).value!.trim();
    await Deno.utime(path, LONG_AGO, LONG_AGO);
    removeAbandonedRuns(env);
    assert.equal(exists(path), true);
    child.kill("SIGKILL");
    await Promise.all([child.status, child.stdin.close().catch(() => {})]);
    removeAbandonedRuns(env);
    assert.equal(exists(path), false);
    await lines.return?.();
  }));
