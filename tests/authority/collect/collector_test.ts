import assert from "node:assert/strict";
import { inTempDir } from "../../audit/sample.ts";
import { collectInto, kept, sidecar } from "./support.ts";

/** Every line that is kept, by file, relative to the collection. */
async function filesBelow(directory: string, below = ""): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(`${directory}/${below}`)) {
    const path = below === "" ? name : `${below}/${name}`;
    if (isDirectory) Object.assign(found, await filesBelow(directory, path));
    else if (name.startsWith("lines-")) {
      found[path.replace(/^([^/]+)\/[0-9a-f]{16}/, "$1")] = await Deno.readTextFile(
        `${directory}/${path}`,
      );
    }
  }
  return found;
}

const texts = (lines: readonly Uint8Array[]) =>
  lines.map((line) => `${new TextDecoder().decode(line)}\n`).join("");

Deno.test("Collector.receive() keeps lines as they are, once, and says up to which", async () => {
  await inTempDir(async (dir) => {
    const { open, close, reports } = collectInto(dir);
    const collector = open();
    const { log, lines } = sidecar();
    const [first, second] = [lines(5), lines(3)];
    assert.equal(kept(await collector.receive(log, first)).seq, 5);
    assert.equal(kept(await collector.receive(log, [...first.slice(2), ...second])).seq, 8);
    assert.equal(kept(await collector.receive(log, first)).seq, 8);
    await close();
    assert.deepEqual(await filesBelow(dir), {
      "build-1/1-from-1/lines-0000000000000001.jsonl": texts([...first, ...second]),
    });
    assert.deepEqual(reports, []);
  });
});

Deno.test("Collector goes on after a crash, with a torn line and a tree that is behind", async () => {
  await inTempDir(async (dir) => {
    const { open, close, reports } = collectInto(dir);
    const { log, lines } = sidecar();
    const [first, second] = [lines(50), lines(3)];
    kept(await open().receive(log, first));
    await close();
    const [id] = [...Deno.readDirSync(`${dir}/build-1`)].map(({ name }) => name);
    const branch = `${dir}/build-1/${id}/1-from-1`;
    const file = `${branch}/lines-0000000000000001.jsonl`;
    await Deno.writeFile(file, second[0]!.subarray(0, 40), { append: true });
    await Deno.truncate(`${branch}/lines.tree`, 700);
    const collector = open();
    assert.equal(kept(await collector.resume(log, 53)).seq, 50);
    assert.equal(kept(await collector.receive(log, [...first.slice(45), ...second])).seq, 53);
    await close();
    assert.equal(await Deno.readTextFile(file), texts([...first, ...second]));
    assert.deepEqual(reports, []);
  });
});

Deno.test("Collector refuses what the key of the log has not signed, and keeps what came before", async () => {
  await inTempDir(async (dir) => {
    const { open, close, reports } = collectInto(dir);
    const collector = open();
    const honest = sidecar();
    const lines = honest.lines(4);
    const changed = new TextEncoder().encode(
      new TextDecoder().decode(lines[2]).replace('"ALLOW"', '"DENY"'),
    );
    const mallory = sidecar().lines(3)[2]!;
    for (const forgery of [changed, mallory, new TextEncoder().encode("{}")]) {
      const answer = await collector.receive(honest.log, [lines[0]!, lines[1]!, forgery]);
      assert.equal(answer.ok ? "" : answer.error.kind, "forged");
    }
    assert.equal(kept(await collector.resume(honest.log, 4)).seq, 2);
    assert.equal(kept(await collector.receive(honest.log, lines)).seq, 4);
    await close();
    assert.equal(reports.length, 2);
    assert.match(reports[0]!, /not to be trusted from line 3 on \(forged\)/);
  });
});

Deno.test("Collector keeps both sides of a fork, a gap and a truncation, and reports each once", async () => {
  const cases: Record<string, [(s: ReturnType<typeof sidecar>) => Uint8Array[], RegExp]> = {
    "another line in place of one that was shipped": [
      (s) => s.lines(2, { seq: 2, hash: s.head.hash }),
      /line 3 on \(fork\): it shipped 5 lines, and now it ships another line 3/,
    ],
    "a next line that follows another log": [
      (s) => s.lines(2, { seq: 5, hash: "ab".repeat(32) }),
      /line 6 on \(fork\): line 6 does not follow/,
    ],
    "lines left out": [
      (s) => s.lines(4).slice(2),
      /line 8 on \(gap\): the lines 6 to 7 never arrived/,
    ],
    "lines in another order": [
      (s) => s.lines(3).toReversed(),
      /line 8 on \(gap\)/,
    ],
  };
  for (const [name, [attack, expected]] of Object.entries(cases)) {
    await inTempDir(async (dir) => {
      const { open, close, reports } = collectInto(dir);
      const collector = open();
      const attacker = sidecar();
      const before = attacker.lines(5);
      kept(await collector.receive(attacker.log, before));
      const sent = attack(attacker);
      kept(await collector.receive(attacker.log, sent));
      await close();
      assert.match(reports[0] ?? "", expected, name);
      const files = await filesBelow(dir);
      assert.equal(files["build-1/1-from-1/lines-0000000000000001.jsonl"], texts(before), name);
      const all = Object.values(files).join("");
      for (const line of sent) assert.ok(all.includes(new TextDecoder().decode(line)), name);
    });
  }
});

Deno.test("Collector follows a log from key to key, and takes nothing more of one that handed over", async () => {
  await inTempDir(async (dir) => {
    const { open, close, reports } = collectInto(dir);
    const first = sidecar();
    const second = sidecar();
    const before = [...first.lines(3), first.handOver(second.key.publicKey)];
    const after = second.lines(3, first.head);
    kept(await open().receive(first.log, before));
    await close();
    const collector = open();
    assert.equal(kept(await collector.receive(first.log, [...before, ...after])).seq, 7);
    assert.deepEqual(reports, []);
    const late = first.lines(1, second.head);
    const answer = await collector.receive(first.log, late);
    assert.equal(answer.ok ? "" : answer.error.kind, "forged");
    assert.equal(kept(await collector.resume(first.log, 7)).seq, 7);
    await close();
  });
});

Deno.test("Collector.resume() reports a log that became shorter, once", async () => {
  await inTempDir(async (dir) => {
    const { open, close, reports } = collectInto(dir);
    const { log, lines } = sidecar();
    kept(await open().receive(log, lines(5)));
    await close();
    const collector = open();
    kept(await collector.resume(log, 5));
    assert.deepEqual(reports, []);
    kept(await collector.resume(log, 3));
    kept(await collector.resume(log, 3));
    await close();
    kept(await open().resume(log, 3));
    await close();
    assert.equal(reports.length, 1);
    assert.match(reports[0]!, /line 4 on \(truncated\): it ends with line 3 now/);
  });
});

Deno.test("Collector takes a log from nobody but the client that shipped it first", async () => {
  await inTempDir(async (dir) => {
    const { open, close, reports } = collectInto(dir);
    const collector = open();
    const owner = sidecar("build-1");
    const lines = owner.lines(4);
    kept(await collector.receive(owner.log, lines.slice(0, 2)));
    const thief = { ...owner.log, sidecar: "build-2" };
    for (const attempt of [collector.receive(thief, lines), collector.resume(thief, 4)]) {
      const answer = await attempt;
      assert.equal(answer.ok ? "" : answer.error.kind, "not yours");
    }
    // Whoever knows a key and no line of its log claims nothing.
    const other = sidecar("build-3");
    await collector.receive({ ...other.log, sidecar: "build-2" }, [lines[0]!]);
    kept(await collector.receive(other.log, other.lines(1)));
    await close();
    assert.match(reports[0]!, /"build-2" ships the audit log .* which is that of "build-1"/);
    assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name).sort(), [
      ".lock",
      "build-1",
      "build-3",
    ]);
  });
});

Deno.test("FileCollection gives clients directories, whatever they are called", async () => {
  await inTempDir(async (dir) => {
    const { open, close } = collectInto(`${dir}/collected`);
    const collector = open();
    for (const name of ["..", ".", "a/b", "", "x".repeat(400), "ä\n\u202e"]) {
      const { log, lines } = sidecar(name);
      assert.equal(kept(await collector.receive(log, lines(1))).seq, 1);
    }
    const names = [...Deno.readDirSync(`${dir}/collected`)].map(({ name }) => name);
    await close();
    assert.equal(names.length, 7);
    for (const name of names) assert.match(name, /^(?:\.lock|[\w%.~-]{1,160})$/);
    assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name), ["collected"]);
  });
});

Deno.test("FileCollection.open() refuses a directory that another Authority collects in", async () => {
  await inTempDir(async (dir) => {
    const [first, second] = [collectInto(dir), collectInto(dir)];
    first.open();
    assert.throws(() => second.open(), /another Authority does/);
    await first.close();
    second.open();
    await second.close();
  });
});
