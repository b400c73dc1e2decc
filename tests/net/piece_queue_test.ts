import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { PieceQueue } from "../../src/net/piece_queue.ts";

const STEP = fc.oneof(
  fc.record({
    push: fc.oneof(fc.nat(30), fc.nat(5_000), fc.constantFrom(2_047, 2_048, 16_384, 16_385)),
    slack: fc.nat(100_000),
    copied: fc.boolean(),
  }),
  fc.constantFrom("shift", "all"),
);

Deno.test("a PieceQueue gives back what was put in, in order", () => {
  fc.assert(fc.property(fc.array(STEP, { maxLength: 60 }), (steps) => {
    const queue = new PieceQueue();
    let next = 0;
    let expected = Buffer.alloc(0);
    const check = (piece: Buffer) => {
      assert.ok(piece.equals(expected.subarray(0, piece.length)));
      expected = expected.subarray(piece.length);
    };
    for (const step of steps) {
      if (step === "shift") {
        const piece = queue.shift();
        assert.equal(piece === undefined, expected.length === 0);
        if (piece !== undefined) check(piece);
      } else if (step === "all") {
        assert.ok(queue.all().equals(expected));
      } else {
        // As a socket hands it out: a window on something larger, which it may use again.
        const large = Buffer.alloc(step.push + step.slack);
        const piece = large.subarray(0, step.push);
        for (let i = 0; i < piece.length; i++) piece[i] = next++ & 255;
        expected = Buffer.concat([expected, piece]);
        if (step.copied) queue.pushCopy(piece);
        else queue.push(piece);
        if (step.copied) large.fill(0);
      }
      assert.equal(queue.size, expected.length);
    }
    for (let piece = queue.shift(); piece; piece = queue.shift()) check(piece);
    assert.equal(expected.length, 0);
  }));
});

Deno.test("a PieceQueue packs small pieces, and copies those that hold too much", () => {
  const queue = new PieceQueue();
  for (let i = 0; i < 10_000; i++) queue.push(Buffer.alloc(60_000).subarray(0, 1));
  const pieces: Buffer[] = [];
  for (let piece = queue.shift(); piece; piece = queue.shift()) pieces.push(piece);
  assert.equal(pieces.length, 1);
  queue.push(Buffer.alloc(60_000).subarray(0, 3_000));
  assert.ok(queue.shift()!.buffer.byteLength <= 12_000);
  const whole = Buffer.alloc(16_384);
  queue.push(whole);
  assert.equal(queue.shift(), whole, "what holds no more than itself is not copied");
});

Deno.test("clear() drops everything and says how much that was", () => {
  const queue = new PieceQueue();
  queue.push(Buffer.alloc(5_000));
  queue.push(Buffer.alloc(5));
  assert.equal(queue.clear(), 5_005);
  assert.deepEqual([queue.size, queue.shift(), queue.clear()], [0, undefined, 0]);
});
