import type { Address } from "./arithmetic.ts";
import { LIMB_BITS, PLACE_BITS, PLACES, wordAt } from "./field_code.ts";

/** Words that {@linkcode isEncodedAs} looks at: those of an encoding, and one of nothing. */
export const ENCODING_WORDS = 9;

const X = 0, Y = 1;

/**
 * Tells whether the point at an address, whose x and y are in the lanes X and Y and the least
 * numbers that they can be, is encoded (RFC 8032, 5.1.2) as the words from a place on, the lowest
 * first.
 */
export function isEncodedAs(
  words: Int32Array,
  point: Address,
  encoding: Uint32Array,
  from: number,
): boolean {
  if ((words[wordAt(point, 0, X)]! & 1) !== encoding[from + 7]! >>> 31) return false;
  for (const place of PLACES) {
    const at = from + (LIMB_BITS * place >> 5), shift = LIMB_BITS * place & 31;
    // In two steps: to shift by 32 is to shift by nothing.
    const bits = (encoding[at]! >>> shift) | (encoding[at + 1]! << 1 << (31 - shift));
    if (words[wordAt(point, place, Y)] !== (bits & (2 ** PLACE_BITS[place]! - 1))) return false;
  }
  return true;
}
