import assert from "node:assert/strict";
import { type ActionClass, parseActionClass } from "../../src/core/action_class.ts";
import type { ContextValue, ExecutionEnvelope } from "../../src/core/envelope.ts";
import type { PolicyBundle } from "../../src/core/policy_bundle.ts";
import { cedarModule, initCedar } from "../../src/policy/cedar_module.ts";
import { PolicyEngine, type PolicyEngineOptions } from "../../src/policy/engine.ts";
import { schemaText } from "../../src/policy/schema.ts";

initCedar(await cedarModule());

/** What a test wants to be special about a call. */
export interface CallSketch {
  readonly agent?: string;
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  readonly transport?: ExecutionEnvelope["intent"]["raw_transport"];
  readonly attributes?: Readonly<Record<string, ContextValue>>;
  readonly credential?: ExecutionEnvelope["credential"];
  readonly metadata?: Partial<ExecutionEnvelope["metadata"]>;
}

/** An envelope for a call of a class. */
export function envelope(actionClass: string, sketch: CallSketch = {}): ExecutionEnvelope {
  const { host = "api.example.test", path = "/v1/things", method = "GET" } = sketch;
  return {
    intent: {
      action_class: parseActionClass(actionClass) ?? actionClass as ActionClass,
      resource: { id: host + path, host, path, method },
      raw_transport: sketch.transport ?? "https",
      raw_action_ref: "test.toml:1",
      attributes: sketch.attributes ?? {},
    },
    capability: { token_id: "ctok_test", agent_id: sketch.agent ?? "agt_test" },
    ...(sketch.credential && { credential: sketch.credential }),
    metadata: {
      session_id: "ses_test",
      timestamp_ms: 1_800_000_000_000,
      session_started_ms: 1_799_999_990_000,
      action_count: 1,
      deny_count: 0,
      prior_action_classes: [],
      last_resource: "",
      ...sketch.metadata,
    },
    provenance: { via: "proxy" },
  };
}

/** A bundle of one file, or of several. */
export function bundle(policies: string | Record<string, string>): PolicyBundle {
  const files = typeof policies === "string" ? { "test.cedar": policies } : policies;
  return {
    revision: 1,
    version: "0123456789abcdef",
    policies: Object.entries(files).map(([file, text]) => ({ file, text })),
    schema: schemaText(),
    ttlSeconds: 30,
  };
}

/** An engine over {@linkcode bundle}; fails the test when the bundle is not valid. */
export function engine(
  policies: string | Record<string, string>,
  options?: PolicyEngineOptions,
): PolicyEngine {
  const created = PolicyEngine.create(bundle(policies), options);
  if (!created.ok) assert.fail(JSON.stringify(created.error, null, 2));
  return created.value;
}

/** A scope that names one action. */
export function on(actionClass: string): string {
  return `(principal, action in [Firma::Action::"${actionClass}"], resource)`;
}
