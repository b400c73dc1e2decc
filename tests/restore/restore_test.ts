import assert from "node:assert/strict";
import { join } from "node:path";
import type { Manifest } from "../../src/restore/manifest.ts";
import { Bench } from "./support.ts";

/** A little of everything that a workspace holds. */
async function furnish(bench: Bench): Promise<void> {
  bench.write("src/main.ts", "export const answer = 42;\n");
  bench.write("src/deep/er/file", "x".repeat(100_000));
  bench.write("bin/run", "#!/bin/sh\n");
  Deno.chmodSync(bench.path("bin/run"), 0o750);
  bench.write("large", crypto.getRandomValues(new Uint8Array(60_000)));
  await Deno.truncate(bench.path("large"), 3 << 20);
  bench.write("empty", "");
  Deno.mkdirSync(bench.path("hollow/inner"), { recursive: true, mode: 0o700 });
  Deno.symlinkSync("main.ts", bench.path("src/link"));
  Deno.symlinkSync("/nowhere/at/all", bench.path("dangling"));
  // Names that are no UTF-8, and one that a terminal would obey.
  const { code } = await new Deno.Command("python3", {
    args: [
      "-c",
      'import os; [open(n, "wb").write(n) for n in (b"\\xff\\xc3\\xa9\\xc3", b"a\\x1b[2J\\n")]',
    ],
    cwd: bench.workspace,
  }).output();
  assert.equal(code, 0);
  const touched = await new Deno.Command("sh", {
    args: ["-c", "find . -exec touch -h -d '2020-02-03 04:05:06.123456789' {} +"],
    cwd: bench.workspace,
  }).output();
  assert.equal(touched.code, 0);
}

function removeAll(bench: Bench): void {
  for (const { name } of Deno.readDirSync(bench.workspace)) {
    if (!name.includes("\ufffd")) Deno.removeSync(bench.path(name), { recursive: true });
  }
}

async function wipe(bench: Bench): Promise<void> {
  removeAll(bench);
  await new Deno.Command("find", {
    args: [".", "-mindepth", "1", "-delete"],
    cwd: bench.workspace,
  }).output();
  assert.deepEqual([...Deno.readDirSync(bench.workspace)], []);
}

Deno.test("bringBack() brings everything back: bytes, modes, times, links, empty directories", async () => {
  await using bench = await Bench.create();
  await furnish(bench);
  const before = await bench.picture();
  const manifest = bench.take();
  assert.deepEqual(bench.losses(manifest), { deleted: [], changed: [] });
  await wipe(bench);
  const { header } = manifest;
  assert.equal(bench.losses(manifest).deleted.length, header.files + header.links);
  const { failed, restored } = bench.bringBack(manifest);
  assert.deepEqual(failed, []);
  assert.equal(restored.length, header.files + header.links + header.directories);
  assert.equal(await bench.picture(), before);
});

Deno.test("bringBack() leaves what changed alone unless it is told to, and what is new always", async () => {
  await using bench = await Bench.create();
  bench.write("kept", "kept");
  bench.write("changed", "before");
  bench.write("emptied", "before");
  bench.write("gone", "gone");
  bench.write("turned", "a file");
  Deno.symlinkSync("kept", bench.path("link"));
  const manifest = bench.take();
  bench.write("changed", "after!");
  bench.write("emptied", "");
  bench.write("new", "new");
  for (const name of ["gone", "turned", "link"]) Deno.removeSync(bench.path(name));
  Deno.mkdirSync(bench.path("turned"));
  Deno.symlinkSync("new", bench.path("link"));
  const changed = ["changed", "emptied", "link", "turned"];
  assert.deepEqual(bench.losses(manifest), { deleted: ["gone"], changed });
  const plan = bench.bringBack(manifest, { dryRun: true, force: true });
  assert.deepEqual([plan.restored, plan.replaced.toSorted()], [["gone"], changed]);
  assert.equal(bench.read("changed"), "after!");
  const first = bench.bringBack(manifest);
  assert.deepEqual([first.restored, first.changed.toSorted()], [["gone"], changed]);
  assert.equal(bench.read("changed"), "after!");
  const forced = bench.bringBack(manifest, { force: true });
  assert.deepEqual(forced.replaced.toSorted(), ["changed", "emptied", "link"]);
  // Whatever the directory holds by now is not firma's to delete.
  assert.deepEqual(forced.failed, [{ path: "turned", reason: "it is a directory" }]);
  assert.deepEqual(
    ["changed", "emptied", "new"].map((name) => bench.read(name)),
    ["before", "before", "new"],
  );
  assert.equal(Deno.readLinkSync(bench.path("link")), "kept");
});

Deno.test("bringBack() brings back only what is named, and the directories on the way", async () => {
  await using bench = await Bench.create();
  bench.write("a/b/one", "1");
  bench.write("a/two", "2");
  bench.write("ab", "3");
  const manifest = bench.take();
  removeAll(bench);
  assert.deepEqual(bench.bringBack(manifest, { only: ["a/b"] }).restored, ["a", "a/b", "a/b/one"]);
  assert.deepEqual(bench.losses(manifest).deleted, ["a/two", "ab"]);
});

Deno.test("takeSnapshot() takes over what has not changed, and only that", async () => {
  await using bench = await Bench.create();
  bench.write("same", "same");
  bench.write("swapped", "old!");
  // What changed just now may change again at what a coarse clock takes for the same moment.
  const young = bench.take();
  assert.equal(bench.take({ previous: young }).header.copiedBytes, 8);
  const older = { ...young, header: { ...young.header, takenMs: young.header.takenMs + 60_000 } };
  const { mtime } = Deno.statSync(bench.path("swapped"));
  bench.write("swapped", "new!");
  Deno.utimeSync(bench.path("swapped"), mtime!, mtime!);
  const next = bench.take({ previous: older });
  assert.equal(next.header.copiedBytes, 4);
  assert.equal(next.header.bytes, 8);
  removeAll(bench);
  bench.bringBack(next);
  assert.deepEqual([bench.read("same"), bench.read("swapped")], ["same", "new!"]);
});

Deno.test("pruneSnapshots() keeps what newer snapshots share, and nothing else", async () => {
  await using bench = await Bench.create();
  bench.write("same", "same");
  const first = bench.take();
  const old = { ...first, header: { ...first.header, takenMs: first.header.takenMs + 60_000 } };
  bench.write("more", "more");
  const second = bench.take({ previous: old });
  Deno.mkdirSync(join(bench.store, "sbx_00000000000000000000000000"));
  Deno.writeTextFileSync(join(bench.store, "sbx_00000000000000000000000000/pack"), "torn");
  bench.prune(1);
  assert.deepEqual(
    [...Deno.readDirSync(bench.store)].map(({ name }) => name).sort(),
    [first.header.id, second.header.id].sort(),
  );
  removeAll(bench);
  bench.bringBack(second);
  assert.deepEqual([bench.read("same"), bench.read("more")], ["same", "more"]);
  bench.prune(0, 86_400_000, [second.header.id]);
  assert.equal([...Deno.readDirSync(bench.store)].length, 2);
  bench.prune(1, -1);
  assert.deepEqual([...Deno.readDirSync(bench.store)], []);
});

Deno.test("takeSnapshot() says what it leaves out", async () => {
  await using bench = await Bench.create();
  bench.write("node_modules/a/b", "regenerated");
  bench.write("state/keys", "hidden");
  bench.write("big", "x".repeat(101));
  bench.write("small", "x");
  await new Deno.Command("mkfifo", { args: [bench.path("pipe")] }).output();
  let depth = "d";
  for (let i = 0; i < 220; i++) depth += "/d";
  Deno.mkdirSync(bench.path(depth), { recursive: true });
  const { header, entries } = bench.take({
    exclude: ["node_modules"],
    hidden: [bench.path("state")],
    maxFileSize: 100,
  });
  assert.deepEqual(
    header.unprotected.map(({ path, reason }) => [path.slice(0, 12), reason]).toSorted(),
    [
      ["big", "too large"],
      ["d/d/d/d/d/d/", "too deep"],
      ["node_modules", "excluded"],
      ["pipe", "special file"],
    ],
  );
  assert.ok(entries.every(({ path }) => !path.startsWith("state")));
  assert.equal(header.files, 1);
});

Deno.test("takeSnapshot() leaves out what runs put into a workspace and take away again", async (t) => {
  await using bench = await Bench.create();
  const own = {
    ".envrc": "use flake\n",
    ".vscode/tasks.json": "{}",
    "empty": "",
    "deep/.idea/x": "",
  };
  for (const [path, text] of Object.entries(own)) bench.write(path, text);
  for (
    const path of [
      ".mcp.json",
      ".claude/settings.json",
      "deep/.envrc",
      "deep/.claude/settings.json",
    ]
  ) {
    bench.write(path, "");
  }
  for (const path of [".zed", ".github/hooks", "deep/.zed", "hooks"]) {
    Deno.mkdirSync(bench.path(path), { recursive: true });
  }
  const placeholders = [
    ...[".envrc", ".mcp.json", ".vscode", ".idea", ".zed"],
    ...[".claude/settings.json", ".github/hooks"],
  ];
  const expected = [
    ...[".envrc", ".vscode", ".vscode/tasks.json", "deep", "deep/.idea", "deep/.idea/x"],
    ...["empty", "hooks"],
  ];
  const pathsOf = ({ entries }: Manifest) => entries.map(({ path }) => path).sort();
  const everything = bench.take();
  await t.step("by default all of it is there", () => {
    assert.ok(pathsOf(everything).includes("deep/.claude/settings.json"));
  });
  for (const previous of [undefined, everything]) {
    await t.step(previous ? "though an earlier snapshot holds them" : "at first", () => {
      const taken = bench.take({ placeholders, previous });
      assert.deepEqual(pathsOf(taken), expected);
      assert.equal(taken.header.files, 4);
    });
  }
});

Deno.test("a storm of deletions is seen whole and comes back byte for byte", async () => {
  await using bench = await Bench.create();
  for (let i = 0; i < 2_000; i++) bench.write(`d${i % 50}/f${i}`, `content ${i} `.repeat(i % 40));
  const before = await bench.picture();
  const manifest = bench.take();
  removeAll(bench);
  assert.equal(bench.losses(manifest).deleted.length, 2_000);
  assert.deepEqual(bench.bringBack(manifest).failed, []);
  assert.equal(await bench.picture(), before);
});
