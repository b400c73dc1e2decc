import type { ExplainedDecision } from "../explain/explain.ts";
import type { Row } from "../model/row.ts";
import { fitLine, type Line, type Span, span, spread, type Style } from "./line.ts";
import { ruleLine } from "./rule.ts";
import type { Scene } from "./scene.ts";
import { selectedIndex, visibleRows } from "./ui.ts";
import { visibleText, wrapText } from "./width.ts";
import { clock, QUIET, shortPath, STRONG, TONES } from "./words.ts";

const LABEL_WIDTH = 12;
/** Of the text of a policy, so many lines. */
const MOST_POLICY_LINES = 8;

/** What there is to say of the selected row, in `height` lines, the first of them a rule. */
export function detailLines(scene: Scene, columns: number, height: number): Line[] {
  if (height <= 0) return [];
  const { ui } = scene;
  const content = detailContent(scene, columns);
  const room = height - 1;
  const top = Math.min(ui.detailTop, Math.max(0, content.length - room));
  const shown = content.slice(top, top + room).map((line) => fitLine(line, columns));
  while (shown.length < room) shown.push(fitLine([], columns));
  const below = content.length - top - room;
  const more: Span[] = below > 0 || top > 0
    ? [span(ui.focus === "detail" ? "j/k scroll " : "Tab to scroll ", QUIET)]
    : [];
  const title = ui.focus === "detail" ? "▸ why" : "why";
  return [fitLine(ruleLine(title, columns, more), columns), ...shown];
}

function detailContent(scene: Scene, columns: number): Line[] {
  const rows = visibleRows(scene.board, scene.ui);
  const row = rows[selectedIndex(rows, scene.ui)];
  if (row === undefined) return [];
  const { explained } = scene;
  if (explained === undefined) return plainContent(row, columns);
  const body = new Body(columns);
  const { event, why, policies, unknownPolicies, policyNote, facts, remedy, command } = explained;
  body.lines.push(spread(
    [
      span(` ${visibleText(row.word)}  `, TONES[row.tone]),
      span(`${visibleText(event.method)} ${visibleText(event.resource)}`, STRONG),
    ],
    [span(` ${clock(row.atMs)} `, QUIET)],
    columns,
  ));
  const reason = [row.reason, event.detail].filter((part) => part !== "").join(": ");
  body.field("why", reason === "" ? why : `${why} (${reason})`, TONES[row.tone]);
  const directory = explained.texts?.directory ?? "";
  for (const { id, effect, file, line, text } of policies) {
    const path = shortPath(directory === "" ? file : `${directory}/${file}`, scene.home);
    body.field("policy", `${effect} ${id}  ${path}:${line}`, STRONG);
    const source = text.split("\n");
    for (const part of source.slice(0, MOST_POLICY_LINES)) body.code(part, QUIET);
    if (source.length > MOST_POLICY_LINES) body.code("…", QUIET);
  }
  if (unknownPolicies.length > 0) body.field("policy", unknownPolicies.join(", "), STRONG);
  if (policyNote !== "") body.field("", `(${policyNote})`, TONES.warn);
  const saw = facts.map(([name, value]) => `${name} = ${value}`).join("   ");
  if (saw !== "") body.field("it saw", saw);
  if (remedy !== undefined) {
    body.field("would allow", remedy.what);
    for (const part of remedy.code === "" ? [] : remedy.code.split("\n")) {
      body.code(part, TONES.good);
    }
  }
  if (command !== "") body.field("try it", command, TONES.info);
  particulars(explained, body);
  return body.lines;
}

function particulars({ particulars }: ExplainedDecision, body: Body): void {
  for (const [name, value] of particulars) {
    if (name === "method" || name === "resource" || name === "detail") continue;
    body.field(name, value, QUIET);
  }
}

function plainContent(row: Row, columns: number): Line[] {
  const body = new Body(columns);
  body.lines.push(spread(
    [span(` ${visibleText(row.word)}`, TONES[row.tone])],
    [span(` ${clock(row.atMs)} `, QUIET)],
    columns,
  ));
  body.field("", row.what);
  if (row.reason !== "") body.field("reason", row.reason, TONES[row.tone]);
  if (row.agentId !== "") body.field("agent", row.agentId, QUIET);
  if (row.sessionId !== "") body.field("session", row.sessionId, QUIET);
  return body.lines;
}

/** Names on the left, what there is to say of them wrapped on the right. */
class Body {
  readonly lines: Line[] = [];
  readonly #room: number;
  #lastName = "";

  constructor(columns: number) {
    this.#room = Math.max(10, columns - LABEL_WIDTH - 3);
  }

  field(name: string, text: string, style: Style = {}): void {
    wrapText(visibleText(text), this.#room).forEach((part, at) => {
      // A name that is said once need not be said again on the next line.
      const label = at === 0 && name !== this.#lastName ? name : "";
      this.#push(label, part, style);
    });
    this.#lastName = name;
  }

  code(text: string, style: Style): void {
    for (const part of wrapText(visibleText(text), this.#room)) this.#push("", part, style);
    this.#lastName = "";
  }

  #push(label: string, text: string, style: Style): void {
    this.lines.push([
      span(` ${label.slice(0, LABEL_WIDTH).padEnd(LABEL_WIDTH)} `, QUIET),
      span(text, style),
    ]);
  }
}
