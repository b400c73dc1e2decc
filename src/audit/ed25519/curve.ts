/** Edwards25519 (RFC 8032, 5.1), in numbers of any size: for what is not done often. */

/** The field's prime. */
export const P = 2n ** 255n - 19n;
/** The order of the base point. */
export const L = 2n ** 252n + 27742317777372353535851937790883648493n;
/** -121665/121666. */
export const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
const SQRT_OF_MINUS_1 = power(2n, (P - 1n) / 4n);

/** A point in affine coordinates, both below p. */
export interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

/** The base point: y = 4/5, x is even. */
export const BASE: Point = {
  x: 15112221349535400772501151409588531511454012693041857206046113283949847762202n,
  y: 46316835694926478169428394003475163141307993866256225615783033603165251855960n,
};

/** The point that 32 bytes stand for (RFC 8032, 5.1.3); `undefined` where they stand for none. */
export function decodePoint(bytes: Uint8Array): Point | undefined {
  if (bytes.length !== 32) return undefined;
  const number = BigInt(`0x${bytes.toReversed().toHex()}`);
  const y = number & (2n ** 255n - 1n);
  const isOdd = number >> 255n;
  if (y >= P) return undefined;
  const u = modulo(y * y - 1n), v = modulo(D * y * y + 1n);
  const candidate = modulo(u * v ** 3n * power(u * v ** 7n, (P - 5n) / 8n));
  const x = [candidate, modulo(candidate * SQRT_OF_MINUS_1)].find((x) => modulo(v * x * x) === u);
  if (x === undefined || (x === 0n && isOdd === 1n)) return undefined;
  return { x: (x & 1n) === isOdd ? x : P - x, y };
}

/** Tells whether eight times the point is the neutral element. */
export function isOfSmallOrder({ x, y }: Point): boolean {
  // Of order 1 and 2, x is 0; of order 4, y is; and where twice the point has y = 0, x² = -y².
  return x === 0n || y === 0n || modulo(x * x + y * y) === 0n;
}

/** The number from 0 below p that is congruent. */
export function modulo(number: bigint): bigint {
  const rest = number % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = modulo(base), rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = modulo(result * square);
    square = modulo(square * square);
  }
  return result;
}
