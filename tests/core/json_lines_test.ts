import assert from "node:assert/strict";
import fc from "fast-check";
import { jsonLines } from "../../src/core/json_lines.ts";

async function read(bytes: Uint8Array, size: number): Promise<unknown[]> {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return await Array.fromAsync(
    jsonLines(ReadableStream.from(chunks) as ReadableStream<Uint8Array<ArrayBuffer>>),
  );
}

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("jsonLines() reads objects however the bytes are split", () =>
  fc.assert(fc.asyncProperty(
    fc.array(fc.dictionary(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }))),
    fc.integer({ min: 1, max: 9 }),
    async (objects, size) => {
      const text = objects.map((object) => `${JSON.stringify(object)}\n`).join("");
      assert.equal(JSON.stringify(await read(encode(text), size)), JSON.stringify(objects));
    },
  )));

Deno.test("jsonLines() leaves out what is no object, and an endless line", async () => {
  const text = `\n{}x\n[1]\nnull\n"a"\n${"y".repeat(600_000)}\n{"a":1}\n{"b":`;
  assert.deepEqual(await read(encode(text), 65_536), [{ a: 1 }]);
});
