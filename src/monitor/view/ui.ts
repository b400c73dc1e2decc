import { rowMatcher } from "../model/row_filter.ts";
import type { Row } from "../model/row.ts";
import type { Board } from "../model/board.ts";
import { type ApprovalPressed, type OpenApproval, pressApproval } from "./approval_keys.ts";
import type { Key } from "./keys.ts";

/** What a person has chosen to see. */
export interface Ui {
  /** Number of the selected row; absent: the last one, whichever that is. */
  readonly selected?: number;
  /** Number of the first row in sight while an older one is selected. */
  readonly top: number;
  readonly isDetailOpen: boolean;
  readonly focus: "list" | "detail";
  /** Lines of the detail that are scrolled away. */
  readonly detailTop: number;
  readonly words: string;
  /** What is being typed as a filter. */
  readonly typing?: string;
  readonly onlyDenied: boolean;
  readonly agentId: string;
  /** Number of the last row when the view was paused. */
  readonly pausedAt?: number;
  readonly isHelpOpen: boolean;
  /** What waits for a person and is looked at. */
  readonly approval?: OpenApproval;
}

/** A view as it begins. */
export const FIRST_UI: Ui = {
  top: 0,
  isDetailOpen: false,
  focus: "list",
  detailTop: 0,
  words: "",
  onlyDenied: false,
  agentId: "",
  isHelpOpen: false,
};

/** The rows in question, oldest first. */
export function visibleRows(board: Board, ui: Ui): readonly Row[] {
  const { pausedAt, words, typing, onlyDenied, agentId } = ui;
  const matches = rowMatcher({ words: typing ?? words, onlyDenied, agentId });
  const rows = pausedAt === undefined ? board.rows : board.rows.filter(({ n }) => n <= pausedAt);
  return rows.filter(matches);
}

/** What is around a key when it is pressed. */
export interface Surroundings {
  readonly board: Board;
  /** How many rows are in sight. */
  readonly listHeight: number;
  readonly detailHeight: number;
  /** Identifiers of what waits for a person, the oldest first. @default none */
  readonly waiting?: readonly string[];
}

/** What a key leads to. */
export interface Pressed {
  readonly ui: Ui;
  readonly action?: "quit" | "suspend" | "redraw";
  /** What was decided about something that waits. */
  readonly rule?: ApprovalPressed["rule"];
}

/** The view after a key was pressed. */
export function press(ui: Ui, key: Key, around: Surroundings): Pressed {
  if (key === "interrupt") return { ui, action: "quit" };
  if (key === "suspend") return { ui, action: "suspend" };
  if (key === "redraw") return { ui, action: "redraw" };
  if (ui.approval !== undefined) return ruleWith(ui, ui.approval, key, around);
  if (ui.typing !== undefined) return { ui: type(ui, ui.typing, key) };
  if (ui.isHelpOpen) {
    return isChar(key, "q") ? { ui, action: "quit" } : { ui: { ...ui, isHelpOpen: false } };
  }
  if (typeof key === "object") return pressChar(ui, key.char, around);
  switch (key) {
    case "up":
      return { ui: move(ui, -1, around) };
    case "down":
      return { ui: move(ui, 1, around) };
    case "page-up":
      return { ui: move(ui, -pageOf(ui, around), around) };
    case "page-down":
      return { ui: move(ui, pageOf(ui, around), around) };
    case "home":
      return { ui: move(ui, -Infinity, around) };
    case "end":
      return { ui: move(ui, Infinity, around) };
    case "enter":
      return { ui: { ...ui, isDetailOpen: !ui.isDetailOpen, focus: "list", detailTop: 0 } };
    case "tab":
      return {
        ui: {
          ...ui,
          isDetailOpen: true,
          focus: ui.isDetailOpen && ui.focus === "list" ? "detail" : "list",
        },
      };
    case "escape":
      return { ui: escape(ui) };
    default:
      return { ui };
  }
}

function ruleWith(ui: Ui, approval: OpenApproval, key: Key, around: Surroundings): Pressed {
  const { open, rule } = pressApproval(approval, key, around.waiting ?? []);
  const { approval: _, ...rest } = ui;
  return { ui: open === undefined ? rest : { ...ui, approval: open }, ...(rule && { rule }) };
}

function isChar(key: Key, char: string): boolean {
  return typeof key === "object" && key.char === char;
}

function pressChar(ui: Ui, char: string, around: Surroundings): Pressed {
  switch (char) {
    case "q":
      return { ui, action: "quit" };
    case "k":
      return { ui: move(ui, -1, around) };
    case "j":
      return { ui: move(ui, 1, around) };
    case "g":
      return { ui: move(ui, -Infinity, around) };
    case "G":
      return { ui: move(ui, Infinity, around) };
    case "/":
      return { ui: { ...ui, typing: ui.words, focus: "list" } };
    case "d":
      return { ui: { ...ui, onlyDenied: !ui.onlyDenied } };
    case "a":
      return { ui: { ...ui, agentId: nextAgent(ui.agentId, around.board) } };
    case "A": {
      const [first] = around.waiting ?? [];
      return { ui: first === undefined ? ui : { ...ui, approval: { id: first, top: 0 } } };
    }
    case "p":
    case " ": {
      const { pausedAt, ...rest } = ui;
      return { ui: pausedAt === undefined ? { ...ui, pausedAt: around.board.lastN } : rest };
    }
    case "?":
    case "h":
      return { ui: { ...ui, isHelpOpen: true } };
    default:
      return { ui };
  }
}

function type(ui: Ui, typing: string, key: Key): Ui {
  const { typing: _, ...rest } = ui;
  if (typeof key === "object") return { ...ui, typing: typing + key.char };
  if (key === "enter") return { ...rest, words: typing.trim() };
  if (key === "escape") return rest;
  if (key === "backspace") return { ...ui, typing: [...typing].slice(0, -1).join("") };
  return key === "clear" ? { ...ui, typing: "" } : ui;
}

/** Undoes what was chosen last: one thing at a time. */
function escape(ui: Ui): Ui {
  if (ui.focus === "detail") return { ...ui, focus: "list" };
  if (ui.isDetailOpen) return { ...ui, isDetailOpen: false, detailTop: 0 };
  return { ...ui, words: "", onlyDenied: false, agentId: "" };
}

function pageOf(ui: Ui, { listHeight, detailHeight }: Surroundings): number {
  return Math.max(1, (ui.focus === "detail" ? detailHeight : listHeight) - 1);
}

function move(ui: Ui, by: number, around: Surroundings): Ui {
  if (ui.focus === "detail") {
    return { ...ui, detailTop: Math.max(0, by === Infinity ? 1e6 : ui.detailTop + by) };
  }
  const rows = visibleRows(around.board, ui);
  if (rows.length === 0) return ui;
  const from = selectedIndex(rows, ui);
  const to = Math.min(rows.length - 1, Math.max(0, from + by));
  const { selected: _, ...rest } = ui;
  // Whoever goes to the end goes on with what is new.
  if (to === rows.length - 1) return { ...rest, detailTop: 0 };
  return {
    ...rest,
    selected: rows[to]!.n,
    top: topFor(rows, to, ui, around.listHeight),
    detailTop: 0,
  };
}

/** The first row in sight so that row `index` is in sight too, with as little change as can be. */
function topFor(rows: readonly Row[], index: number, ui: Ui, height: number): number {
  const before = windowStart(rows, ui, height);
  const start = index < before ? index : index >= before + height ? index - height + 1 : before;
  return rows[Math.max(0, start)]!.n;
}

/** Where the selection is in `rows`; the row after it where it is not there any more. */
export function selectedIndex(rows: readonly Row[], { selected }: Ui): number {
  if (selected === undefined) return rows.length - 1;
  const at = rows.findIndex(({ n }) => n >= selected);
  return at < 0 ? rows.length - 1 : at;
}

/** The index of the first row in sight. */
export function windowStart(rows: readonly Row[], ui: Ui, height: number): number {
  const last = Math.max(0, rows.length - height);
  if (ui.selected === undefined) return last;
  const index = selectedIndex(rows, ui);
  const found = rows.findIndex(({ n }) => n >= ui.top);
  const start = found < 0 ? last : Math.min(found, last);
  return Math.max(0, Math.min(index, Math.max(start, index - height + 1)));
}

function nextAgent(agentId: string, board: Board): string {
  const agents = board.agents.sorted().map(([name]) => name).sort();
  return ["", ...agents][(["", ...agents].indexOf(agentId) + 1) % (agents.length + 1)]!;
}
