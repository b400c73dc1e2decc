/**
 * The forms in which a secret may come back: itself, its hex, and what Base64 makes of it wherever
 * it stands in the encoded text. Escapes (`%41`, `\u0041`, `&#65;`) are no forms of their own: each
 * character of each form may be escaped or not, see `mask_escapes.ts`.
 */
import { Buffer } from "node:buffer";

/** A shorter secret is not looked for: it would be found in what has nothing to do with it. */
export const SHORTEST_SECRET = 8;

/** A secret, and what is shown in its place. */
export interface KnownSecret {
  readonly secret: string;
  /** Letters, digits, `-` and `_` alone stay what they are in every notation. */
  readonly placeholder: string;
}

/** One form of one secret. */
export interface MaskForm {
  readonly known: KnownSecret;
  readonly kind: "raw" | "hex" | "HEX" | "base64" | "base64url";
  /** The bytes that are looked for, one a character. */
  readonly core: string;
  /** Size of the encoded secret in bytes. */
  readonly size: number;
  /**
   * Base64 characters that the secret shares with its neighbours: of the first one it has the low
   * bits, of the last one the high bits. Any of these may stand there; empty where it shares none.
   */
  readonly heads: string;
  readonly tails: string;
}

const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const COMMON = `${UPPER}${UPPER.toLowerCase()}0123456789`;

/** The alphabets of RFC 4648. */
export const ALPHABETS = { base64: `${COMMON}+/`, base64url: `${COMMON}-_` } as const;

/** Whether a value is long enough to be found in answers. */
export function isMaskable(secret: string): boolean {
  return Buffer.byteLength(secret) >= SHORTEST_SECRET;
}

/** All forms of a secret; none when it is too short. */
export function formsOf(known: KnownSecret): MaskForm[] {
  const forms: MaskForm[] = [];
  for (const secret of withItsLines(known.secret)) {
    if (isMaskable(secret)) addForms(forms, { secret, placeholder: known.placeholder });
  }
  return forms;
}

/** A line of Base64 in a key that is printed line by line, indented or with other line ends. */
const KEY_LINE = /^[A-Za-z0-9+/=]{32,}$/;

function withItsLines(secret: string): Set<string> {
  const lines = secret.split(/\r?\n|\\n/);
  return new Set([
    secret,
    ...(lines.length > 1 ? lines.filter((line) => KEY_LINE.test(line)) : []),
  ]);
}

function addForms(forms: MaskForm[], known: KnownSecret): void {
  const bytes = Buffer.from(known.secret);
  const plain = { known, size: bytes.length, heads: "", tails: "" };
  const raw = bytes.toString("latin1");
  forms.push({ ...plain, kind: "raw", core: raw });
  // Forms write a space as `+` (WHATWG URL, application/x-www-form-urlencoded).
  if (raw.includes(" ")) forms.push({ ...plain, kind: "raw", core: raw.replaceAll(" ", "+") });
  if (raw !== known.secret && isLatin1(known.secret)) {
    forms.push({ ...plain, kind: "raw", core: known.secret });
  }
  const hex = bytes.toString("hex");
  forms.push({ ...plain, kind: "hex", core: hex });
  if (hex !== hex.toUpperCase()) forms.push({ ...plain, kind: "HEX", core: hex.toUpperCase() });
  for (const kind of ["base64", "base64url"] as const) {
    for (const phase of [0, 1, 2] as const) forms.push(base64Form(known, bytes, kind, phase));
  }
}

function isLatin1(text: string): boolean {
  // deno-lint-ignore no-control-regex -- the range is what is asked for
  return /^[\x00-\xff]*$/.test(text);
}

/** What Base64 makes of `bytes` when they come `phase` bytes after a group of three began. */
function base64Form(
  known: KnownSecret,
  bytes: Buffer,
  kind: "base64" | "base64url",
  phase: 0 | 1 | 2,
): MaskForm {
  const alphabet = ALPHABETS[kind];
  const text = Buffer.concat([Buffer.alloc(phase), bytes]).toString("base64url");
  const own = kind === "base64" ? text.replaceAll("-", "+").replaceAll("_", "/") : text;
  // The first characters hold nothing of it, the next one `2 * phase` bits of what comes before.
  let heads = "";
  if (phase > 0) {
    const low = alphabet.indexOf(own[phase]!);
    for (let high = 0; high < 1 << (2 * phase); high++) {
      heads += alphabet[(high << (6 - 2 * phase)) | low];
    }
  }
  const open = (6 - 8 * (phase + bytes.length) % 6) % 6;
  let tails = "";
  if (open > 0) {
    const high = alphabet.indexOf(own.at(-1)!);
    for (let low = 0; low < 1 << open; low++) tails += alphabet[high | low];
  }
  const core = own.slice(phase > 0 ? phase + 1 : 0, open > 0 ? -1 : undefined);
  return { known, kind, core, size: bytes.length, heads, tails };
}

/** Bits, the most significant one first. */
export class BitString {
  length = 0;
  readonly #sextets: number[] = [];
  #open = 0;

  /** Appends the lowest `count` bits of `value`, at most 24. */
  add(value: number, count: number): void {
    for (let left = count - 1; left >= 0; left--) {
      this.#open = (this.#open << 1) | ((value >> left) & 1);
      if (++this.length % 6 !== 0) continue;
      this.#sextets.push(this.#open);
      this.#open = 0;
    }
  }

  /** The whole groups of six bits. */
  sextets(): number[] {
    return this.#sextets;
  }
}
