/**
 * What one decision costs: normalise and match, stage 1 (choose the capability
 * token), stage 2 (Cedar), under the posture "dev" and all mapping packs. Each
 * call is timed alone. Run: `deno run -A scripts/bench_decision.ts [calls]`.
 */
import { preparsePolicySet, statefulIsAuthorized } from "@cedar-policy/cedar-wasm/web";
import { actionClassLineage } from "../src/core/action_class.ts";
import type { CapabilityClaims } from "../src/core/capability.ts";
import type { ExecutionEnvelope, HttpCall } from "../src/core/envelope.ts";
import { newId } from "../src/core/id.ts";
import { type Result, unwrap } from "../src/core/result.ts";
import { selectToken } from "../src/capability/select.ts";
import { normaliseCall, type RawCall } from "../src/mapping/call.ts";
import type { MatchedRule } from "../src/mapping/rule.ts";
import { MappingTable } from "../src/mapping/table.ts";
import { cedarModule, initCedar } from "../src/policy/cedar_module.ts";
import { PolicyEngine, type PolicyEngineOptions } from "../src/policy/engine.ts";
import { schemaText } from "../src/policy/schema.ts";

const COUNT = Number(Deno.args[0] ?? 20_000);
const PACKS = new URL("../packs/mappings/", import.meta.url);
const DEV = Deno.readTextFileSync(new URL("../packs/postures/dev.cedar", import.meta.url));
/** A rule of an operator that looks at the session's history, so that no two calls are alike. */
const HISTORY = `
@id("operator.read-then-send")
forbid (principal, action, resource)
when {
  context.prior_action_classes.contains("credential.read") && context.action_count > 1000000000
};`;

const CALLS: readonly RawCall[] = [
  { method: "GET", scheme: "https", authority: "api.github.com", target: "/repos/o/r" },
  { method: "GET", scheme: "https", authority: "api.github.com", target: "/repos/o/r/issues/1" },
  {
    method: "POST",
    scheme: "https",
    authority: "api.anthropic.com",
    target: "/v1/messages?beta=true",
  },
  { method: "GET", scheme: "https", authority: "api.github.com", target: "/user/repos" },
];

const now = Date.now();
const session = newId("ses");
const agent = newId("agt");
const claims: CapabilityClaims = {
  token_id: newId("ctok"),
  agent_id: agent,
  session_id: session,
  action_set: ["*"],
  resource_scope: ["**"],
  issued_at: new Date(now).toISOString(),
  expiry: new Date(now + 3_600_000).toISOString(),
  context_hash: "0".repeat(64),
  policy_bundle_version: "0123456789abcdef",
};
const revoked = new Set<string>();

function orExit<T>(result: Result<T, unknown>): T {
  if (result.ok) return result.value;
  console.error(result.error);
  Deno.exit(1);
}

function engine(policies: string, options: PolicyEngineOptions): PolicyEngine {
  return orExit(PolicyEngine.create({
    revision: 1,
    version: "0123456789abcdef",
    policies: [{ file: "dev.cedar", text: policies }],
    schema: schemaText(),
    ttlSeconds: 30,
  }, options));
}

function loadTable(): MappingTable {
  const names = [...Deno.readDirSync(PACKS)].map(({ name }) => name)
    .filter((name) => name.endsWith(".toml")).sort();
  const files = names.map((file) => ({
    file,
    text: Deno.readTextFileSync(new URL(file, PACKS)),
  }));
  return orExit(MappingTable.parse(files));
}

/** The envelope of the `number`th call of the session. */
function envelope(
  { host, path, method }: HttpCall,
  rule: MatchedRule,
  number: number,
): ExecutionEnvelope {
  return {
    intent: {
      action_class: rule.actionClass,
      resource: { id: host + path, host, path, method },
      raw_transport: "https",
      raw_action_ref: rule.ref,
      attributes: {},
    },
    capability: { token_id: claims.token_id, agent_id: agent },
    metadata: {
      session_id: session,
      timestamp_ms: now,
      session_started_ms: now,
      action_count: number,
      deny_count: 0,
      prior_action_classes: ["system.install", "model.inference", "code.read"],
      last_resource: host + path,
    },
    provenance: { via: "proxy" },
  };
}

function select(rule: MatchedRule, host: string, path: string): void {
  const actionLineage = actionClassLineage(rule.actionClass);
  unwrapDecision(selectToken([claims], { actionLineage, host, path, nowMs: now, revoked }).ok);
}

function unwrapDecision(allowed: boolean): void {
  if (!allowed) throw new Error("Cannot measure: the call is denied");
}

/** Times each of COUNT runs; returns p50 and p99 in microseconds. */
function measure(run: (number: number) => void): { p50: number; p99: number } {
  for (let i = 0; i < 5_000; i++) run(-1 - i);
  const times = new Float64Array(COUNT);
  for (let i = 0; i < COUNT; i++) {
    const start = performance.now();
    run(i);
    times[i] = performance.now() - start;
  }
  times.sort();
  const at = (share: number) => Math.round(times[Math.floor(COUNT * share)]! * 10_000) / 10;
  return { p50: at(0.5), p99: at(0.99) };
}

initCedar(await cedarModule());
const table = loadTable();
const canonical = CALLS.map((raw) => unwrap(normaliseCall(raw)));
const rules = canonical.map((call) => {
  const rule = table.match(call);
  if (rule === undefined) throw new Error(`Cannot measure "${call.path}": no rule matches`);
  return rule;
});
const remembering = engine(DEV, {});
const forgetting = engine(DEV, { memoCapacity: 0 });
const missing = engine(DEV + HISTORY, {});

function stage2(subject: PolicyEngine): (number: number) => void {
  return (number) => {
    const index = Math.abs(number) % CALLS.length;
    const call = envelope(canonical[index]!, rules[index]!, number);
    unwrapDecision(subject.decide(call).decision === "allow");
  };
}

function whole(subject: PolicyEngine): (number: number) => void {
  return (number) => {
    const raw = CALLS[Math.abs(number) % CALLS.length]!;
    const call = unwrap(normaliseCall(raw));
    const rule = table.match(call);
    if (rule === undefined) throw new Error("Cannot measure: no rule matches");
    select(rule, call.host, call.path);
    unwrapDecision(subject.decide(envelope(call, rule, number)).decision === "allow");
  };
}

preparsePolicySet("floor", {
  staticPolicies: { floor: "permit (principal, action, resource);" },
});
/** The least that a question to Cedar costs on this machine at this moment. */
function floor(): void {
  const uid = { type: "A", id: "" };
  const action = { type: "Action", id: "" };
  statefulIsAuthorized({
    principal: uid,
    action,
    resource: uid,
    context: {},
    preparsedPolicySetId: "floor",
    entities: [],
    validateRequest: false,
  });
}

const CASES: readonly [string, (number: number) => void][] = [
  ["normalise and match", (number) => {
    table.match(unwrap(normaliseCall(CALLS[Math.abs(number) % CALLS.length]!)));
  }],
  ["stage 1: choose the token", (number) => {
    const index = Math.abs(number) % CALLS.length;
    select(rules[index]!, "api.github.com", "/repos/o/r");
  }],
  ["Cedar alone, one policy, no context", floor],
  ["stage 2, memo hit", stage2(remembering)],
  ["stage 2, memo miss (history rule)", stage2(missing)],
  ["stage 2, no memo", stage2(forgetting)],
  ["whole decision, memo hit", whole(remembering)],
  ["whole decision, memo miss (history rule)", whole(missing)],
  ["whole decision, no memo", whole(forgetting)],
];

console.log(`${COUNT} calls each, ${table.size} mapping rules, posture dev`);
console.log(`${"µs".padEnd(42)} p50      p99`);
for (const [name, run] of CASES) {
  const { p50, p99 } = measure(run);
  console.log(`${name.padEnd(38)} ${p50.toFixed(1).padStart(7)} ${p99.toFixed(1).padStart(8)}`);
}
console.log("bars: memo hit p50 25; without memo p50 90, p99 300");
