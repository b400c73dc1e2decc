/**
 * Text that an agent chose, put into code that an operator may copy: each
 * function returns a literal that means exactly the text, whatever is in it.
 */

/** What a string literal shows as it is; everything else is escaped. */
const PLAIN = /[\p{L}\p{N}\p{P}\p{S} ]/u;

function escaped(text: string, escape: (codePoint: number) => string): string {
  let result = "";
  for (const char of text) {
    if (char === '"' || char === "\\") result += `\\${char}`;
    else if (PLAIN.test(char)) result += char;
    else result += escape(char.codePointAt(0)!);
  }
  return `"${result}"`;
}

/** A string literal of Cedar. */
export function cedarString(text: string): string {
  return escaped(text.toWellFormed(), (codePoint) => `\\u{${codePoint.toString(16)}}`);
}

/** A basic string of TOML. */
export function tomlString(text: string): string {
  return escaped(text.toWellFormed(), (codePoint) => {
    const hex = codePoint.toString(16);
    return codePoint > 0xffff ? `\\U${hex.padStart(8, "0")}` : `\\u${hex.padStart(4, "0")}`;
  });
}

/** A word of a POSIX shell. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
