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

const random = new Uint8Array(10);

/** Makes a new identifier; identifiers sort by the millisecond they were made in. */
export function newId<P extends IdPrefix>(prefix: P, now: number = Date.now()): Id<P> {
  crypto.getRandomValues(random);
  let bits = BigInt(now) << 80n;
  for (let i = 0; i < 10; i++) bits |= BigInt(random[i]!) << BigInt(72 - 8 * i);
  bits = (bits & ~(0xfn << 76n)) | (7n << 76n); // version 7
  bits = (bits & ~(0x3n << 62n)) | (2n << 62n); // variant
  let text = "";
  for (let shift = 125n; shift >= 0n; shift -= 5n) text += ALPHABET[Number((bits >> shift) & 31n)];
  return `${prefix}_${text}`;
}

/** Tells whether `text` is an identifier with the given prefix. */
export function isId<P extends IdPrefix>(prefix: P, text: string): text is Id<P> {
  const match = PATTERN.exec(text);
  return match !== null && match[1] === prefix;
}
