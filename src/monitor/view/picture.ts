import { approvalLines } from "./approvals.ts";
import { counterLines } from "./counters.ts";
import { detailLines } from "./detail.ts";
import { footerLine } from "./footer.ts";
import { headerLines } from "./header.ts";
import { helpLines } from "./help.ts";
import { fitLine, type Line, span } from "./line.ts";
import { listLines } from "./list.ts";
import type { Scene, Size } from "./scene.ts";
import { visibleRows } from "./ui.ts";

/** Smaller than this there is nothing to be seen. */
const SMALLEST: Size = { columns: 24, rows: 6 };

/** How the rows of a terminal are given out. */
export interface Layout {
  readonly counters: number;
  readonly list: number;
  readonly detail: number;
}

/** Gives out the rows that the header and the footer leave. */
export function layoutOf(scene: Scene, size: Size, header: number): Layout {
  const left = size.rows - header - 1;
  if (!scene.ui.isDetailOpen) {
    const most = size.columns >= 60 ? 6 : 1;
    const counters = Math.min(most, left >= 26 ? 6 : left >= 18 ? 5 : left >= 11 ? 1 : 0);
    return { counters, list: left - counters, detail: 0 };
  }
  // Who asks why wants to see why: counters stand back first, then the list.
  const counters = left >= 40 && size.columns >= 60 ? 6 : left >= 18 ? 1 : 0;
  const most = Math.max(4, Math.floor((left - counters) * 0.4));
  const list = Math.min(most, visibleRows(scene.board, scene.ui).length + 3, left - counters);
  return { counters, list, detail: left - counters - list };
}

/** The whole screen: exactly `size.rows` lines of `size.columns` columns. */
export function drawPicture(scene: Scene, size: Size): Line[] {
  const { columns, rows } = size;
  if (columns < SMALLEST.columns || rows < SMALLEST.rows) return tooSmall(size);
  const header = headerLines(scene, columns).slice(0, Math.max(1, rows - 6));
  const footer = footerLine(scene, columns);
  if (scene.ui.isHelpOpen) {
    return [...header, ...helpLines(columns, rows - header.length - 1), footer];
  }
  if (scene.ui.approval !== undefined) {
    return [...header, ...approvalLines(scene, columns, rows - header.length - 1), footer];
  }
  const layout = layoutOf(scene, size, header.length);
  const lines = [
    ...header,
    ...counterLines(scene, columns, layout.counters),
    ...listLines(scene, columns, layout.list),
    ...detailLines(scene, columns, layout.detail),
    footer,
  ];
  // A line that is too long by one column would shift all that follow it.
  return lines.map((line) => fitLine(line, columns));
}

/** How many rows of the list, and lines of the detail, are in sight. */
export function roomOf(scene: Scene, size: Size): { list: number; detail: number } {
  const header = Math.min(headerLines(scene, size.columns).length, Math.max(1, size.rows - 6));
  const { list, detail } = layoutOf(scene, size, header);
  return { list: Math.max(1, list - 2), detail: Math.max(1, detail - 1) };
}

function tooSmall({ columns, rows }: Size): Line[] {
  const lines: Line[] = [fitLine([span("firma: enlarge me")], columns)];
  while (lines.length < rows) lines.push(fitLine([], columns));
  return lines.slice(0, rows);
}
