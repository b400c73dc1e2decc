/** Characters of a signature in base64. */
export const SIGNATURE_CHARACTERS = 88;

const PADDING = 0x3d;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** What a byte stands for; 64 for what stands for nothing. */
const VALUES = new Uint8Array(256).fill(64);
for (let i = 0; i < 64; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

const decoded = new Uint8Array(64);

/**
 * The 64 bytes whose standard base64 stands in `text` from `at` on, good until the next call;
 * `undefined` unless it is exactly the one that they are written as (RFC 4648, 4).
 */
export function decodeSignature(text: Uint8Array, at: number): Uint8Array | undefined {
  if (at + SIGNATURE_CHARACTERS > text.length) return undefined;
  let seen = 0;
  let out = 0;
  for (let i = at; out < 63; i += 4) {
    const a = VALUES[text[i]!]!, b = VALUES[text[i + 1]!]!;
    const c = VALUES[text[i + 2]!]!, d = VALUES[text[i + 3]!]!;
    seen |= a | b | c | d;
    const bits = (a << 18) | (b << 12) | (c << 6) | d;
    decoded[out++] = bits >> 16;
    decoded[out++] = bits >> 8;
    decoded[out++] = bits;
  }
  // The last byte: two characters, the second with four bits to spare, and twice nothing.
  const high = VALUES[text[at + 84]!]!, low = VALUES[text[at + 85]!]!;
  decoded[63] = (high << 2) | (low >> 4);
  const isWhole = (seen | high | low) < 64 && (low & 15) === 0 &&
    text[at + 86] === PADDING && text[at + 87] === PADDING;
  return isWhole ? decoded : undefined;
}
