import assert from "node:assert/strict";
import fc from "fast-check";
import { formatEvent } from "../../../src/monitor/lines/event_line.ts";
import type { ExecutionEvent } from "../../../src/core/event.ts";
import { sampleDecision, sampleOutcome } from "../../audit/sample.ts";

const PLAIN = { colour: false };
const BASE = {
  event_id: "aevt_1",
  timestamp: "2025-01-31T12:00:00.000000Z",
  sandbox_id: "sbx_1",
  session_id: "ses_1",
  agent_id: "agt_1",
};

/** The line without its time, which depends on the time zone of the machine. */
function line(event: ExecutionEvent, decided = sampleDecision()): string | undefined {
  const text = formatEvent(event, decided, PLAIN);
  if (text === undefined) return undefined;
  assert.match(text, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /);
  return text.slice(20);
}

Deno.test("formatEvent() shows decisions in columns", () => {
  assert.equal(
    line(sampleDecision({ agent_id: "agt_1", sandbox_id: "sbx_1" })),
    "ALLOW   GET     api.github.invalid/repos/firma/firma         " +
      "class=code.read agent=agt_1 sandbox=sbx_1 policy=dev.cedar#1",
  );
  assert.equal(
    line(sampleDecision({
      decision: "DENY",
      deny_reason: "UnclassifiedIntent",
      action_class: "raw.http.POST",
      method: "POST",
      resource: "example.invalid/a/path/that/is/longer/than/its/column?q=1",
      policy_ids: [],
      detail: "no rule names the host",
      agent_id: "agt_1",
      sandbox_id: "",
    })),
    "DENY    POST    example.invalid/a/path/that/is/longer/than/its/column?q=1 " +
      'class=raw.http.POST agent=agt_1 reason=UnclassifiedIntent detail="no rule names the host"',
  );
});

Deno.test("formatEvent() says of a denial in monitor mode that it held nothing back", () => {
  const denied = { decision: "DENY", deny_reason: "PolicyDenied", sandbox_id: "" } as const;
  assert.match(line(sampleDecision({ ...denied, enforced: false }))!, / enforced=no reason=Policy/);
  assert.doesNotMatch(line(sampleDecision(denied))!, /enforced/);
});

Deno.test("formatEvent() shows an ABORT with what was decided, and no outcome that ended well", () => {
  const abort = sampleOutcome({
    abort_reason: "CONNECTOR_TIMEOUT",
    agent_id: "agt_1",
    sandbox_id: "",
  });
  assert.equal(
    line(abort),
    "ABORT   GET     api.github.invalid/repos/firma/firma         " +
      "class=code.read agent=agt_1 reason=CONNECTOR_TIMEOUT",
  );
  assert.equal(
    formatEvent(abort, undefined, PLAIN)!.slice(20),
    "ABORT   -       decision:aevt_01jd0000000000000000000000     " +
      "agent=agt_1 reason=CONNECTOR_TIMEOUT",
  );
  assert.equal(line(sampleOutcome()), undefined);
});

Deno.test("formatEvent() shows changes of policy, sessions and the log itself", () => {
  assert.equal(
    line({
      ...BASE,
      kind: "policy",
      change: "refused",
      bundle_version: "00ff",
      detail: "dev.cedar:3: no",
    }),
    'POLICY  refused 00ff                                         detail="dev.cedar:3: no"',
  );
  assert.equal(
    line({ ...BASE, kind: "policy", change: "applied", bundle_version: "00ff", detail: "" }),
    "POLICY  applied 00ff",
  );
  assert.equal(
    line({
      ...BASE,
      kind: "session",
      phase: "ended",
      profile: "generic",
      command: "npm (2 arguments)",
      workspace: "/home/me",
      exit_code: 0,
    }),
    'SESSION ended   "npm (2 arguments)"                          ' +
      "agent=agt_1 profile=generic sandbox=sbx_1 exit=0",
  );
  assert.equal(
    line({ ...BASE, kind: "key", change: "truncated", public_key: "", detail: "2 are missing" }),
    "LOG     truncated 2 are missing",
  );
});

Deno.test("formatEvent() shows nothing for a kind of a later version", () => {
  assert.equal(line({ ...BASE, kind: "later" } as unknown as ExecutionEvent), undefined);
});

Deno.test("formatEvent() colours the decision only when asked to", () => {
  const red = "\x1b[31mDENY   \x1b[0m";
  const deny = sampleDecision({ decision: "DENY", deny_reason: "PolicyDenied" });
  assert.ok(formatEvent(deny, undefined, { colour: true })!.includes(red));
  assert.ok(!formatEvent(deny, undefined, PLAIN)!.includes("\x1b"));
});

Deno.test("formatEvent() lets an agent neither move the cursor nor forge a line or a field", () => {
  const hostile = sampleDecision({
    method: "GET\x1b]0;owned\x07",
    resource:
      "evil.invalid/\r\n2025-01-31 12:00:00 ALLOW   GET     good.invalid/\u202e\u009b2J\u2066",
    action_class: "code.read policy=dev.cedar#1",
    detail: 'a" policy=forged "b',
  });
  const spaced = sampleDecision({ resource: "evil.invalid/ class=code.read policy=x" });
  assert.match(line(spaced)!, /"evil.invalid\/ class=code.read policy=x" +class=code.read/);
  const text = formatEvent(hostile, undefined, PLAIN)!;
  // deno-lint-ignore no-control-regex -- controls are what must not be there
  assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
  assert.ok(text.includes('class="code.read policy=dev.cedar#1"'), text);
  assert.ok(text.includes(String.raw`detail="a\" policy=forged \"b"`), text);
});

Deno.test("formatEvent() prints one line without controls whatever is in an event", () => {
  const text = fc.string({ unit: "binary", maxLength: 12 });
  fc.assert(fc.property(text, text, text, text, text, (method, resource, detail, id, time) => {
    const decision = sampleDecision({ method, resource, detail, agent_id: id, timestamp: time });
    const line = formatEvent({ ...decision, policy_ids: [id] }, undefined, PLAIN)!;
    // deno-lint-ignore no-control-regex -- controls are what must not be there
    assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  }));
});
