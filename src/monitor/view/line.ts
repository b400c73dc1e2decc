import { cutText, textWidth } from "./width.ts";

/** The colours that a view uses; which shade each is, the terminal decides. */
export type Colour = "red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "grey";

/** How text looks. */
export interface Style {
  readonly colour?: Colour;
  readonly bold?: boolean;
  /** On the ground of what is selected. */
  readonly selected?: boolean;
  /** Colours exchanged. */
  readonly inverse?: boolean;
}

/** Text of one look. It holds no controls. */
export interface Span extends Style {
  readonly text: string;
}

/** One line of a view. */
export type Line = readonly Span[];

/** A span. */
export function span(text: string, style: Style = {}): Span {
  return { text, ...style };
}

/** How many columns a line takes. */
export function lineWidth(line: Line): number {
  return line.reduce((width, { text }) => width + textWidth(text), 0);
}

/** The line in exactly `columns`, cut or filled with blanks of `fill`. */
export function fitLine(line: Line, columns: number, fill: Style = {}): Line {
  const fitted: Span[] = [];
  let left = columns;
  for (const part of line) {
    const { text, width } = cutText(part.text, left);
    if (text !== "") fitted.push({ ...part, text });
    left -= width;
    if (width < textWidth(part.text)) break;
  }
  if (left > 0) fitted.push(span(" ".repeat(left), fill));
  return fitted;
}

/** Left and right part of a line of `columns`, with blanks between them. */
export function spread(left: Line, right: Line, columns: number, fill: Style = {}): Line {
  const room = columns - lineWidth(right);
  if (room < 8) return fitLine(left, columns, fill);
  return [...fitLine(left, room, fill), ...right];
}

const CODES: Readonly<Record<Colour, number>> = {
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
  grey: 90,
};

/** The line as bytes for a terminal (ECMA-48), ending in plain text. */
export function encodeLine(line: Line, colours: boolean): string {
  let text = "";
  let last = "";
  for (const part of line) {
    const style = sgr(part, colours);
    if (style !== last) text += `\x1b[0${style}m`;
    last = style;
    text += part.text;
  }
  return last === "" ? text : `${text}\x1b[0m`;
}

function sgr({ colour, bold, selected, inverse }: Style, colours: boolean): string {
  let codes = "";
  if (bold) codes += ";1";
  // Bright white on blue can be read on whatever ground the terminal has.
  if (selected) codes += colours ? ";97;44" : ";7";
  else if (inverse) codes += ";7";
  if (colour && colours && !selected) codes += `;${CODES[colour]}`;
  return codes;
}
