import assert from "node:assert/strict";
import { ALICE, Desk, START_MS, subject, withDesk } from "./support.ts";

const OTHER = {
  "another request": { fingerprint: "11".repeat(32) },
  "another session": { sessionId: "ses_11111111111111111111111111" },
  "another sandbox": { sandboxId: "sbx_11111111111111111111111111" },
  "another agent": { agentId: "agt_11111111111111111111111111" },
  "another question": { challenges: ["Something else?"] },
  "another class": { actionClass: "payment.refund" },
  "a program that asked": { kind: "question" },
} as const;

Deno.test("ask() meets the same approval until somebody decides, passes once, and asks anew", () =>
  withDesk(async (desk) => {
    const id = await desk.pending();
    assert.equal(await desk.pending(), id);
    assert.equal(desk.announced.length, 1);
    assert.ok(desk.approve(id).ok);
    assert.deepEqual(await desk.ask(), { kind: "passed", id });
    const next = await desk.pending();
    assert.notEqual(next, id);
    assert.deepEqual(desk.events.map(({ change, approval_id }) => [change, approval_id]), [
      ["requested", id],
      ["approved", id],
      ["used", id],
      ["requested", next],
    ]);
  }));

for (const [name, changes] of Object.entries(OTHER)) {
  Deno.test(`ask() does not let ${name} pass by an approval`, () =>
    withDesk(async (desk) => {
      const id = await desk.pending();
      assert.ok(desk.approve(id).ok);
      const answer = await desk.ask(changes);
      assert.ok(answer.kind === "pending" && answer.id !== id);
      assert.equal((await desk.ask()).kind, "passed"); // the control: the approval is unharmed
    }));
}

Deno.test("rule() refuses to decide twice, and what is used, expired, revoked or nothing", () =>
  withDesk(async (desk) => {
    assert.equal(desk.refusal("apr_00000000000000000000000000"), "NO_APPROVAL");
    const id = await desk.pending();
    assert.equal(desk.refusal(id), "");
    assert.equal(desk.refusal(id), "APPROVAL_DECIDED");
    const denied = desk.approvals.rule(id, { kind: "deny" }, ALICE, "");
    assert.ok(!denied.ok && denied.error.code === "APPROVAL_DECIDED");
    assert.match(denied.error.message, /approved already, by alice \(uid 1000\)/);
    await desk.ask();
    assert.equal(desk.refusal(id), "APPROVAL_USED");
    const late = await desk.pending();
    desk.nowMs += 3_600_000;
    assert.equal(desk.refusal(late), "APPROVAL_EXPIRED");
    const revoked = await desk.pending();
    assert.ok(desk.approvals.rule(revoked, { kind: "revoke" }, ALICE, "").ok);
    assert.equal(desk.refusal(revoked), "APPROVAL_REVOKED");
    const taken = await desk.pending();
    assert.ok(desk.approve(taken).ok);
    assert.ok(desk.approvals.rule(taken, { kind: "revoke" }, ALICE, "").ok);
    assert.equal((await desk.ask()).kind, "pending");
  }));

Deno.test("ask() takes an approval whose time is over for none", () =>
  withDesk(async (desk) => {
    const id = await desk.pending();
    desk.approve(id);
    desk.nowMs += 300_000;
    assert.notEqual(await desk.pending(), id);
    assert.equal(desk.events.at(-2)!.change, "expired");
  }));

Deno.test("ask() passes as often as was said, for a time or for the session", () =>
  withDesk(async (desk) => {
    const id = await desk.pending();
    assert.ok(desk.approve(id, { forMs: 600_000 }).ok);
    for (const _ of [1, 2, 3]) assert.equal((await desk.ask()).kind, "passed");
    desk.nowMs += 600_000;
    const again = await desk.pending();
    assert.ok(desk.approve(again, { session: true }).ok);
    desk.nowMs += 86_400_000;
    assert.equal((await desk.ask()).kind, "passed");
    desk.approvals.endSession(subject().sessionId);
    assert.equal((await desk.ask()).kind, "pending");
    assert.deepEqual(
      desk.events.filter(({ change }) => change === "approved").map((event) => [
        event.grant,
        event.until,
      ]),
      [["period", new Date(START_MS + 600_000).toISOString()], ["session", undefined]],
    );
  }));

Deno.test("ask() uses nothing up where the request cannot go on all the same", () =>
  withDesk(async (desk) => {
    desk.approve(await desk.pending());
    for (const _ of [1, 2]) assert.equal((await desk.ask({}, false)).kind, "passed");
    assert.equal((await desk.ask()).kind, "passed");
    assert.equal((await desk.ask()).kind, "pending");
  }));

Deno.test("ask() remembers a denial for a while: nobody is asked the same again and again", () =>
  withDesk(async (desk) => {
    const id = await desk.pending();
    assert.ok(desk.approvals.rule(id, { kind: "deny" }, ALICE, "not today").ok);
    assert.deepEqual(await desk.ask(), { kind: "denied", id, reason: "not today" });
    desk.nowMs += 300_000;
    assert.equal((await desk.ask()).kind, "pending");
  }));

Deno.test("ask() bounds what a session may have waiting, and leaves room for others", () =>
  withDesk(async (desk) => {
    for (const n of [1, 2]) await desk.pending({ fingerprint: String(n) });
    const more = await desk.ask({ fingerprint: "3" });
    assert.ok(more.kind === "refused" && more.reason === "FailClosed");
    assert.match(more.detail, /too much of this session/);
    const other = { sessionId: "ses_11111111111111111111111111" };
    const id = await desk.pending(other);
    const last = await desk.ask({ ...other, fingerprint: "2" });
    assert.ok(last.kind === "refused");
    // What is decided makes room.
    desk.approve(id);
    await desk.pending({ ...other, fingerprint: "2" });
  }, { limits: { pendingOfSession: 2, pending: 3 } }));

Deno.test("ask() keeps a thousand requests waiting at once", () =>
  withDesk(async (desk, directory) => {
    const of = (n: number) => ({
      sessionId: `ses_${String(n % 10).repeat(26)}`,
      fingerprint: String(n),
    });
    const numbers = Array.from({ length: 1_000 }, (_, n) => n);
    const ids: string[] = [];
    for (const n of numbers) ids.push(await desk.pending(of(n)));
    assert.equal(new Set(ids).size, 1_000);
    assert.equal(desk.approvals.list().length, 1_000);
    const [file] = [...Deno.readDirSync(directory)];
    assert.equal(Deno.statSync(`${directory}/${file!.name}`).mode! & 0o777, 0o600);
    const some = numbers.filter((n) => n % 20 === 0);
    for (const n of some) assert.equal(desk.refusal(ids[n]!), "");
    for (const n of some) assert.equal((await desk.ask(of(n))).kind, "passed");
    for (const n of some) assert.notEqual(await desk.pending(of(n)), ids[n]);
    assert.equal(desk.approvals.list().length, 1_000);
  }));

Deno.test("ask() refuses what is too long to be shown whole", () =>
  withDesk(async (desk) => {
    const answer = await desk.ask({ summary: "x".repeat(20_000) });
    assert.ok(answer.kind === "refused" && answer.reason === "MalformedRequest");
    assert.equal(desk.events.length, 0);
  }));

Deno.test("nothing changes that cannot be recorded", () =>
  withDesk(async (desk) => {
    desk.takesRecords = false;
    assert.equal((await desk.ask()).kind, "refused");
    desk.takesRecords = true;
    const id = await desk.pending();
    desk.takesRecords = false;
    assert.equal(desk.refusal(id), "AUDIT_UNAVAILABLE");
    desk.takesRecords = true;
    assert.equal((await desk.ask()).kind, "pending");
    desk.approve(id);
    desk.takesRecords = false;
    assert.equal((await desk.ask()).kind, "refused");
    desk.takesRecords = true;
    assert.equal((await desk.ask()).kind, "passed");
  }));

Deno.test("ask() waits for a decision, and no longer than it may", () =>
  withDesk(async (desk) => {
    const question = { subject: subject(), use: true, waitMs: 60_000 };
    const held = desk.approvals.ask(question);
    const second = desk.approvals.ask(question);
    desk.approve(desk.approvals.list()[0]!.id);
    assert.equal((await held).kind, "decided");
    assert.equal((await second).kind, "decided");
    assert.equal((await desk.ask()).kind, "passed");
    assert.equal((await desk.approvals.ask({ ...question, waitMs: 1 })).kind, "pending");
    const left = new AbortController();
    const leaving = desk.approvals.ask(question, left.signal);
    left.abort();
    assert.equal((await leaving).kind, "pending");
    const orphaned = desk.approvals.ask(question);
    desk.approvals.endSession(subject().sessionId);
    assert.equal((await orphaned).kind, "refused");
  }));

Deno.test("records say who approved what they were shown, and nothing that moves a cursor", () =>
  withDesk(async (desk) => {
    const nasty = "POST https://bank.test/\u001b[2K\u202eexe\nok";
    const id = await desk.pending({ summary: nasty, details: [["body\r", "\u009b31m"]] });
    desk.approve(id);
    const [, approved] = desk.events;
    assert.deepEqual(approved!.by, ALICE);
    assert.equal(approved!.detail, "looks right");
    assert.equal(approved!.shown, desk.events[0]!.shown);
    assert.match(approved!.shown, /question\s+Transfer money\?/);
    assert.match(approved!.shown, /POST https:\/\/bank\.test\/\\x1b\[2K\\u202eexe\\x0aok/);
    // deno-lint-ignore no-control-regex -- controls are what must not be there
    assert.doesNotMatch(approved!.shown, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  }));

Deno.test("approvals outlive the Sidecar that kept them, used ones stay used", () =>
  withDesk(async (desk, directory) => {
    const waiting = await desk.pending({ fingerprint: "waiting" });
    desk.approve(await desk.pending({ fingerprint: "approved" }));
    const used = await desk.pending({ fingerprint: "used" });
    desk.approve(used);
    await desk.ask({ fingerprint: "used" });
    // While it lives, nobody takes over what is its own.
    const beside = new Desk(directory);
    assert.deepEqual(beside.approvals.list(), []);
    beside.approvals.close();
    desk.approvals.close();
    const next = new Desk(directory);
    try {
      assert.equal((await next.ask({ fingerprint: "approved" })).kind, "passed");
      assert.equal((await next.ask({ fingerprint: "approved" })).kind, "pending");
      assert.equal(next.refusal(used), "APPROVAL_USED");
      assert.equal(await next.pending({ fingerprint: "waiting" }), waiting);
      assert.equal(next.refusal(waiting), "");
    } finally {
      next.approvals.close();
    }
  }));

Deno.test("a journal that was tampered with or torn approves nothing", () =>
  withDesk(async (desk, directory) => {
    desk.approve(await desk.pending());
    desk.approvals.close();
    const [entry] = [...Deno.readDirSync(directory)];
    const path = `${directory}/${entry!.name}`;
    const text = Deno.readTextFileSync(path);
    // The control: a line that was being written when the Sidecar ended is left out.
    Deno.writeTextFileSync(path, `${text}{"id":"apr_`);
    const torn = new Desk(directory);
    assert.equal((await torn.ask({}, false)).kind, "passed");
    torn.approvals.close();
    const [again] = [...Deno.readDirSync(directory)];
    Deno.writeTextFileSync(`${directory}/${again!.name}`, `{}\n${text}`);
    const damaged = new Desk(directory);
    assert.equal((await damaged.ask()).kind, "pending");
    assert.deepEqual(damaged.damages, ["APPROVALS_DAMAGED"]);
    damaged.approvals.close();
  }));
