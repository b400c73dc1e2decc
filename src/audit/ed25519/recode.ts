/**
 * Writes a number, its lowest byte first, in digits to the base 2^width, the lowest first, each from
 * -2^(width-1) to 2^(width-1): so that half as many multiples of a point have to be at hand, whose
 * negative costs nothing. `width` is at most 14; `digits` has to hold a bit more than the number has.
 */
export function recode(number: Uint8Array, width: number, digits: Int16Array): void {
  const base = 1 << width;
  let carry = 0;
  for (let index = 0; index < digits.length; index++) {
    const bit = index * width;
    const at = bit >> 3;
    const bits = number[at]! | number[at + 1]! << 8 | number[at + 2]! << 16;
    const digit = ((bits >> (bit & 7)) & (base - 1)) + carry;
    carry = digit > base / 2 ? 1 : 0;
    digits[index] = digit - carry * base;
  }
}
