import assert from "node:assert/strict";
import {
  type EventFilter,
  matchesFilter,
  parseSince,
} from "../../../src/monitor/source/event_filter.ts";
import type { PolicyEvent } from "../../../src/core/event.ts";
import { unwrap } from "../../../src/core/result.ts";
import { sampleDecision, sampleOutcome } from "../../audit/sample.ts";

const NOW = Date.parse("2025-01-31T12:00:00Z");

for (
  const [text, expected] of [
    ["90s", "2025-01-31T11:58:30Z"],
    ["15m", "2025-01-31T11:45:00Z"],
    ["2h", "2025-01-31T10:00:00Z"],
    ["1d", "2025-01-30T12:00:00Z"],
    ["2025-01-30T12:00:00Z", "2025-01-30T12:00:00Z"],
    ["2025-01-30T12:00:00.250+02:00", "2025-01-30T10:00:00.250Z"],
  ] as const
) {
  Deno.test(`parseSince() takes "${text}"`, () => {
    assert.equal(unwrap(parseSince(text, NOW)), Date.parse(expected));
  });
}

for (
  const text of [
    "",
    "15",
    "m",
    "-5m",
    "1w",
    "1h30m",
    "yesterday",
    "2025-01-30",
    "2025-13-30T12:00:00Z",
  ]
) {
  Deno.test(`parseSince() refuses "${text}" and says what it takes`, () => {
    const result = parseSince(text, NOW);
    assert.ok(!result.ok);
    assert.match(result.error.message, /it is neither a duration nor RFC 3339/);
    assert.match(result.error.cure!, /15m/);
  });
}

const DENY = sampleDecision({ decision: "DENY", deny_reason: "PolicyDenied" });
const ALLOW = sampleDecision();
const ABORT = sampleOutcome({ abort_reason: "CONNECTOR_TIMEOUT" });
const ENDED = sampleOutcome();
const POLICY: PolicyEvent = {
  ...sampleOutcome(),
  kind: "policy",
  change: "applied",
  bundle_version: "0123456789abcdef",
  detail: "",
};

const CASES: Record<string, { filter: EventFilter; shown: unknown[]; hidden: unknown[] }> = {
  "no filter": { filter: {}, shown: [DENY, ALLOW, ABORT, ENDED, POLICY], hidden: [] },
  "decision": {
    filter: { decision: "DENY" },
    shown: [DENY],
    hidden: [ALLOW, ABORT, ENDED, POLICY],
  },
  "ABORT": { filter: { decision: "ABORT" }, shown: [ABORT], hidden: [ALLOW, DENY, ENDED, POLICY] },
  "action class": {
    filter: { actionClass: "code.read" },
    shown: [DENY, ALLOW, ABORT, ENDED],
    hidden: [POLICY, sampleDecision({ action_class: "code.write" })],
  },
  "agent": {
    filter: { agentId: ALLOW.agent_id },
    shown: [ALLOW, POLICY],
    hidden: [sampleDecision({ agent_id: "agt_other" })],
  },
  "sandbox": {
    filter: { sandboxId: ALLOW.sandbox_id },
    shown: [ALLOW],
    hidden: [sampleDecision({ sandbox_id: "" })],
  },
  "time": {
    filter: { sinceMs: Date.parse("2025-01-31T12:00:00Z") },
    shown: [ALLOW],
    hidden: [
      sampleDecision({ timestamp: "2025-01-31T11:59:59.999999Z" }),
      sampleDecision({ timestamp: "garbage" }),
    ],
  },
};

for (const [what, { filter, shown, hidden }] of Object.entries(CASES)) {
  Deno.test(`matchesFilter() with ${what}`, () => {
    const matches = (event: unknown) => {
      const candidate = event as typeof ALLOW | typeof ABORT;
      return matchesFilter(filter, candidate, candidate.kind === "outcome" ? ALLOW : undefined);
    };
    for (const event of shown) assert.ok(matches(event), JSON.stringify(event));
    for (const event of hidden) assert.ok(!matches(event), JSON.stringify(event));
  });
}

Deno.test("matchesFilter() leaves an outcome out whose class nobody knows", () => {
  assert.ok(!matchesFilter({ actionClass: "code.read" }, ABORT, undefined));
  assert.ok(matchesFilter({ decision: "ABORT" }, ABORT, undefined));
});
