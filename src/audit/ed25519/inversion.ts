import type { Address, Arithmetic } from "./arithmetic.ts";
import { P } from "./curve.ts";
import { ELEMENT_BYTES } from "./field_code.ts";

/** The bits of p - 2 after the first one. */
const EXPONENT = (P - 2n).toString(2).slice(1);

/** Elements beside the numbers that {@linkcode invertAll} works with. */
export const INVERSION_ELEMENTS = 1;

/**
 * Replaces `count` elements from `numbers` on by their inverses, lane by lane, by one inversion for
 * all (Montgomery's trick): with every product of the first ones, and the inverse of the last
 * product, each takes three multiplications more. Where one is 0 in a lane, all become 0 in that
 * lane. `room` is as much again, and {@linkcode INVERSION_ELEMENTS}.
 */
export function invertAll(
  arithmetic: Arithmetic,
  numbers: Address,
  count: number,
  room: Address,
): void {
  const number = (index: number) => numbers + index * ELEMENT_BYTES;
  const product = (index: number) => room + index * ELEMENT_BYTES;
  arithmetic.copy(product(0), numbers);
  for (let index = 1; index < count; index++) {
    arithmetic.multiply(product(index), product(index - 1), number(index));
  }
  const inverse = product(count);
  invert(arithmetic, inverse, product(count - 1));
  for (let index = count - 1; index > 0; index--) {
    arithmetic.multiply(product(index), inverse, product(index - 1));
    arithmetic.multiply(inverse, inverse, number(index));
    arithmetic.copy(number(index), product(index));
  }
  arithmetic.copy(numbers, inverse);
}

/** x^(p-2), by squaring and multiplying from the top: it is done once for many. */
function invert(arithmetic: Arithmetic, inverse: Address, number: Address): void {
  arithmetic.copy(inverse, number);
  for (const bit of EXPONENT) {
    arithmetic.multiply(inverse, inverse, inverse);
    if (bit === "1") arithmetic.multiply(inverse, inverse, number);
  }
}
