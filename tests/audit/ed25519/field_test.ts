import assert from "node:assert/strict";
import fc from "fast-check";
import { Arithmetic } from "../../../src/audit/ed25519/arithmetic.ts";
import { modulo, P } from "../../../src/audit/ed25519/curve.ts";
import { ELEMENT_BYTES, LIMB_BITS, PLACES, wordAt } from "../../../src/audit/ed25519/field_code.ts";
import { INVERSION_ELEMENTS, invertAll } from "../../../src/audit/ed25519/inversion.ts";
import { inverse, numberAt } from "./affine.ts";

const EDGES = [
  ...[0n, 1n, 2n, 19n, 1216n, P - 2n, P - 1n, P, P + 1n, P + 18n, 2n * P - 1n, 2n * P],
  ...[2n ** 255n - 1n, 2n ** 255n, 2n ** 260n, 2n ** 261n - 1216n, 2n ** 261n - 1n],
];
const number = fc.oneof(
  fc.constantFrom(...EDGES),
  fc.bigInt({ min: 0n, max: 2n ** 261n - 1n }),
  fc.nat(260).map((bits) => 2n ** BigInt(bits)),
);
const LANES = [0, 1, 2, 3];

const arithmetic = new Arithmetic(64);
const [one, other, result] = [
  arithmetic.allocate(1),
  arithmetic.allocate(1),
  arithmetic.allocate(1),
];

function assertTight(address: number): void {
  for (const lane of LANES) {
    for (const place of PLACES) {
      const limb = arithmetic.words[wordAt(address, place, lane)]! >>> 0;
      assert.ok(limb < 2 ** LIMB_BITS + 2 ** 16, `limb ${place} of lane ${lane}: ${limb}`);
    }
  }
}

Deno.test("multiply() agrees with numbers of any size at the edges of the field", () => {
  for (const a of EDGES) {
    for (const b of EDGES) {
      arithmetic.write(one, [a, b, a, 1n]);
      arithmetic.write(other, [b, a, a, b]);
      arithmetic.multiply(result, one, other);
      assertTight(result);
      [a * b, b * a, a * a, b].forEach((product, lane) => {
        assert.equal(modulo(numberAt(arithmetic, result, lane)), modulo(product), `${a} ${b}`);
      });
    }
  }
});

Deno.test("multiply() agrees with numbers of any size, lane by lane, in place too", () => {
  const four = fc.array(number, { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(four, four, fc.constantFrom(one, other, result), (left, right, out) => {
      arithmetic.write(one, left);
      arithmetic.write(other, right);
      arithmetic.multiply(out, one, other);
      assertTight(out);
      for (const lane of LANES) {
        const product = modulo(left[lane]! * right[lane]!);
        assert.equal(modulo(numberAt(arithmetic, out, lane)), product);
      }
      arithmetic.write(one, left);
      arithmetic.multiply(one, one, one);
      assert.equal(modulo(numberAt(arithmetic, one, 3)), modulo(left[3]! * left[3]!));
    }),
    { numRuns: 500 },
  );
});

Deno.test("multiply() takes limbs as large as they may be", () => {
  const limbs = (largest: number) =>
    fc.array(fc.constantFrom(0, 1, largest - 1, largest), {
      minLength: PLACES.length,
      maxLength: PLACES.length,
    });
  const write = (address: number, values: readonly number[]) => {
    for (const place of PLACES) {
      for (const lane of LANES) arithmetic.words[wordAt(address, place, lane)] = values[place]!;
    }
  };
  fc.assert(fc.property(limbs(2 ** 31 - 1), limbs(2 ** 29 + 2 ** 16 - 1), (loose, tight) => {
    write(one, loose);
    write(other, tight);
    const product = numberAt(arithmetic, one, 0) * numberAt(arithmetic, other, 0);
    for (const [left, right] of [[one, other], [other, one]] as const) {
      arithmetic.multiply(result, left, right);
      assertTight(result);
      for (const lane of LANES) {
        assert.equal(modulo(numberAt(arithmetic, result, lane)), modulo(product));
      }
    }
  }));
});

Deno.test("reduce() gives the least number, of every tight one", () => {
  for (const edge of EDGES) {
    arithmetic.write(one, [edge, 0n, edge, P]);
    arithmetic.reduce(result, one);
    [edge, 0n, edge, P].forEach((value, lane) => {
      assert.equal(numberAt(arithmetic, result, lane), modulo(value));
    });
  }
  const largest = 2 ** 29 + 2 ** 16 - 1;
  for (const limb of [0, 1, 2 ** 23 - 1, 2 ** 23, 2 ** 29 - 1, 2 ** 29, largest]) {
    for (const [index, place] of PLACES.entries()) {
      arithmetic.write(one, [2n ** 261n - 1n, 0n, P, P - 1n]);
      for (const lane of LANES) arithmetic.words[wordAt(one, place, lane)] = limb;
      const values = LANES.map((lane) => numberAt(arithmetic, one, lane));
      arithmetic.reduce(one, one);
      values.forEach((value, lane) => {
        assert.equal(numberAt(arithmetic, one, lane), modulo(value), `${limb} at ${index}`);
      });
    }
  }
});

Deno.test("invertAll() inverts as many as there are, lane by lane, and makes zeros of zeros", () => {
  const elements = arithmetic.allocate(20);
  const room = arithmetic.allocate(20 + INVERSION_ELEMENTS);
  const nonZero = fc.bigInt({ min: 1n, max: P - 1n });
  fc.assert(
    fc.property(fc.array(nonZero, { minLength: 1, maxLength: 20 }), (numbers) => {
      numbers.forEach((value, index) => {
        const lanes = [value, 1n, modulo(value + 1n), index === 0 ? 0n : value];
        arithmetic.write(elements + index * ELEMENT_BYTES, lanes);
      });
      invertAll(arithmetic, elements, numbers.length, room);
      numbers.forEach((value, index) => {
        const at = elements + index * ELEMENT_BYTES;
        arithmetic.reduce(at, at);
        assert.equal(numberAt(arithmetic, at, 0), inverse(value));
        assert.equal(numberAt(arithmetic, at, 1), 1n);
        assert.equal(numberAt(arithmetic, at, 3), 0n);
      });
    }),
    { numRuns: 30 },
  );
});
