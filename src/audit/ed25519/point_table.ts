import type { Address, Arithmetic } from "./arithmetic.ts";
import { modulo, type Point } from "./curve.ts";
import { ELEMENT_BYTES } from "./field_code.ts";
import { recode } from "./recode.ts";

/** Bits of a digit: with more, fewer points are added, but the tables outgrow the caches. */
const WIDTH = 8;
/** Scalars are below 2^253; one bit more, so that the last digit carries nothing. */
const DIGITS = Math.ceil(254 / WIDTH);
const MULTIPLES = 2 ** (WIDTH - 1);

/** Elements that a table takes: one is for the work of filling it. */
export const TABLE_ELEMENTS = DIGITS * MULTIPLES + 1;

/** Bytes of a scalar, and two of nothing behind it, which are read with the last ones. */
export const SCALAR_ROOM = 34;

const digits = new Int16Array(DIGITS);

/**
 * Multiples of one point, so that each further one is a sum of a few of them: for each digit of a
 * scalar, the point times each value that the digit may have (fixed-base windows; nothing is
 * doubled).
 */
export class PointTable {
  readonly #arithmetic: Arithmetic;
  readonly #entries: Address;

  /** Fills the {@linkcode TABLE_ELEMENTS} from `entries` on; takes some milliseconds. */
  constructor(arithmetic: Arithmetic, entries: Address, { x, y }: Point) {
    this.#arithmetic = arithmetic;
    this.#entries = entries;
    const multiple = entries + DIGITS * MULTIPLES * ELEMENT_BYTES;
    arithmetic.write(multiple, [x, y, 1n, modulo(x * y)]);
    for (let digit = 0, entry = entries; digit < DIGITS; digit++) {
      const first = entry;
      for (let index = 0; index < MULTIPLES; index++, entry += ELEMENT_BYTES) {
        if (index > 0) arithmetic.add(multiple, first);
        arithmetic.niels(entry, multiple);
      }
      // Twice the last one is the first one of the next digit.
      arithmetic.add(multiple, entry - ELEMENT_BYTES);
    }
  }

  /** Adds the point times a scalar, given in {@linkcode SCALAR_ROOM}, the lowest byte first. */
  addMultiple(sum: Address, scalar: Uint8Array): void {
    recode(scalar, WIDTH, digits);
    let entries = this.#entries - ELEMENT_BYTES;
    for (let index = 0; index < DIGITS; index++, entries += MULTIPLES * ELEMENT_BYTES) {
      const digit = digits[index]!;
      if (digit > 0) this.#arithmetic.add(sum, entries + digit * ELEMENT_BYTES);
      else if (digit < 0) this.#arithmetic.subtract(sum, entries - digit * ELEMENT_BYTES);
    }
  }
}
