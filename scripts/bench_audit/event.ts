import type { ActionClass } from "../../src/core/action_class.ts";
import type { DecisionEvent, OutcomeEvent } from "../../src/core/event.ts";
import { newId } from "../../src/core/id.ts";
import { timestamp } from "../../src/core/timestamp.ts";

const ids = {
  sandbox_id: newId("sbx"),
  session_id: newId("ses"),
  agent_id: newId("agt"),
};

/** A decision with all that a real one carries. */
export function decision(number: number): DecisionEvent {
  const path = `/repos/firma/firma/contents/src/file_${number}.ts`;
  const token = "ctok_01jd0000000000000000000000";
  return {
    ...ids,
    kind: "decision",
    event_id: newId("aevt"),
    timestamp: timestamp(),
    decision: "ALLOW",
    deny_reason: "",
    detail: "",
    action_class: "code.read",
    resource: `api.github.invalid${path}?ref=main&access_token=hunter2`,
    method: "GET",
    token_id: token,
    bundle_version: "0123456789abcdef",
    policy_ids: ["dev.cedar#4"],
    latency_us: 31,
    envelope: {
      intent: {
        action_class: "code.read" as ActionClass,
        resource: {
          id: `api.github.invalid${path}`,
          host: "api.github.invalid",
          path,
          method: "GET",
        },
        raw_transport: "https",
        raw_action_ref: "mappings/github.toml:12",
        attributes: { git_ref: "refs/heads/main" },
      },
      capability: { token_id: token, agent_id: ids.agent_id },
      metadata: {
        session_id: ids.session_id,
        timestamp_ms: Date.now(),
        session_started_ms: Date.now() - 60_000,
        action_count: number,
        deny_count: 3,
        prior_action_classes: ["code.read", "code.read", "system.install"],
        last_resource: "registry.invalid/hono",
      },
      provenance: { pid: 4711, executable: "/usr/bin/node", via: "proxy" },
    },
  };
}

/** What became of it. */
export function outcome(of: DecisionEvent): OutcomeEvent {
  return {
    ...ids,
    kind: "outcome",
    event_id: newId("aevt"),
    timestamp: timestamp(),
    decision_event_id: of.event_id,
    status: 200,
    abort_reason: "",
    detail: "",
    request_bytes: 0,
    response_bytes: 4711,
    head_latency_us: 20_123,
    latency_us: 40_321,
  };
}
