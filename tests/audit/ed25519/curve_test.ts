import assert from "node:assert/strict";
import fc from "fast-check";
import { decodePoint, isOfSmallOrder } from "../../../src/audit/ed25519/curve.ts";
import { BASE, bytesOf, encoded, L, minus, modulo, P, plus, SMALL_ORDER, times } from "./affine.ts";

Deno.test("decodePoint() reads what a point is encoded as", () => {
  assert.deepEqual(decodePoint(Uint8Array.fromHex("58" + "66".repeat(31))), BASE);
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: L - 1n }), (scalar) => {
      const point = times(scalar, BASE);
      assert.deepEqual(decodePoint(encoded(point)), point);
      assert.deepEqual(decodePoint(encoded(minus(point))), minus(point));
      assert.ok(!isOfSmallOrder(point));
    }),
    { numRuns: 20 },
  );
});

Deno.test("decodePoint() reads points of small order, and isOfSmallOrder() knows them", () => {
  assert.equal(new Set(SMALL_ORDER.map(({ x, y }) => `${x} ${y}`)).size, 8);
  for (const point of SMALL_ORDER) {
    assert.deepEqual(decodePoint(encoded(point)), point);
    assert.ok(isOfSmallOrder(point));
    assert.equal(isOfSmallOrder(plus(point, BASE)), false);
  }
});

Deno.test("decodePoint() refuses what is no point, and what is one in another form", () => {
  const refused: Record<string, Uint8Array> = {
    "a y that no point has": bytesOf(2n),
    "y = p + 1 for 1": bytesOf(P + 1n),
    "y = p for 0": bytesOf(P),
    "y = 2^255 - 1": bytesOf(2n ** 255n - 1n),
    "x = 0 with a sign, y = 1": bytesOf(1n | 1n << 255n),
    "x = 0 with a sign, y = -1": bytesOf((P - 1n) | 1n << 255n),
    "a byte too few": encoded(BASE).subarray(0, 31),
    "a byte too many": Uint8Array.of(...encoded(BASE), 0),
    "nothing": new Uint8Array(),
  };
  for (const [name, bytes] of Object.entries(refused)) {
    assert.equal(decodePoint(bytes), undefined, name);
  }
  assert.equal(modulo(-1n), P - 1n);
});
