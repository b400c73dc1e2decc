/** The curve once more, in affine coordinates and by the addition law alone (RFC 8032, 5.1). */
import type { Arithmetic } from "../../../src/audit/ed25519/arithmetic.ts";
import { BASE, D, L, modulo, P, type Point } from "../../../src/audit/ed25519/curve.ts";
import { LIMB_BITS, PLACES, wordAt } from "../../../src/audit/ed25519/field_code.ts";

export const NEUTRAL: Point = { x: 0n, y: 1n };

export function inverse(number: bigint): bigint {
  let [a, b, x, y] = [modulo(number), P, 1n, 0n];
  while (a > 1n) [a, b, x, y] = [b % a, a, y - (b / a) * x, x];
  return modulo(x);
}

export function plus(one: Point, other: Point): Point {
  const product = modulo(D * one.x * other.x * one.y * other.y);
  return {
    x: modulo((one.x * other.y + one.y * other.x) * inverse(1n + product)),
    y: modulo((one.y * other.y + one.x * other.x) * inverse(1n - product)),
  };
}

export function minus({ x, y }: Point): Point {
  return { x: modulo(-x), y };
}

export function times(scalar: bigint, point: Point): Point {
  let sum = NEUTRAL;
  for (let doubled = point, rest = scalar; rest > 0n; rest >>= 1n) {
    if (rest & 1n) sum = plus(sum, doubled);
    doubled = plus(doubled, doubled);
  }
  return sum;
}

/** The eight points whose order divides 8, the neutral one first. */
export const SMALL_ORDER: readonly Point[] = (() => {
  const y = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
  // x² = -y² for the points of order 8.
  const root = 0x2b8324804fc1df0b2b4d00993dfbd7a72f431806ad2fe478c4ee1b274a0ea0b0n;
  const eighth = { x: modulo(root * y), y };
  return Array.from({ length: 8 }, (_, index) => times(BigInt(index), eighth));
})();

export function bytesOf(number: bigint, length = 32): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(number.toString(16).padStart(2 * length, "0")).reverse();
}

export function encoded({ x, y }: Point): Uint8Array<ArrayBuffer> {
  return bytesOf(y | (x & 1n) << 255n);
}

/** The number in a lane, as its limbs say. */
export function numberAt(arithmetic: Arithmetic, address: number, lane: number): bigint {
  return PLACES.reduce((sum, place) => {
    const limb = arithmetic.words[wordAt(address, place, lane)]! >>> 0;
    return sum + (BigInt(limb) << BigInt(LIMB_BITS * place));
  }, 0n);
}

/** The affine point of extended coordinates. */
export function pointAt(arithmetic: Arithmetic, address: number): Point {
  const [x, y, z] = [0, 1, 2].map((lane) => numberAt(arithmetic, address, lane));
  return { x: modulo(x! * inverse(z!)), y: modulo(y! * inverse(z!)) };
}

export { BASE, L, modulo, P, type Point };
