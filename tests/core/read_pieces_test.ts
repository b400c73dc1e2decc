import assert from "node:assert/strict";
import { readPieces } from "../../src/core/read_pieces.ts";

function source(...pieces: (string | null | Error)[]) {
  return {
    read(into: Uint8Array): Promise<number | null> {
      const next = pieces.shift() ?? null;
      if (next instanceof Error) return Promise.reject(next);
      if (next === null) return Promise.resolve(null);
      return Promise.resolve(new TextEncoder().encodeInto(next, into).written);
    },
  };
}

async function read(from: ReturnType<typeof source>): Promise<string[]> {
  const pieces = await Array.fromAsync(readPieces(from));
  return pieces.map((piece) => new TextDecoder().decode(piece));
}

Deno.test("readPieces() gives what comes, as it comes, until the end", async () => {
  assert.deepEqual(await read(source("one", "two", null, "late")), ["one", "two"]);
  assert.deepEqual(await read(source()), []);
});

Deno.test("readPieces() fails as its source does", async () => {
  await assert.rejects(read(source("one", new Error("broke"))), /broke/);
});
