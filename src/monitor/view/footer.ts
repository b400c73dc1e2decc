import { fitLine, type Line, type Span, span } from "./line.ts";
import type { Scene } from "./scene.ts";
import { visibleText } from "./width.ts";
import { QUIET } from "./words.ts";

const KEYS: readonly (readonly [key: string, what: string])[] = [
  ["↑↓", "select"],
  ["⏎", "why"],
  ["/", "filter"],
  ["d", "denials"],
  ["a", "agent"],
  ["p", "pause"],
  ["?", "help"],
  ["q", "quit"],
];

/** The last line: what is being typed, else what can be. */
export function footerLine({ ui }: Scene, columns: number): Line {
  if (ui.typing !== undefined) {
    return fitLine([
      span(" filter ", { bold: true, inverse: true }),
      span(` ${visibleText(ui.typing)}`),
      span(" ", { inverse: true }),
      span("   Enter keeps it, Esc drops it, words must all occur", QUIET),
    ], columns);
  }
  const spans: Span[] = [span(" ")];
  for (const [key, what] of KEYS) {
    spans.push(span(key, { bold: true }), span(` ${what}   `, QUIET));
  }
  return fitLine(spans, columns);
}
