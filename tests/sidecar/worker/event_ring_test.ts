import assert from "node:assert/strict";
import fc from "fast-check";
import { EventRing } from "../../../src/sidecar/worker/event_ring.ts";

Deno.test("read() gives what write() took, in order, however the two alternate", () => {
  const step = fc.oneof(
    { weight: 2, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
    const writer = new EventRing(512);
    const reader = new EventRing(writer.buffer);
    const waiting: string[] = [];
    for (const text of steps) {
      if (text === undefined) {
        assert.equal(reader.read(), waiting.shift());
        continue;
      }
      const fits = writer.hasRoom(text.length);
      assert.equal(writer.write(text), fits);
      if (fits) waiting.push(text);
      else assert.ok(waiting.length > 0, "an empty ring must take so short a text");
    }
    for (const text of waiting) assert.equal(reader.read(), text);
    assert.equal(reader.read(), undefined);
  }));
});

Deno.test("write() takes the longest text into an empty ring wherever that stands", () => {
  const ring = new EventRing(256);
  const longest = "€".repeat(ring.longest);
  for (let i = 0; i < 100; i++) {
    assert.ok(ring.write("x".repeat(i % 7)));
    ring.read();
    assert.ok(ring.write(longest), `round ${i}`);
    assert.equal(ring.read(), longest);
  }
});

Deno.test("write() refuses what does not fit, and takes it once there is room", () => {
  const ring = new EventRing(64);
  assert.ok(ring.write("12345"));
  assert.ok(ring.write("67890"));
  assert.equal(ring.write("x".repeat(15)), false);
  assert.equal(ring.read(), "12345");
  assert.equal(ring.read(), "67890");
  assert.ok(ring.write("12345"));
});

Deno.test("mustCall() is true once for each rest of the reader", () => {
  const ring = new EventRing(64);
  assert.deepEqual([ring.mustCall(), ring.mustCall()], [true, false]);
  ring.rest();
  assert.deepEqual([ring.mustCall(), ring.mustCall()], [true, false]);
});
