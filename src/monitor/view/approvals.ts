import type { ApprovalRow } from "../../daemon/approvals.ts";
import type { Standing } from "../standing/standing.ts";
import { fitLine, type Line, type Span, span } from "./line.ts";
import { ruleLine } from "./rule.ts";
import type { Scene } from "./scene.ts";
import { visibleText, wrapText } from "./width.ts";
import { ago, counted, QUIET, STRONG, TONES } from "./words.ts";

/** What waits for a person, the oldest first. */
export function waitingIn(standing: Standing): readonly ApprovalRow[] {
  return standing.waiting ?? [];
}

/** Says that something waits, where that is so. */
export function waitingLine({ standing }: Scene, columns: number): Line[] {
  const [first] = waitingIn(standing);
  if (first === undefined) return [];
  const count = waitingIn(standing).length;
  const more = count > 1 ? ` and ${counted(count - 1, "more")}` : "";
  return [fitLine([
    span(" ▲ waits for approval ", { ...TONES.warn, bold: true }),
    span(visibleText(first.summary), STRONG),
    span(`${more}   `, QUIET),
    span("A", STRONG),
    span(" look", QUIET),
  ], columns)];
}

/** All there is to see of the approval that is open, in `height` lines, with what can be done. */
export function approvalLines(scene: Scene, columns: number, height: number): Line[] {
  const { standing, ui, nowMs, said = "" } = scene;
  const open = ui.approval;
  if (open === undefined) return [];
  const waiting = waitingIn(standing);
  const at = waiting.findIndex(({ approval_id }) => approval_id === open.id);
  const row = waiting[at];
  const title = row === undefined
    ? "Approval"
    : `Approval ${at + 1} of ${waiting.length}, asked ${
      ago(nowMs - Date.parse(row.requested_at))
    } ago`;
  const lines: Line[] = [ruleLine(title, columns, said === "" ? [] : [span(`  ${said}`)])];
  const text = row === undefined ? ["It does not wait any more."] : textOf(row, columns - 4);
  const room = Math.max(0, height - 3);
  const top = Math.min(open.top, Math.max(0, text.length - room));
  for (const line of text.slice(top, top + room)) lines.push([span("  "), span(line)]);
  while (lines.length < height - 1) lines.push([]);
  const rest = text.length - top - room;
  lines.push([
    ...choices(row !== undefined),
    ...rest > 0 ? [span(`↓ ${rest} more lines`, TONES.warn)] : [],
  ]);
  return lines.slice(0, height).map((line) => fitLine(line, columns));
}

function textOf(row: ApprovalRow, columns: number): string[] {
  const shown = row.shown === "" ? row.summary : row.shown;
  return [row.approval_id, ...shown.split("\n")]
    .flatMap((line) => wrapText(visibleText(line), Math.max(1, columns)));
}

function choices(isOpen: boolean): Span[] {
  const keys: readonly (readonly [string, string])[] = isOpen
    ? [["y", "approve once"], ["n", "deny"], ["←→", "others"], ["Esc", "leave it"]]
    : [["←→", "others"], ["Esc", "back"]];
  return [
    span(" "),
    ...keys.flatMap(([key, what]) => [span(key, STRONG), span(` ${what}   `, QUIET)]),
  ];
}
