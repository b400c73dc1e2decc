import type { Row } from "../model/row.ts";
import { fitLine, type Line, type Span, span, type Style } from "./line.ts";
import { ruleLine } from "./rule.ts";
import type { Scene } from "./scene.ts";
import { selectedIndex, visibleRows, windowStart } from "./ui.ts";
import { fitMiddle, fitText, visibleText } from "./width.ts";
import { clock, counted, QUIET, shortId, STRONG, TONES } from "./words.ts";

interface Column {
  readonly title: string;
  /** 0: what is left. */
  readonly width: number;
  /** From how many columns of the terminal on it is shown. */
  readonly from: number;
  readonly text: (row: Row, width: number) => string;
  readonly style: (row: Row) => Style;
}

const plain = () => ({});
const quiet = () => QUIET;

const COLUMNS: readonly Column[] = [
  { title: "time", width: 8, from: 40, text: ({ atMs }) => clock(atMs), style: quiet },
  {
    title: "decision",
    width: 11,
    from: 0,
    text: ({ word }) => visibleText(word),
    style: ({ tone }) => TONES[tone],
  },
  { title: "method", width: 7, from: 72, text: ({ method }) => visibleText(method), style: plain },
  {
    title: "resource",
    width: 0,
    from: 0,
    text: ({ what }, width) => fitMiddle(visibleText(what), width),
    style: ({ tone }) => tone === "quiet" ? QUIET : {},
  },
  {
    title: "class",
    width: 24,
    from: 92,
    text: ({ actionClass }, width) => fitMiddle(visibleText(actionClass), width),
    style: quiet,
  },
  {
    title: "agent",
    width: 12,
    from: 132,
    text: ({ agentId }) => shortId(agentId),
    style: quiet,
  },
  {
    title: "reason",
    width: 20,
    from: 112,
    text: ({ reason }) => visibleText(reason),
    style: ({ tone }) => TONES[tone],
  },
];

/** The list of decisions: a rule, the titles, and `height` - 2 rows. */
export function listLines(scene: Scene, columns: number, height: number): Line[] {
  const { ui } = scene;
  const rows = visibleRows(scene.board, ui);
  const room = Math.max(0, height - 2);
  const start = windowStart(rows, ui, room);
  const selected = selectedIndex(rows, ui);
  const widths = columnWidths(columns);
  const lines = rows.slice(start, start + room).map((row, at): Line => {
    return rowLine(row, widths, columns, start + at === selected);
  });
  if (rows.length === 0) lines.push(fitLine([span(`  ${emptyText(scene)}`, QUIET)], columns));
  while (lines.length < room) lines.push(fitLine([], columns));
  const titles = widths.flatMap(([{ title }, width]): Span[] => [span(fitText(title, width + 1))]);
  const header = fitLine([span("  "), ...titles.map((part) => ({ ...part, ...QUIET }))], columns);
  return [listRule(scene, rows.length, columns), header, ...lines].slice(0, height);
}

function columnWidths(columns: number): (readonly [Column, number])[] {
  const shown = COLUMNS.filter(({ from }) => columns >= from);
  const fixed = shown.reduce((sum, { width }) => sum + width + 1, 0);
  const left = Math.max(4, columns - fixed - 3);
  return shown.map((column) => [column, column.width || left] as const);
}

function rowLine(
  row: Row,
  widths: readonly (readonly [Column, number])[],
  columns: number,
  isSelected: boolean,
): Line {
  const ground: Style = isSelected ? { selected: true } : {};
  const cells = widths.flatMap(([{ text, style }, width]): Span[] => [
    span(fitText(text(row, width), width), { ...style(row), ...ground }),
    span(" ", ground),
  ]);
  return fitLine([span(isSelected ? "▌ " : "  ", ground), ...cells], columns, ground);
}

function listRule({ ui, board }: Scene, shown: number, columns: number): Line {
  const parts: Span[] = [];
  const say = (text: string, style: Style) => parts.push(span(text, style), span(" "));
  if (ui.onlyDenied) say("only denials", TONES.bad);
  if (ui.agentId !== "") say(`agent ${shortId(ui.agentId)}`, TONES.info);
  if (ui.words !== "" && ui.typing === undefined) say(`"${visibleText(ui.words)}"`, TONES.info);
  if (parts.length > 0) say(`${counted(shown, "row")}`, QUIET);
  if (ui.pausedAt !== undefined && board.lastN > ui.pausedAt) {
    say(`${counted(board.lastN - ui.pausedAt, "new row")}`, { ...TONES.warn, ...STRONG });
  }
  return fitLine(ruleLine("live", columns, parts), columns);
}

function emptyText({ ui, board }: Scene): string {
  const isFiltered = ui.onlyDenied || ui.agentId !== "" || (ui.typing ?? ui.words) !== "";
  if (board.lastN === 0) return "nothing was decided yet; firma run -- <command> starts an agent";
  return isFiltered ? "nothing here matches; Esc shows everything again" : "";
}
