/** What an agent can leave behind for whoever brings its deletions back. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Bench } from "./support.ts";

async function withVictim(
  attack: (bench: Bench, victim: string) => void,
  check: (bench: Bench, victim: string, result: ReturnType<Bench["bringBack"]>) => void,
  force: boolean,
): Promise<void> {
  await using bench = await Bench.create();
  const victim = join(bench.base, "victim");
  Deno.mkdirSync(victim);
  Deno.writeTextFileSync(join(victim, "passwd"), "root");
  bench.write("etc/passwd", "ours");
  bench.write("etc/deep/file", "deep");
  bench.write("plain", "plain");
  const manifest = bench.take();
  attack(bench, victim);
  check(bench, victim, bench.bringBack(manifest, { force }));
  assert.deepEqual([...Deno.readDirSync(victim)].map(({ name }) => name), ["passwd"]);
  assert.equal(Deno.readTextFileSync(join(victim, "passwd")), "root");
}

for (const force of [false, true]) {
  const how = force ? "with --force" : "without --force";

  Deno.test(`bringBack() ${how} writes nothing through a link in place of a directory`, () =>
    withVictim(
      (bench, victim) => {
        Deno.removeSync(bench.path("etc"), { recursive: true });
        Deno.symlinkSync(victim, bench.path("etc"));
      },
      (bench, _victim, { failed, restored, replaced }) => {
        if (force) {
          // The control: the link has given way to the directory that was there.
          assert.ok(Deno.lstatSync(bench.path("etc")).isDirectory);
          assert.equal(bench.read("etc/passwd"), "ours");
          assert.deepEqual([failed, replaced], [[], ["etc"]]);
        } else {
          assert.equal(Deno.readLinkSync(bench.path("etc")), join(bench.base, "victim"));
          assert.ok(failed.some(({ path }) => path === "etc/passwd"));
          assert.deepEqual(restored, []);
        }
      },
      force,
    ));

  Deno.test(`bringBack() ${how} writes nothing through a link in place of a file`, () =>
    withVictim(
      (bench, victim) => {
        for (const name of ["plain", "etc/passwd"]) {
          Deno.removeSync(bench.path(name));
          Deno.symlinkSync(join(victim, name === "plain" ? "new" : "passwd"), bench.path(name));
        }
      },
      (bench, _victim, { changed, replaced }) => {
        assert.deepEqual((force ? replaced : changed).toSorted(), ["etc/passwd", "plain"]);
        assert.equal(Deno.lstatSync(bench.path("plain")).isSymlink, !force);
        if (force) assert.equal(bench.read("etc/passwd"), "ours");
      },
      force,
    ));

  Deno.test(`bringBack() ${how} does not wait for a pipe in place of a file`, () =>
    withVictim(
      (bench) => {
        Deno.removeSync(bench.path("plain"));
        new Deno.Command("mkfifo", { args: [bench.path("plain")] }).outputSync();
      },
      (bench, _victim, { changed, replaced }) => {
        assert.deepEqual(force ? replaced : changed, ["plain"]);
        if (force) assert.equal(bench.read("plain"), "plain");
      },
      force,
    ));
}

Deno.test("takeSnapshot() follows no link, and does not wait for a pipe", async () => {
  await using bench = await Bench.create();
  Deno.mkdirSync(join(bench.base, "outside"));
  Deno.writeTextFileSync(join(bench.base, "outside/secret"), "secret");
  Deno.symlinkSync(join(bench.base, "outside"), bench.path("out"));
  Deno.symlinkSync("/", bench.path("root"));
  await new Deno.Command("mkfifo", { args: [bench.path("pipe")] }).output();
  const { entries } = bench.take();
  assert.deepEqual(entries.map(({ path, kind }) => [path, kind]).toSorted(), [
    ["out", "link"],
    ["root", "link"],
  ]);
});

Deno.test("a file that keeps its size and times is seen to be overwritten", async () => {
  await using bench = await Bench.create();
  bench.write("a", "before");
  const { mtime, atime } = Deno.statSync(bench.path("a"));
  const manifest = bench.take();
  bench.write("a", "after!");
  Deno.utimeSync(bench.path("a"), atime!, mtime!);
  assert.deepEqual(bench.losses(manifest).changed, ["a"]);
  // The control: the same bytes at another time are no loss.
  bench.write("a", "before");
  assert.deepEqual(bench.losses(manifest).changed, []);
});

Deno.test("what firma itself puts into a workspace is nobody's loss", async () => {
  await using bench = await Bench.create();
  bench.write(".vscode/x", "");
  bench.write("a", "");
  const manifest = bench.take();
  Deno.removeSync(bench.path(".vscode"), { recursive: true });
  Deno.removeSync(bench.path("a"));
  assert.deepEqual(bench.losses(manifest, [".vscode", ".vscode/x"]).deleted, ["a"]);
});
