import { type Line, lineWidth, type Span, span } from "./line.ts";
import { QUIET } from "./words.ts";

/** A line across `columns` with a title near its left end. */
export function ruleLine(title: string, columns: number, more: Line = []): Line {
  const start: Span[] = [span("──", QUIET), span(` ${title} `, { bold: true }), ...more];
  return [...start, span("─".repeat(Math.max(0, columns - lineWidth(start))), QUIET)];
}
