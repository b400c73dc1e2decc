import { Buffer } from "node:buffer";
import { ALPHABETS, BitString, type MaskForm } from "./mask_forms.ts";

const FILLER = "_";

/** What was found: the form, and the first and last Base64 character where it shares them. */
export interface Found {
  readonly form: MaskForm;
  readonly head: number;
  readonly tail: number;
  /** How many bytes it takes up. */
  readonly size: number;
}

/**
 * What comes in the place of a secret: its placeholder in the same form. `sameSize` keeps the
 * number of bytes, for contents that count them, and cuts or fills the placeholder for that.
 */
export function replacement(found: Found, sameSize: boolean): Buffer {
  const { form: { kind, known, size } } = found;
  const placeholder = Buffer.from(known.placeholder);
  switch (kind) {
    case "raw":
      return sameSize ? fitted(placeholder, found.size) : placeholder;
    case "hex":
    case "HEX": {
      const hex = (sameSize ? fitted(placeholder, size) : placeholder).toString("hex");
      const cased = Buffer.from(kind === "hex" ? hex : hex.toUpperCase());
      return sameSize ? fitted(cased, found.size) : cased;
    }
    default: {
      // Another size modulo three would shift what follows in the encoded text.
      const larger = placeholder.length + (size - placeholder.length % 3 + 3) % 3;
      const text = base64(found, kind, fitted(placeholder, sameSize ? size : larger));
      return sameSize ? fitted(text, found.size) : text;
    }
  }
}

function fitted(bytes: Buffer, size: number): Buffer {
  if (bytes.length === size) return bytes;
  return Buffer.concat([bytes, Buffer.alloc(Math.max(0, size - bytes.length), FILLER)], size);
}

/** The placeholder between the bits of its neighbours. */
function base64(
  { form: { heads, tails }, head, tail }: Found,
  kind: "base64" | "base64url",
  placeholder: Buffer,
): Buffer {
  const alphabet = ALPHABETS[kind];
  const bits = new BitString();
  const headBits = Math.log2(Math.max(1, heads.length));
  if (headBits > 0) {
    bits.add(alphabet.indexOf(String.fromCharCode(head)) >> (6 - headBits), headBits);
  }
  for (const byte of placeholder) bits.add(byte, 8);
  const tailBits = Math.log2(Math.max(1, tails.length));
  if (tailBits > 0) bits.add(alphabet.indexOf(String.fromCharCode(tail)), tailBits);
  return Buffer.from(bits.sextets().map((value) => alphabet[value]).join(""));
}
