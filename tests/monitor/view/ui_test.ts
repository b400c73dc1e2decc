import assert from "node:assert/strict";
import { Board } from "../../../src/monitor/model/board.ts";
import type { Key } from "../../../src/monitor/view/keys.ts";
import {
  FIRST_UI,
  press,
  selectedIndex,
  type Ui,
  visibleRows,
  windowStart,
} from "../../../src/monitor/view/ui.ts";
import { sampleDecision } from "../../audit/sample.ts";
import { entriesOf } from "./scenes.ts";

const HEIGHT = 5;

/** Twenty decisions; every fourth is a denial, and there are two agents. */
function board(count = 20): Board {
  const board = new Board();
  const events = Array.from({ length: count }, (_, i) =>
    sampleDecision({
      event_id: `aevt_${i}`,
      resource: `host.invalid/${i}`,
      decision: i % 4 === 0 ? "DENY" : "ALLOW",
      agent_id: i % 2 === 0 ? "agt_even" : "agt_odd",
    }));
  for (const entry of entriesOf(events)) board.add(entry);
  return board;
}

/** A person in front of a board. */
class Seat {
  ui: Ui = FIRST_UI;
  action: string | undefined;
  readonly board: Board;

  constructor(start = board()) {
    this.board = start;
  }

  press(...keys: (Key | string)[]): this {
    for (const key of keys) {
      const known = typeof key === "string" && [...key].length === 1 ? { char: key } : key as Key;
      const { ui, action } = press(this.ui, known, {
        board: this.board,
        listHeight: HEIGHT,
        detailHeight: 4,
      });
      this.ui = ui;
      this.action = action;
    }
    return this;
  }

  get rows(): string[] {
    return visibleRows(this.board, this.ui).map(({ what }) => what.slice("host.invalid/".length));
  }

  get selected(): string {
    return this.rows[selectedIndex(visibleRows(this.board, this.ui), this.ui)]!;
  }

  get sight(): string[] {
    const start = windowStart(visibleRows(this.board, this.ui), this.ui, HEIGHT);
    return this.rows.slice(start, start + HEIGHT);
  }

  more(name: string): void {
    const event = sampleDecision({ event_id: name, resource: `host.invalid/${name}` });
    for (const entry of entriesOf([event])) this.board.add(entry);
  }
}

Deno.test("press() follows what is new until an older row is selected", () => {
  const seat = new Seat();
  assert.equal(seat.selected, "19");
  seat.more("new");
  assert.equal(seat.selected, "new");
  seat.press("up", "k");
  assert.equal(seat.selected, "18");
  assert.deepEqual(seat.sight, ["16", "17", "18", "19", "new"], "the list does not jump");
  seat.more("newer");
  assert.equal(seat.selected, "18");
  assert.deepEqual(seat.sight, ["16", "17", "18", "19", "new"], "nor when something comes");
  seat.press("G");
  assert.equal(seat.selected, "newer");
  seat.more("newest");
  assert.equal(seat.selected, "newest");
});

Deno.test("press() scrolls by one row at the edges and by pages", () => {
  const seat = new Seat().press("home");
  assert.equal(seat.selected, "0");
  assert.deepEqual(seat.sight, ["0", "1", "2", "3", "4"]);
  seat.press("down", "down", "down", "down", "down");
  assert.deepEqual(seat.sight, ["1", "2", "3", "4", "5"]);
  seat.press("page-down");
  assert.equal(seat.selected, "9");
  seat.press("page-up", "page-up", "page-up", "up");
  assert.equal(seat.selected, "0");
  seat.press("end");
  assert.equal(seat.ui.selected, undefined);
});

Deno.test("press() filters by words while they are typed, keeps or drops them", () => {
  const seat = new Seat().press("/", "1", "9");
  assert.deepEqual(seat.rows, ["19"]);
  seat.press("backspace");
  assert.equal(seat.rows.length, 11);
  seat.press("escape");
  assert.equal(seat.rows.length, 20);
  seat.press("/", ..."DENY 1", "enter");
  assert.deepEqual(seat.rows, ["12", "16"]);
  seat.press("/", "clear", "q");
  assert.equal(seat.ui.typing, "q", "a key is a letter while one types");
  seat.press("escape", "escape");
  assert.equal(seat.rows.length, 20);
});

Deno.test("press() shows denials only, one agent after the other, and all again", () => {
  const seat = new Seat().press("d");
  assert.deepEqual(seat.rows, ["0", "4", "8", "12", "16"]);
  seat.press("d", "a");
  assert.ok(seat.rows.every((row) => Number(row) % 2 === 0));
  seat.press("a");
  assert.ok(seat.rows.every((row) => Number(row) % 2 === 1));
  seat.press("a");
  assert.equal(seat.rows.length, 20);
});

for (const key of ["p", " "]) {
  Deno.test(`press() pauses and goes on with "${key}"`, () => {
    const seat = new Seat().press(key);
    seat.more("new");
    assert.equal(seat.rows.at(-1), "19");
    seat.press(key);
    assert.equal(seat.rows.at(-1), "new");
  });
}

Deno.test("press() opens and closes the detail, scrolls it, and gives the focus back", () => {
  const seat = new Seat().press("enter");
  assert.ok(seat.ui.isDetailOpen);
  seat.press("tab", "down", "down");
  assert.equal(seat.ui.detailTop, 2);
  assert.equal(seat.selected, "19", "the list stays");
  seat.press("tab", "up");
  assert.equal(seat.selected, "18");
  assert.equal(seat.ui.detailTop, 0, "another row begins at its top");
  seat.press("tab", "escape", "escape");
  assert.ok(!seat.ui.isDetailOpen);
});

Deno.test("press() asks for what only a terminal can do", () => {
  assert.equal(new Seat().press("q").action, "quit");
  assert.equal(new Seat().press("/", "x", "interrupt").action, "quit");
  assert.equal(new Seat().press("suspend").action, "suspend");
  assert.equal(new Seat().press("redraw").action, "redraw");
  const help = new Seat().press("?");
  assert.ok(help.ui.isHelpOpen);
  assert.ok(!help.press("j").ui.isHelpOpen);
});

Deno.test("press() moves to what is there when the selected row is forgotten", () => {
  const small = new Board(4);
  const seat = new Seat(small);
  for (let i = 0; i < 4; i++) seat.more(`${i}`);
  seat.press("home");
  assert.equal(seat.selected, "0");
  for (let i = 4; i < 20; i++) seat.more(`${i}`);
  assert.ok(Number(seat.selected) >= 14, seat.selected);
  seat.press("down");
  assert.ok(Number(seat.selected) >= 15, seat.selected);
});
