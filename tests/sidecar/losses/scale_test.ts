import assert from "node:assert/strict";
import type { ExecutionEnvelope } from "../../../src/core/envelope.ts";
import { unacceptedLosses } from "../../../src/core/session_state.ts";
import type { LossQuestion } from "../../../src/sidecar/losses/question.ts";
import { LossScale } from "../../../src/sidecar/losses/scale.ts";
import type { SessionView } from "../../../src/sidecar/pipeline/draft.ts";
import { SessionTable } from "../../../src/sidecar/pipeline/session_table.ts";
import { Standing } from "../../../src/sidecar/pipeline/standing.ts";
import { SessionFold } from "../../../src/sidecar/session_fold.ts";
import { ALICE, type Desk, withDesk } from "../../approvals/support.ts";
import { bundle } from "../../policy/support.ts";
import { Events, mapping, NOW_MS, session, SESSION_ID } from "../pipeline/support.ts";

const PERMIT = `@id("may") permit (principal, action, resource);`;
const ASK = `${PERMIT}
  @id("ask") @step_up("Go on?") forbid (principal, action, resource)
  when { context.deleted_files > 50 };`;
const FORBID = `${PERMIT}
  @id("no") forbid (principal, action, resource) when { context.deleted_files > 50 };`;

/** A scale over a session and approvals of its own. */
class Weighing {
  readonly events = new Events();
  readonly sessions = new SessionTable();
  readonly standing = new Standing(mapping(), true);
  readonly scale: LossScale;

  constructor(desk: Desk, policy: string, changes: Partial<SessionView> = {}) {
    this.standing.apply(bundle(policy), NOW_MS + 30_000);
    this.standing.revoked = new Set();
    this.sessions.open({ ...session(), ...changes });
    const config = { mode: "async_token", maxWaitMs: 1, retryAfterMs: 1, redactNames: [] } as const;
    this.scale = new LossScale({
      standing: this.standing,
      sessions: this.sessions,
      sink: this.events,
      approvals: { desk: desk.approvals, config },
      now: () => NOW_MS,
    });
  }

  async weigh(deleted: number, step: LossQuestion["step"] = "look") {
    const paths = ["src/\\x1b[2J"];
    return await this.scale.weigh({ sessionId: SESSION_ID, deleted, paths, step });
  }

  /** What was recorded of the losses. */
  recorded(): readonly (readonly [string, number | undefined])[] {
    return this.events.all.flatMap((event) =>
      event.kind === "decision"
        ? [[event.decision, event.envelope?.metadata.deleted_files] as const]
        : []
    );
  }

  /** What the session has lost without a person's word; whoever folds the events says the same. */
  get unaccepted(): number {
    const fold = new SessionFold();
    fold.begin(SESSION_ID);
    for (const event of this.events.all) fold.take(event);
    const mine = this.sessions.get(SESSION_ID)!.state;
    assert.deepEqual(fold.state(SESSION_ID).losses, mine.losses);
    return unacceptedLosses(mine);
  }
}

Deno.test("weigh() lets a few deletions be, asks once they are many, and takes a person's word", () =>
  withDesk(async (desk) => {
    const weighing = new Weighing(desk, ASK);
    assert.deepEqual(await weighing.weigh(50), { kind: "free" });
    assert.equal(weighing.unaccepted, 50);
    // Looking asks nobody yet: the agent still runs.
    assert.deepEqual(await weighing.weigh(51), { kind: "ask" });
    assert.deepEqual(desk.approvals.list(), []);
    assert.deepEqual(await weighing.weigh(70, "ask"), { kind: "ask" });
    const [{ id, subject }] = desk.approvals.list() as [ReturnType<Desk["approvals"]["list"]>[0]];
    assert.match(subject.summary, /the deletion of 70 files/);
    const waiting = weighing.weigh(70, "wait");
    desk.approve(id);
    assert.deepEqual(await waiting, { kind: "free" });
    assert.equal(weighing.unaccepted, 0);
    // What was permitted counts no more, and files that are back make no room for others.
    assert.deepEqual(await weighing.weigh(120), { kind: "free" });
    assert.equal(weighing.unaccepted, 50);
    assert.deepEqual(await weighing.weigh(121), { kind: "ask" });
    assert.deepEqual(await weighing.weigh(10), { kind: "free" });
    assert.equal(weighing.unaccepted, 0);
    assert.deepEqual(weighing.recorded(), [
      ["ALLOW", 50],
      ["STEP_UP", 70],
      ["ALLOW", 70],
      ["ALLOW", 50],
      ["ALLOW", 0],
    ]);
    assert.equal(weighing.sessions.get(SESSION_ID)!.state.actionCount, 0);
  }));

Deno.test("weigh() ends the run on a person's no, and on a policy that nobody can lift", () =>
  withDesk(async (desk) => {
    const asking = new Weighing(desk, ASK);
    await asking.weigh(51, "ask");
    const waiting = asking.weigh(51, "wait");
    const { id } = desk.approvals.list()[0]!;
    assert.ok(desk.approvals.rule(id, { kind: "deny" }, ALICE, "my files").ok);
    const verdict = await waiting;
    assert.ok(verdict.kind === "end" && /was denied by a person: my files/.test(verdict.detail));
    const forbidding = new Weighing(desk, FORBID);
    assert.equal((await forbidding.weigh(50)).kind, "free");
    assert.equal((await forbidding.weigh(51)).kind, "end");
    assert.equal(forbidding.recorded().at(-1)![0], "DENY");
  }));

Deno.test("weigh() ends no run for want of a permit, nor where policies are not enforced", () =>
  withDesk(async (desk) => {
    const silent = new Weighing(
      desk,
      '@id("x") permit (principal, action, resource) when { false };',
    );
    assert.equal((await silent.weigh(51)).kind, "free");
    const observed = new Weighing(desk, FORBID, { observed: true });
    assert.equal((await observed.weigh(51)).kind, "free");
    for (const { events } of [silent, observed]) {
      const [event] = events.all;
      assert.ok(
        event?.kind === "decision" && event.decision === "DENY" && event.enforced === false,
      );
    }
  }));

Deno.test("weigh() does not know where there is no policy, no record or no session", () =>
  withDesk(async (desk) => {
    const weighing = new Weighing(desk, FORBID);
    weighing.standing.bundle = undefined;
    assert.deepEqual(await weighing.weigh(51), { kind: "unknown" });
    const full = new Weighing(desk, FORBID);
    full.events.accepting = false;
    assert.deepEqual(await full.weigh(51), { kind: "unknown" });
    const over = new Weighing(desk, FORBID);
    over.sessions.end(SESSION_ID);
    assert.deepEqual(await over.weigh(51), { kind: "unknown" });
  }));

Deno.test("weigh() counts what a person approved as a command when it goes away", () =>
  withDesk(async (desk) => {
    const weighing = new Weighing(desk, ASK);
    const removal = (approved: boolean) => ({
      event_id: "",
      timestamp: "",
      sandbox_id: "",
      session_id: SESSION_ID,
      agent_id: "",
      kind: "decision" as const,
      decision: "ALLOW" as const,
      deny_reason: "" as const,
      detail: "",
      ...(approved && { approval_id: "apr_1" }),
      action_class: "filesystem.delete",
      resource: "exec:///bin/rm",
      method: "EXEC",
      token_id: "",
      bundle_version: "",
      policy_ids: [],
      latency_us: 0,
      envelope: {
        intent: { attributes: { filesystem_delete_count: 200 } },
        provenance: { via: "exec" },
        metadata: {},
      } as unknown as ExecutionEnvelope,
    });
    weighing.sessions.record(removal(false));
    assert.deepEqual(await weighing.weigh(200), { kind: "ask" });
    weighing.sessions.record(removal(true));
    assert.deepEqual(await weighing.weigh(200), { kind: "free" });
    assert.deepEqual(await weighing.weigh(251), { kind: "ask" });
  }));
