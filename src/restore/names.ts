/**
 * Names of files as text that loses nothing. The kernel's names are bytes; those that are no UTF-8
 * have lone surrogates in place of the bytes that are not (U+DC80 to U+DCFF), which no UTF-8 text
 * has, which JSON keeps, and which `escapeForTerminal()` makes visible.
 */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

const LONE = /[\udc80-\udcff]/;
const ESCAPED = 0xdc00;

/** The text that stands for the bytes of a name. */
export function decodeName(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeParts(bytes);
  }
}

/** Each longest run of bytes that is UTF-8 as text, what is between them escaped byte by byte. */
function decodeParts(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes, at);
    if (length === 0) text += String.fromCharCode(ESCAPED + bytes[at++]!);
    else text += strict.decode(bytes.subarray(at, at += length));
  }
  return text;
}

/** How many bytes from `at` are one character; 0 where they are none. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  try {
    strict.decode(bytes.subarray(at, at + length));
    return at + length <= bytes.length ? length : 0;
  } catch {
    return 0;
  }
}

/** Whether the text stands for bytes that are no UTF-8. */
export function hasEscapes(name: string): boolean {
  return LONE.test(name);
}

/** The bytes of a name that {@linkcode decodeName} gave a text for. */
export function encodeName(name: string): Uint8Array {
  if (!hasEscapes(name)) return encoder.encode(name);
  const parts: number[] = [];
  for (const character of name) {
    const code = character.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) parts.push(code - ESCAPED);
    else parts.push(...encoder.encode(character));
  }
  return Uint8Array.from(parts);
}
