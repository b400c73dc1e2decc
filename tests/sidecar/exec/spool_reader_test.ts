/** What a gate wrote down is taken once, whole lines only, and nothing is made up. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { SPOOL_NAME } from "../../../src/core/local_exec.ts";
import { SpoolReader } from "../../../src/sidecar/exec/spool_reader.ts";

const LINE = `${JSON.stringify({ path: "/bin/true" })}\n`;

/** A reader of a spool in which this stands. */
async function reading(text: string, from: number, use: (reader: SpoolReader) => void) {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(directory, SPOOL_NAME), text);
    const reader = new SpoolReader(directory, from);
    use(reader);
    reader.close();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("SpoolReader takes each line once, and the rest without the line that is not whole", async () => {
  await reading(LINE.repeat(4) + LINE.slice(0, 7), 0, (reader) => {
    assert.equal(reader.take(2 * LINE.length).length, 2);
    assert.equal(reader.take(2 * LINE.length).length, 0);
    assert.deepEqual(reader.takeWritten(), [{ path: "/bin/true" }, { path: "/bin/true" }]);
    assert.deepEqual(reader.takeWritten(), []);
    assert.deepEqual(reader.take(4 * LINE.length), [], "said after it was taken");
    assert.throws(() => reader.take(3 * LINE.length), /may not/);
  });
});

Deno.test("SpoolReader begins where the one before it ended", async () => {
  await reading(LINE.repeat(3), 2 * LINE.length, (reader) => {
    assert.equal(reader.takeWritten().length, 1);
  });
});

Deno.test("SpoolReader believes no gate that tells of what is not there, or of what was", async () => {
  await reading(LINE.repeat(2), LINE.length, (reader) => {
    for (const to of [3 * LINE.length, 0, NaN, 2 ** 40]) {
      assert.throws(() => reader.take(to), /missing|may not/);
    }
    assert.equal(reader.take(2 * LINE.length).length, 1);
  });
});
