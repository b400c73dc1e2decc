/**
 * TypeIDs (https://github.com/jetify-com/typeid, version 0.3): a prefix, an
 * underscore, and a UUIDv7 (RFC 9562) in 26 characters of Crockford base 32.
 */

/** The prefixes in use and what each names. */
export type IdPrefix =
  | "agt" /* agent */
  | "ctok" /* capability token */
  | "sbx" /* sandbox */
  | "ses" /* session */
  | "aevt" /* execution event */
  | "apr" /* approval */
  | "fsp" /* secret placeholder */;

/** An identifier such as `agt_01jd…`. */
export type Id<P extends IdPrefix = IdPrefix> = `${P}_${string}`;

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
// The first character holds the two top bits of 128 in 26 * 5, so it is at most 7.
const PATTERN = /^([a-z]+)_([0-7][0-9a-hjkmnp-tv-z]{25})$/;

/** Random bytes for the next identifiers: asking the system for each costs more than the rest. */
const random = new Uint8Array(1_024);
const RANDOM_BYTES = 16;
let used = random.length;

/** Makes a new identifier; identifiers sort by the millisecond they were made in. */
export function newId<P extends IdPrefix>(prefix: P, now: number = Date.now()): Id<P> {
  if (used === random.length) {
    crypto.getRandomValues(random);
    used = 0;
  }
  const at = used;
  used += RANDOM_BYTES;
  let text = "";
  // 48 bits of time, five to a character.
  for (let unit = 2 ** 45; unit >= 1; unit /= 32) text += ALPHABET[Math.floor(now / unit) % 32];
  // Version 7 in four bits, and the first random one.
  text += ALPHABET[14 + (random[at]! & 1)];
  text += ALPHABET[random[at + 1]! & 31];
  text += ALPHABET[random[at + 2]! & 31];
  // A random bit, the variant (binary 10), two random bits.
  text += ALPHABET[(random[at + 3]! & 0b10011) + 0b01000];
  for (let i = 4; i < RANDOM_BYTES; i++) text += ALPHABET[random[at + i]! & 31];
  return `${prefix}_${text}`;
}

/** Tells whether `text` is an identifier with the given prefix. */
export function isId<P extends IdPrefix>(prefix: P, text: string): text is Id<P> {
  const match = PATTERN.exec(text);
  return match !== null && match[1] === prefix;
}
