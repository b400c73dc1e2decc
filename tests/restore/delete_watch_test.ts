import assert from "node:assert/strict";
import { join } from "node:path";
import { newId } from "../../src/core/id.ts";
import { type DeleteWatch, startDeleteWatch } from "../../src/restore/delete_watch.ts";
import type { LossReport, WatchOrder } from "../../src/restore/messages.ts";
import { storeDir } from "../../src/restore/store.ts";
import { eventually } from "../fixtures/deadline.ts";
import { Bench } from "./support.ts";

/** Starts a watch over the workspace of a bench; its snapshots lie beside it. */
function watchOver(bench: Bench, changes: Partial<WatchOrder> = {}, onProgress = () => {}) {
  const env = { XDG_DATA_HOME: join(bench.base, "data"), FIRMA_STATE_DIR: join(bench.base, "s") };
  const order = {
    env,
    workspace: bench.workspace,
    id: newId("sbx"),
    exclude: [],
    hidden: [],
    placeholders: [],
    maxFileSize: 2 ** 30,
    maxTotalSize: 2 ** 30,
    keepCount: 3,
    keepMs: 86_400_000,
    ...changes,
  };
  const store = storeDir(env, bench.workspace);
  const watch = startDeleteWatch({ order, onProgress });
  return { watch, stored: () => [...Deno.readDirSync(store)].map(({ name }) => name).sort() };
}

/** Begins to watch; what was reported comes in the list, the last one last. */
async function begin(watch: DeleteWatch, ignored: readonly string[] = []): Promise<LossReport[]> {
  const taken = await watch.taken;
  assert.ok(taken.ok, JSON.stringify(taken));
  const reports: LossReport[] = [];
  watch.watch(ignored, (report) => reports.push(report));
  await watch.look();
  return reports;
}

Deno.test("DeleteWatch sees every file of a storm go while it happens, and says so once more at the end", async () => {
  await using bench = await Bench.create();
  for (let i = 0; i < 800; i++) bench.write(`d${i % 40}/f${i}`, "x");
  const { watch } = watchOver(bench);
  await using _watch = watch;
  const reports = await begin(watch);
  for (let i = 0; i < 40; i++) Deno.removeSync(bench.path(`d${i}`), { recursive: true });
  await eventually("all of it", () => reports.at(-1)?.deleted === 800 || undefined);
  assert.ok(reports.every(({ newlyDeleted }) => newlyDeleted.length <= 20));
  assert.equal((await watch.finish())?.deleted, 800);
});

Deno.test("DeleteWatch takes back what is there again, and tells what was overwritten", async () => {
  await using bench = await Bench.create();
  bench.write("a/one", "1");
  bench.write("a/two", "2");
  bench.write(".vscode/settings.json", "");
  const { watch } = watchOver(bench);
  await using _watch = watch;
  const reports = await begin(watch, [".vscode", ".vscode/settings.json"]);
  const reported = (deleted: number, changed: number) =>
    eventually(
      () => `${deleted} and ${changed} in ${JSON.stringify(reports)}`,
      () => {
        const last = reports.at(-1);
        return last?.deleted === deleted && last.changed === changed ? last : undefined;
      },
    );
  Deno.renameSync(bench.path("a"), bench.path("b"));
  assert.deepEqual((await reported(2, 0)).newlyDeleted.toSorted(), ["a/one", "a/two"]);
  Deno.renameSync(bench.path("b"), bench.path("a"));
  await reported(0, 0);
  // The directory is another one to the kernel by now.
  bench.write("a/two", "other");
  assert.deepEqual((await reported(0, 1)).newlyChanged, ["a/two"]);
  Deno.removeSync(bench.path(".vscode"), { recursive: true });
  bench.write("a/new", "");
  Deno.removeSync(bench.path("a/new"));
  const last = await watch.finish();
  assert.deepEqual([last?.deleted, last?.changed], [0, 1]);
});

Deno.test("DeleteWatch looks at nothing behind a link that an agent made", async () => {
  await using bench = await Bench.create();
  bench.write("src/file", "ours");
  const { watch } = watchOver(bench);
  await using _watch = watch;
  const reports = await begin(watch);
  Deno.mkdirSync(join(bench.base, "outside"));
  Deno.writeTextFileSync(join(bench.base, "outside/file"), "ours");
  Deno.removeSync(bench.path("src"), { recursive: true });
  Deno.symlinkSync(join(bench.base, "outside"), bench.path("src"));
  await eventually("the loss", () => reports.at(-1)?.deleted === 1 || undefined);
  assert.equal((await watch.finish())?.deleted, 1);
});

Deno.test("DeleteWatch that is ended before its snapshot is whole leaves nothing behind", async () => {
  await using bench = await Bench.create();
  for (let i = 0; i < 1_200; i++) bench.write(`f${i}`, "x".repeat(1_000));
  const { promise: isAtIt, resolve } = Promise.withResolvers<void>();
  const { watch, stored } = watchOver(bench, {}, resolve);
  await isAtIt;
  await watch[Symbol.asyncDispose]();
  const taken = await watch.taken;
  // A machine may be through before it is told; then there is a whole one.
  if (taken.ok) assert.equal(stored().length, 2);
  else {
    assert.equal(taken.error.code, "SNAPSHOT_CANCELLED");
    assert.deepEqual(stored(), ["lock"]);
  }
});

Deno.test("DeleteWatch says why there is no snapshot, and keeps those there are", async () => {
  await using bench = await Bench.create();
  bench.write("file", "1");
  const first = watchOver(bench);
  assert.ok((await first.watch.taken).ok);
  await first.watch[Symbol.asyncDispose]();
  assert.equal(Deno.statSync(join(bench.base, "data/firma/snapshots")).mode! & 0o777, 0o700);
  const second = watchOver(bench, { workspace: join(bench.base, "gone") });
  const taken = await second.watch.taken;
  assert.ok(!taken.ok && taken.error.code === "SNAPSHOT_FAILED", JSON.stringify(taken));
  assert.match(taken.error.message, /no such file or directory/);
  await second.watch[Symbol.asyncDispose]();
  assert.equal(first.stored().length, 2);
});
