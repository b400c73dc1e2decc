/** Square roots and cube roots of the first primes, as FIPS 180-4 takes the constants from. */
const PRIMES = firstPrimes(64);
const ROUND_CONSTANTS = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));
/** The state of a digest that has taken nothing yet. */
export const INITIAL: Readonly<Int32Array> = Int32Array.from(
  PRIMES.slice(0, 8),
  (prime) => fraction(Math.sqrt(prime)),
);

/**
 * The SHA-256 digest (FIPS 180-4), in lower-case hex. For a few hundred kilobytes on the way to
 * a start: a millisecond takes 20 KB, and loading `node:crypto` takes 20 ms. What is large or
 * comes often is better off there.
 */
export function sha256(data: Uint8Array | string): string {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return Array.from(digest(pad(bytes)), (word) => (word >>> 0).toString(16).padStart(8, "0"))
    .join("");
}

function pad(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  // A one bit, and the length in 64 bits, up to a multiple of 64 bytes.
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n);
  return padded;
}

function digest(padded: Uint8Array): Int32Array {
  const state = INITIAL.slice();
  for (let at = 0; at < padded.length; at += 64) compress(state, padded, at);
  return state;
}

const words = new Int32Array(64);

/**
 * Puts the 64 bytes that begin at `at` into the state of a digest that is under way (FIPS 180-4,
 * 6.2.2). In one function, and with whole numbers alone, so that it becomes fast while it runs.
 */
export function compress(state: Int32Array, bytes: Uint8Array, at: number): void {
  let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!;
  let e = state[4]!, f = state[5]!, g = state[6]!, h = state[7]!;
  for (let i = 0; i < 64; i++) {
    if (i < 16) {
      const from = at + 4 * i;
      words[i] = bytes[from]! << 24 | bytes[from + 1]! << 16 | bytes[from + 2]! << 8 |
        bytes[from + 3]!;
    } else {
      const x = words[i - 15]!;
      const y = words[i - 2]!;
      const s0 = (x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3;
      const s1 = (y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10;
      words[i] = words[i - 16]! + s0 + words[i - 7]! + s1;
    }
    const s1 = (e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7);
    const t1 = h + s1 + (g ^ e & (f ^ g)) + ROUND_CONSTANTS[i]! + words[i]! | 0;
    const s0 = (a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10);
    const t2 = s0 + (a & b | c & (a | b)) | 0;
    h = g;
    g = f;
    f = e;
    e = d + t1 | 0;
    d = c;
    c = b;
    b = a;
    a = t1 + t2 | 0;
  }
  state[0] = state[0]! + a;
  state[1] = state[1]! + b;
  state[2] = state[2]! + c;
  state[3] = state[3]! + d;
  state[4] = state[4]! + e;
  state[5] = state[5]! + f;
  state[6] = state[6]! + g;
  state[7] = state[7]! + h;
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) {
    if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  }
  return primes;
}

/** The first 32 bits of the fractional part. */
function fraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 2 ** 32);
}
