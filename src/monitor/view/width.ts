import { escapeForTerminal } from "../../core/escape.ts";

/**
 * What takes two columns: Hangul, kana, ideographs and their punctuation, full-width forms (East
 * Asian Width W and F of Unicode), and what terminals show as a picture.
 */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
/** What takes none: it is drawn over the character before it. */
const COMBINING = /[\p{Mn}\p{Me}\u1160-\u11ff\ud7b0-\ud7fb]/u;
/** What is not to be seen at all: it hides in a name, or makes two names look alike. */
const INVISIBLE =
  /[\p{Cf}\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu;
const ASCII = /^[\u0020-\u007e]*$/;

/** More marks than any script puts on one character would paint over other lines. */
const MOST_MARKS = 4;

/** Text that an agent or a file chose, with everything visible that would not be. */
export function visibleText(text: string): string {
  if (ASCII.test(text)) return text;
  return escapeForTerminal(text).replace(
    INVISIBLE,
    (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`,
  );
}

/** How many columns a terminal needs for text without controls. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

function charWidth(char: string): 0 | 1 | 2 {
  if (COMBINING.test(char)) return 0;
  return WIDE.test(char) ? 2 : 1;
}

/** The longest beginning of `text` that takes at most `columns`, and what it takes. */
export function cutText(
  text: string,
  columns: number,
): { readonly text: string; readonly width: number } {
  if (ASCII.test(text)) {
    const cut = text.length <= columns ? text : text.slice(0, Math.max(0, columns));
    return { text: cut, width: cut.length };
  }
  let cut = "";
  let width = 0;
  let marks = 0;
  for (const char of text) {
    const next = charWidth(char);
    if (width + next > columns) break;
    marks = next === 0 ? marks + 1 : 0;
    if (marks > MOST_MARKS || (next === 0 && cut === "")) continue;
    cut += char;
    width += next;
  }
  return { text: cut, width };
}

/** `text` in exactly `columns`: padded, or cut with an ellipsis in its last column. */
export function fitText(text: string, columns: number, align: "left" | "right" = "left"): string {
  if (columns <= 0) return "";
  let { text: cut, width } = cutText(text, columns);
  if (textWidth(text) > columns) {
    ({ text: cut, width } = cutText(text, columns - 1));
    cut += "…";
    width++;
  }
  const padding = " ".repeat(Math.max(0, columns - width));
  return align === "left" ? cut + padding : padding + cut;
}

/** The same, with what is cut away taken from the middle: beginning and end tell names apart. */
export function fitMiddle(text: string, columns: number): string {
  if (textWidth(text) <= columns || columns < 5) return fitText(text, columns);
  const chars = [...text];
  const tail = cutText(chars.toReversed().join(""), Math.floor((columns - 1) / 3));
  const end = [...tail.text].toReversed().join("");
  const { text: start } = cutText(text, columns - 1 - textWidth(end));
  return fitText(`${start}…${end}`, columns);
}

/** Breaks text into lines of at most `columns`, at spaces where there are any near. */
export function wrapText(text: string, columns: number): string[] {
  const lines: string[] = [];
  let rest = text;
  const limit = Math.max(1, columns);
  while (textWidth(rest) > limit) {
    let { text: head } = cutText(rest, limit);
    if (head === "") head = [...rest][0]!;
    const space = head.lastIndexOf(" ");
    const taken = space > limit / 2 ? head.slice(0, space) : head;
    lines.push(taken);
    rest = rest.slice(taken.length).replace(/^ /, "");
  }
  return rest === "" && lines.length > 0 ? lines : [...lines, rest];
}
