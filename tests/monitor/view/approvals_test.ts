import assert from "node:assert/strict";
import type { ApprovalRow } from "../../../src/daemon/approvals.ts";
import { FIRST_UI, press, type Ui } from "../../../src/monitor/view/ui.ts";
import type { Key } from "../../../src/monitor/view/keys.ts";
import { drawPicture } from "../../../src/monitor/view/picture.ts";
import { Board } from "../../../src/monitor/model/board.ts";
import { STANDING } from "../storyboard.ts";
import { storyScene } from "./scenes.ts";

const FIRST = "apr_01jd8xk5w7e0v9c3b2n4m6q8r1";
const SECOND = "apr_01jd8xk5w7e0v9c3b2n4m6q8r2";

function row(id: string, changes: Partial<ApprovalRow> = {}): ApprovalRow {
  return {
    approval_id: id,
    state: "pending",
    kind: "call",
    questions: ["Pay?"],
    summary: "POST https://api.bank.invalid/payouts",
    shown: "question  Pay?\nwants to call  POST https://api.bank.invalid/payouts",
    action_class: "payment.payout",
    agent_id: "agt_x",
    session_id: "ses_x",
    sandbox_id: "sbx_x",
    requested_at: "2025-01-31T12:04:00.000Z",
    until: null,
    grant: null,
    uses: 0,
    decided_by: null,
    decided_at: null,
    reason: "",
    ...changes,
  };
}

function pressed(ui: Ui, key: Key | string, waiting: readonly string[]) {
  const known = typeof key === "string" && key.length === 1 ? { char: key } : key as Key;
  return press(ui, known, { board: new Board(), listHeight: 5, detailHeight: 5, waiting });
}

function picture(ui: Partial<Ui>, waiting: readonly ApprovalRow[]): string {
  const scene = storyScene(ui, { standing: { ...STANDING, waiting } });
  return drawPicture(scene, { columns: 100, rows: 30 })
    .map((line) => line.map(({ text }) => text).join("")).join("\n");
}

Deno.test("press() approves and denies what is looked at with one key, and nothing before", () => {
  for (const key of ["y", "n"]) {
    assert.equal(pressed(FIRST_UI, key, [FIRST]).rule, undefined);
  }
  const { ui } = pressed(FIRST_UI, "A", [FIRST, SECOND]);
  assert.deepEqual(ui.approval, { id: FIRST, top: 0 });
  assert.deepEqual(pressed(ui, "y", [FIRST, SECOND]).rule, { id: FIRST, verb: "approve" });
  const next = pressed(ui, "right", [FIRST, SECOND]).ui;
  assert.deepEqual(pressed(next, "n", [FIRST, SECOND]).rule, { id: SECOND, verb: "deny" });
  assert.equal(pressed(next, "escape", [FIRST]).ui.approval, undefined);
  assert.equal(pressed(FIRST_UI, "A", []).ui.approval, undefined);
});

Deno.test("press() decides what was drawn, whatever came or went meanwhile", () => {
  const { ui } = pressed(FIRST_UI, "A", [FIRST]);
  const newest = "apr_01jd8xk5w7e0v9c3b2n4m6q8r0";
  assert.deepEqual(pressed(ui, "y", [newest, FIRST]).rule, { id: FIRST, verb: "approve" });
  assert.equal(pressed(ui, "y", [newest]).rule, undefined);
  assert.equal(pressed(ui, "y", []).rule, undefined);
});

Deno.test("the view says that something waits, and shows all of it", () => {
  const waiting = [row(FIRST, { shown: "wants to call  \u001b[2J\u202ex\nbody 5" }), row(SECOND)];
  const list = picture({}, waiting);
  assert.match(list, /waits for approval .*POST https:\/\/api\.bank\.invalid\/payouts and 1 more/);
  assert.doesNotMatch(picture({}, []), /waits for approval/);
  const open = picture({ approval: { id: FIRST, top: 0 } }, waiting);
  assert.match(open, /Approval 1 of 2, asked 31s ago/);
  assert.match(open, /wants to call {2}\\x1b\[2J\\u202ex/);
  assert.match(open, /y approve once/);
  const gone = picture({ approval: { id: FIRST, top: 0 } }, [row(SECOND)]);
  assert.match(gone, /It does not wait any more/);
  assert.doesNotMatch(gone, /approve once/);
  const long = row(FIRST, { shown: Array.from({ length: 60 }, (_, i) => `line ${i}`).join("\n") });
  assert.match(picture({ approval: { id: FIRST, top: 0 } }, [long]), /more lines/);
  assert.match(picture({ approval: { id: FIRST, top: 99 } }, [long]), /line 59/);
});
