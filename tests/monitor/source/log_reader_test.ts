import assert from "node:assert/strict";
import fc from "fast-check";
import { LogReader } from "../../../src/monitor/source/log_reader.ts";
import { inTempDir } from "../../audit/sample.ts";
import { eventually } from "../../fixtures/deadline.ts";

function lines(reader: LogReader): string[] {
  return Array.from(reader.read(), (line) => new TextDecoder().decode(line));
}

async function append(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(path, text, { append: true });
}

Deno.test("LogReader reads each line once, when its newline is there", () =>
  inTempDir(async (dir) => {
    const path = `${dir}/log`;
    const reader = new LogReader(path);
    assert.deepEqual(lines(reader), [], "of a file that does not exist");
    await append(path, "one\ntw");
    assert.deepEqual(lines(reader), ["one"]);
    assert.deepEqual(lines(reader), []);
    await append(path, "o\n\nfour\n");
    assert.deepEqual(lines(reader), ["two", "", "four"]);
    reader.close();
  }));

Deno.test("LogReader reads a torn line anew after a writer took it back", () =>
  inTempDir(async (dir) => {
    const path = `${dir}/log`;
    const reader = new LogReader(path);
    await append(path, "one\ntorn li");
    assert.deepEqual(lines(reader), ["one"]);
    await Deno.truncate(path, 4);
    await append(path, "two\n");
    assert.deepEqual(lines(reader), ["two"]);
    reader.close();
  }));

Deno.test("LogReader follows a rotation to the end of the old file and on", () =>
  inTempDir(async (dir) => {
    const path = `${dir}/log`;
    const reader = new LogReader(path);
    await append(path, "one\n");
    assert.deepEqual(lines(reader), ["one"]);
    await append(path, "two\n");
    await Deno.rename(path, `${path}.1`);
    assert.deepEqual(lines(reader), ["two"]);
    await append(`${path}.1`, "three\n");
    assert.deepEqual(lines(reader), ["three"], "while there is no new file");
    await append(`${path}.1`, "four\n");
    await append(path, "five\n");
    assert.deepEqual(lines(reader), ["four", "five"]);
    await append(path, "six\n");
    assert.deepEqual(lines(reader), ["six"]);
    reader.close();
  }));

Deno.test("LogReader begins again with a file that was emptied in place", () =>
  inTempDir(async (dir) => {
    const path = `${dir}/log`;
    const reader = new LogReader(path);
    await append(path, "one\ntwo\n");
    assert.deepEqual(lines(reader), ["one", "two"]);
    await Deno.truncate(path, 0);
    await append(path, "new\n");
    assert.deepEqual(lines(reader), ["new"]);
    reader.close();
  }));

Deno.test("LogReader reads what it is given, in whatever pieces it comes", () =>
  inTempDir(async (dir) => {
    const path = `${dir}/log`;
    const text = fc.string({ unit: fc.constantFrom("a", "\n", "é", "b".repeat(40_000)) });
    await fc.assert(fc.asyncProperty(fc.array(text), async (pieces) => {
      await Deno.writeTextFile(path, "");
      const reader = new LogReader(path);
      const read: string[] = [];
      for (const piece of pieces) {
        await append(path, piece);
        read.push(...lines(reader));
      }
      reader.close();
      assert.deepEqual(read, pieces.join("").split("\n").slice(0, -1));
    }));
  }));

Deno.test("LogReader reads a line that is longer than its chunks", () =>
  inTempDir(async (dir) => {
    const path = `${dir}/log`;
    await append(path, `${"x".repeat(5_000_000)}\nend\n`);
    const reader = new LogReader(path);
    assert.deepEqual(lines(reader).map((line) => line.length), [5_000_000, 3]);
    reader.close();
  }));

Deno.test("seekBack() sees whole lines from the last to the first, and goes to the last it took", () =>
  inTempDir(async (dir) => {
    const path = `${dir}/log`;
    const line = fc.string({ unit: fc.constantFrom("a", "é", "b".repeat(30_000)), maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.nat(12),
        fc.nat(3),
        fc.boolean(),
        async (all, take, look, torn) => {
          await Deno.writeTextFile(
            path,
            all.map((text) => `${text}\n`).join("") + (torn ? "torn" : ""),
          );
          const reader = new LogReader(path);
          const seen: string[] = [];
          reader.seekBack((bytes) => {
            seen.push(new TextDecoder().decode(bytes));
            if (seen.length <= take) return "take";
            return seen.length <= take + look ? "look" : "stop";
          });
          const newestFirst = [...all].reverse();
          assert.deepEqual(seen, newestFirst.slice(0, take + look + 1));
          assert.deepEqual(lines(reader), all.slice(Math.max(0, all.length - take)));
          reader.close();
        },
      ),
    );
  }));

Deno.test("seekBack() waits for a file that does not exist", () =>
  inTempDir(async (dir) => {
    const path = `${dir}/log`;
    const reader = new LogReader(path);
    reader.seekBack(() => "take");
    await append(path, "one\n");
    assert.deepEqual(lines(reader), ["one"]);
    reader.close();
  }));

Deno.test("LogReader reads every file of several rotations between two looks", () =>
  inTempDir(async (dir) => {
    const path = `${dir}/log`;
    // What was rotated before anybody looked is the past, and what is packed cannot be read.
    await append(`${path}.9`, "past\n");
    await append(path, "one\n");
    const reader = new LogReader(path);
    assert.deepEqual(lines(reader), ["one"]);
    await append(path, "two\n");
    await Deno.rename(path, `${path}.1`);
    for (const [text, shifted] of [["three", [1]], ["four", [2, 1]]] as const) {
      // Two files of one millisecond have no order.
      const born = Deno.statSync(`${path}.1`).birthtime!.getTime();
      await eventually("the next millisecond", () => Date.now() > born + 20 || undefined);
      await append(path, `${text}\n`);
      for (const n of shifted) await Deno.rename(`${path}.${n}`, `${path}.${n + 1}`);
      await Deno.rename(path, `${path}.1`);
    }
    await append(`${path}.0.gz`, "packed\n");
    await append(`${path}.checkpoint`, "a file beside the log\n");
    const born = Deno.statSync(`${path}.1`).birthtime!.getTime();
    await eventually("the next millisecond", () => Date.now() > born + 20 || undefined);
    await append(path, "five\n");
    assert.deepEqual(lines(reader), ["two", "three", "four", "five"]);
    await append(path, "six\n");
    assert.deepEqual(lines(reader), ["six"]);
    reader.close();
  }));

Deno.test("LogReader begins again with a file that was emptied and filled further than it had read", () =>
  inTempDir(async (dir) => {
    const path = `${dir}/log`;
    const reader = new LogReader(path);
    await append(path, "one\ntwo\n");
    assert.deepEqual(lines(reader), ["one", "two"]);
    await Deno.truncate(path, 0);
    await append(path, "new and longer\nlines\n");
    assert.deepEqual(lines(reader), ["new and longer", "lines"]);
    await append(path, "more\n");
    assert.deepEqual(lines(reader), ["more"], "what is unchanged is not read twice");
    reader.close();
  }));
