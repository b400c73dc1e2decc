import { fitLine, type Line, span } from "./line.ts";
import { ruleLine } from "./rule.ts";
import { QUIET, STRONG } from "./words.ts";

const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ["↑ ↓  k j", "select a row; at the last one, new rows are followed"],
  ["PgUp PgDn", "by pages"],
  ["g G  Home End", "the first row that is remembered, the last one"],
  ["Enter", "open and close why: what decided, what mattered, what would allow it"],
  ["Tab", "scroll why, and back to the list"],
  ["/", "filter by words: host, path, class, agent, reason, decision"],
  ["d", "denials only, and back"],
  ["a", "the next agent only, and at last all of them"],
  ["A", "look at what waits for approval: y approves it once, n denies it"],
  ["p  Space", "pause, and go on"],
  ["Esc", "close what is open, then show everything"],
  ["Ctrl-L", "draw everything anew"],
  ["Ctrl-Z", "to the background; fg brings it back"],
  ["q  Ctrl-C", "quit"],
];

/** What the keys do, in `height` lines. */
export function helpLines(columns: number, height: number): Line[] {
  const lines: Line[] = [fitLine(ruleLine("keys", columns), columns), fitLine([], columns)];
  for (const [keys, what] of KEYS) {
    lines.push(fitLine([span(`   ${keys.padEnd(16)}`, STRONG), span(what)], columns));
  }
  lines.push(fitLine([], columns), fitLine([span("   any key closes this", QUIET)], columns));
  while (lines.length < height) lines.push(fitLine([], columns));
  return lines.slice(0, height);
}
