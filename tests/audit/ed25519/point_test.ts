import assert from "node:assert/strict";
import fc from "fast-check";
import { Arithmetic } from "../../../src/audit/ed25519/arithmetic.ts";
import { PointTable, SCALAR_ROOM, TABLE_ELEMENTS } from "../../../src/audit/ed25519/point_table.ts";
import { ENCODING_WORDS, isEncodedAs } from "../../../src/audit/ed25519/point_encoding.ts";
import { recode } from "../../../src/audit/ed25519/recode.ts";
import {
  BASE,
  bytesOf,
  encoded,
  L,
  minus,
  modulo,
  NEUTRAL,
  P,
  plus,
  type Point,
  pointAt,
  SMALL_ORDER,
  times,
} from "./affine.ts";

const arithmetic = new Arithmetic(4 + 2 * TABLE_ELEMENTS);
const [sum, other, niels] = [0, 0, 0].map(() => arithmetic.allocate(1)) as [number, number, number];

const POINTS: readonly Point[] = [
  NEUTRAL,
  BASE,
  minus(BASE),
  ...SMALL_ORDER,
  ...SMALL_ORDER.map((point) => plus(point, BASE)),
  ...[2n, 3n, 4n, L - 1n, L - 2n, 2n ** 252n, 0x1234567890abcdefn].map((n) => times(n, BASE)),
];

/** Writes a point, in one of the many ways that it can be. */
function write(address: number, { x, y }: Point, z: bigint): void {
  arithmetic.write(address, [x * z, y * z, z, x * y * z].map(modulo));
}

function wordsOf(bytes: Uint8Array<ArrayBuffer>): Uint32Array {
  const words = new Uint32Array(ENCODING_WORDS);
  words.set(new Uint32Array(bytes.buffer));
  return words;
}

Deno.test("add() and subtract() agree with the addition law for every two points", () => {
  for (const [index, one] of POINTS.entries()) {
    for (const two of POINTS) {
      write(sum, one, BigInt(index + 1));
      write(other, two, P - 1n - BigInt(index));
      arithmetic.niels(niels, other);
      arithmetic.add(sum, niels);
      assert.deepEqual(pointAt(arithmetic, sum), plus(one, two));
      // On from what came out, which is in no nice form any more.
      arithmetic.subtract(sum, niels);
      arithmetic.subtract(sum, niels);
      assert.deepEqual(pointAt(arithmetic, sum), plus(one, minus(two)));
    }
  }
});

Deno.test("recode() writes every number in digits that are no larger than half the base", () => {
  const digit = fc.integer({ min: 2, max: 14 });
  const number = fc.oneof(
    fc.bigInt({ min: 0n, max: L - 1n }),
    fc.constantFrom(0n, 1n, L - 1n, 2n ** 252n, 2n ** 252n - 1n, BigInt(`0x0${"80".repeat(31)}`)),
  );
  fc.assert(fc.property(number, digit, (scalar, width) => {
    const digits = new Int16Array(Math.ceil(254 / width));
    recode(bytesOf(scalar, SCALAR_ROOM), width, digits);
    const read = digits.reduceRight((sum, value) => (sum << BigInt(width)) + BigInt(value), 0n);
    assert.equal(read, scalar);
    assert.ok(digits.every((value) => Math.abs(value) <= 2 ** (width - 1)));
  }));
});

Deno.test("addMultiple() agrees with adding bit by bit", () => {
  const point = times(987654321n, BASE);
  const tables = [BASE, point].map((of) => {
    return { of, table: new PointTable(arithmetic, arithmetic.allocate(TABLE_ELEMENTS), of) };
  });
  const scalar = fc.oneof(
    fc.bigInt({ min: 0n, max: L - 1n }),
    fc.constantFrom(0n, 1n, 127n, 128n, 129n, 255n, 256n, L - 1n, 2n ** 252n - 1n),
  );
  fc.assert(
    fc.property(scalar, scalar, fc.constantFrom(...POINTS), (one, two, start) => {
      write(sum, start, 3n);
      let expected = start;
      [one, two].forEach((number, index) => {
        const { of, table } = tables[index]!;
        table.addMultiple(sum, bytesOf(number, SCALAR_ROOM));
        expected = plus(expected, times(number, of));
      });
      assert.deepEqual(pointAt(arithmetic, sum), expected);
    }),
    { numRuns: 40 },
  );
});

Deno.test("isEncodedAs() takes the one encoding of a point, and no other", () => {
  for (const point of POINTS) {
    write(sum, point, 1n);
    const bytes = encoded(point);
    assert.ok(isEncodedAs(arithmetic.words, sum, wordsOf(bytes), 0));
    for (let bit = 0; bit < 256; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      assert.ok(!isEncodedAs(arithmetic.words, sum, wordsOf(changed), 0), `bit ${bit}`);
    }
    // What is congruent is another encoding.
    if (point.y >= 19n) continue;
    const congruent = bytesOf((point.y + P) | (point.x & 1n) << 255n);
    assert.ok(!isEncodedAs(arithmetic.words, sum, wordsOf(congruent), 0));
  }
});
