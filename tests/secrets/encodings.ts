/** Ways to write a text that tests expect to be seen through. */
import { Buffer } from "node:buffer";

/** Chooses a number from 0 up to, and without, `below`. */
export type Choose = (below: number) => number;

const hex = (value: number, digits: number, choose: Choose): string =>
  [...value.toString(16).padStart(digits, "0")]
    .map((digit) => choose(2) === 0 ? digit : digit.toUpperCase()).join("");

/** Each character as it is or escaped, as `choose` says; in a text of JSON that is `nested` times one. */
export function jsonEscaped(text: string, choose: Choose, nested = 1): string {
  const slashes = "\\".repeat(2 ** (nested - 1));
  return text.split("").map((unit) => {
    const code = unit.charCodeAt(0);
    if (choose(2) === 0 || code < 0x20) return `${slashes}u${hex(code, 4, choose)}`;
    if (unit === "\\") return slashes + slashes;
    if (unit === '"') return `${"\\".repeat(2 ** nested - 1)}"`;
    if (unit === "/" && choose(2) === 0) return `${slashes}/`;
    return unit;
  }).join("");
}

/** RFC 3986; bytes that need it always, others as `choose` says, `layers` times over. */
export function percentEncoded(text: string, choose: Choose, layers = 1): string {
  let bytes = "";
  for (const byte of Buffer.from(text)) {
    const letter = String.fromCharCode(byte);
    if (/[A-Za-z0-9._~-]/.test(letter) && choose(2) === 0) bytes += letter;
    else bytes += `%${"25".repeat(layers - 1)}${hex(byte, 2, choose)}`;
  }
  return bytes;
}

/** Character references, by number. */
export function htmlEscaped(text: string, choose: Choose): string {
  return [...text].map((character) => {
    const code = character.codePointAt(0)!;
    switch (choose(4)) {
      case 0:
        return `&#${code};`;
      case 1:
        return `&#x${hex(code, 2, choose)};`;
    }
    switch (character) {
      case "&":
        return "&amp;";
      case "<":
        return "&lt;";
      case '"':
        return "&quot;";
      case "'":
        return "&#39;";
    }
    return character;
  }).join("");
}
