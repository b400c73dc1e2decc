import assert from "node:assert/strict";
import {
  type AuthorizationCall,
  type CedarValueJson,
  isAuthorized,
} from "@cedar-policy/cedar-wasm/web";
import fc from "fast-check";
import { ACTION_CLASSES } from "../../src/core/action_class.ts";
import type { ExecutionEnvelope } from "../../src/core/envelope.ts";
import { CONTEXT_ATTRIBUTES } from "../../src/policy/context.ts";
import { PolicyEngine } from "../../src/policy/engine.ts";
import { schemaText } from "../../src/policy/schema.ts";
import { bundle, envelope } from "./support.ts";

const CLASSES = [
  "code.read",
  "communication.external.send",
  "model.inference",
  "payment.transfer",
];
const AGENTS = ["agt_a", "agt_b"];
const HOSTS = ["a.test", "b.test"];
const PATHS = ["/", "/x"];
const SCHEMA = schemaText(ACTION_CLASSES.filter(({ name }) => CLASSES.includes(name)));

const actionUid = fc.constantFrom(...CLASSES).map((name) => `Firma::Action::"${name}"`);
const agentUid = fc.constantFrom(...AGENTS).map((id) => `Firma::Agent::"${id}"`);
const resourceUid = fc.tuple(fc.constantFrom(...HOSTS), fc.constantFrom(...PATHS))
  .map(([host, path]) => `Firma::Resource::"${host}${path}"`);

const { condition } = fc.letrec<{ long: string; condition: string }>((tie) => ({
  long: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(
      "context.action_count",
      "context.deny_count",
      "context.transfer_amount",
      "0",
      "2",
      "9223372036854775807",
    ),
    fc.tuple(tie("long"), fc.constantFrom("+", "-", "*"), tie("long"))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
  ),
  condition: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(
      "true",
      "false",
      'context.session_id == "ses_a"',
      'context.last_resource like "*.test"',
      'context.prior_action_classes.contains("code.read")',
      '(context has git_ref && context.git_ref == "refs/heads/main")',
      "context has git_owner",
      'resource.id == "a.test/"',
      '(resource has host && resource.host == "a.test")',
      '(resource has method && resource.method == "GET")',
      '(resource has "path" && resource["path"] == "/x")',
      "context == context",
    ),
    agentUid.map((uid) => `principal == ${uid}`),
    resourceUid.map((uid) => `resource in [${uid}]`),
    actionUid.map((uid) => `action in ${uid}`),
    actionUid.map((uid) => `action == ${uid}`),
    fc.tuple(tie("long"), fc.constantFrom("<", "<=", "==", "!="), tie("long"))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    fc.tuple(tie("condition"), fc.constantFrom("&&", "||"), tie("condition"))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie("condition").map((a) => `!(${a})`),
    fc.tuple(tie("condition"), tie("condition"), tie("condition"))
      .map(([a, b, c]) => `(if ${a} then ${b} else ${c})`),
  ),
}));

const scope = fc.tuple(
  fc.oneof(fc.constant("principal"), agentUid.map((uid) => `principal == ${uid}`)),
  fc.oneof(
    fc.constant("action"),
    actionUid.map((uid) => `action == ${uid}`),
    actionUid.map((uid) => `action in ${uid}`),
    fc.array(actionUid, { minLength: 1, maxLength: 3 }).map((uids) => `action in [${uids}]`),
  ),
  fc.oneof(
    fc.constantFrom("resource", "resource is Firma::Resource"),
    resourceUid.map((uid) => `resource == ${uid}`),
  ),
).map((parts) => `(${parts.join(", ")})`);

const policy = fc.tuple(
  fc.constantFrom("permit", "forbid"),
  scope,
  fc.array(fc.tuple(fc.constantFrom("when", "unless"), condition), { maxLength: 2 }),
).map(([effect, scope, clauses]) =>
  `${effect} ${scope} ${clauses.map(([kind, body]) => `${kind} { ${body} }`).join(" ")};`
);

const call: fc.Arbitrary<ExecutionEnvelope> = fc.record({
  actionClass: fc.constantFrom(...CLASSES),
  agent: fc.constantFrom(...AGENTS),
  host: fc.constantFrom(...HOSTS),
  path: fc.constantFrom(...PATHS),
  method: fc.constantFrom("GET", "POST"),
  session: fc.constantFrom("ses_a", "ses_b"),
  count: fc.nat(3),
  denied: fc.nat(3),
  prior: fc.subarray(["code.read", "model.inference"]),
  last: fc.constantFrom("", "a.test"),
  amount: fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER),
  ref: fc.option(fc.constantFrom("refs/heads/main", "refs/heads/topic"), { nil: undefined }),
}).map((c) =>
  envelope(c.actionClass, {
    agent: c.agent,
    host: c.host,
    path: c.path,
    method: c.method,
    attributes: {
      transfer_amount: c.amount,
      daily_cumulative_amount: 0,
      transfers_last_10m: 0,
      same_payee_count_30m: 0,
      session_transfer_count: 0,
      ...(c.ref !== undefined && { git_ref: c.ref }),
    },
    metadata: {
      session_id: c.session,
      action_count: c.count,
      deny_count: c.denied,
      prior_action_classes: c.prior,
      last_resource: c.last,
    },
  })
);

const OVERFLOW = `forbid (principal, action, resource)
when { context.action_count + 9223372036854775807 > 0 };`;

interface Verdict {
  readonly decision: string;
  readonly policyIds: readonly string[];
  readonly failed: boolean;
}

/** Decides with everything that there is: all policies, the schema, the whole context. */
function decideWhole(policies: Record<string, string>, given: ExecutionEnvelope): Verdict {
  const { resource, action_class } = given.intent;
  const context: Record<string, CedarValueJson> = {};
  for (const { name, read } of CONTEXT_ATTRIBUTES) {
    const value = read(given);
    if (value !== undefined) context[name] = value as CedarValueJson;
  }
  const uid = { type: "Firma::Resource", id: resource.id };
  const request: AuthorizationCall = {
    principal: { type: "Firma::Agent", id: given.capability.agent_id },
    action: { type: "Firma::Action", id: action_class },
    resource: uid,
    context,
    schema: SCHEMA,
    validateRequest: true,
    policies: { staticPolicies: policies },
    entities: [{ uid, attrs: { ...resource }, parents: [] }],
  };
  const answer = isAuthorized(request);
  assert.equal(answer.type, "success", JSON.stringify(answer));
  const { decision, diagnostics } = answer.response;
  const failed = diagnostics.errors.length > 0;
  const policyIds = failed
    ? diagnostics.errors.map(({ policyId }) => policyId)
    : diagnostics.reason;
  return { decision: failed ? "deny" : decision, policyIds: policyIds.sort(), failed };
}

function decideWith(engine: PolicyEngine, given: ExecutionEnvelope): Verdict {
  const { decision, policyIds, errors } = engine.decide(given);
  return { decision, policyIds, failed: errors.length > 0 };
}

Deno.test("deciding without Cedar what policies without conditions say changes no decision", () => {
  const effect = fc.constantFrom("permit", "forbid");
  const action = fc.oneof(fc.constant("action"), actionUid.map((uid) => `action in ${uid}`));
  const unconditional = fc.tuple(effect, action).map(([effect, action]) =>
    `${effect} (principal, ${action}, resource);`
  );
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(unconditional, { minLength: 1, maxLength: 4 }), call, (texts, given) => {
      const engine = PolicyEngine.create({
        ...bundle({ "p.cedar": texts.join("") }),
        schema: SCHEMA,
      });
      assert.ok(engine.ok);
      const policies = Object.fromEntries(texts.map((text, i) => [`p.cedar#${i + 1}`, text]));
      const whole = decideWhole(policies, given);
      assert.deepEqual(decideWith(engine.value, given), whole);
      seen.add(whole.decision);
    }),
    { numRuns: 60 },
  );
  assert.equal(seen.size, 2);
});

Deno.test("deciding without Cedar what policies say of host and method changes no decision", () => {
  const attribute = fc.constantFrom("host", "method");
  const text = fc.constantFrom("a.test", "b.test", "GET", "");
  const operator = fc.constantFrom("==", "!=");
  const { plain } = fc.letrec<{ plain: string }>((tie) => ({
    plain: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom("true", "false"),
      attribute.map((name) => `resource has ${name}`),
      fc.tuple(attribute, operator, text)
        .map(([a, op, b]) => `(resource has ${a} && resource.${a} ${op} "${b}")`),
      fc.tuple(attribute, operator, text)
        .map(([a, op, b]) => `(resource has ${a} && "${b}" ${op} resource["${a}"])`),
      fc.tuple(tie("plain"), fc.constantFrom("&&", "||"), tie("plain"))
        .map(([a, op, b]) => `((${a}) ${op} (${b}))`),
      tie("plain").map((a) => `!(${a})`),
    ),
  }));
  const clause = fc.tuple(fc.constantFrom("when", "unless"), plain)
    .map(([kind, body]) => `${kind} { ${body} }`);
  const conditional = fc.tuple(
    fc.constantFrom("permit", "forbid"),
    fc.oneof(fc.constant("action"), actionUid.map((uid) => `action in ${uid}`)),
    fc.array(clause, { maxLength: 2 }),
  ).map(([effect, action, clauses]) =>
    `${effect} (principal, ${action}, resource) ${clauses.join(" ")};`
  );
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(conditional, { minLength: 1, maxLength: 4 }), call, (texts, given) => {
      const { engine, whole } = bothWays(texts, given);
      assert.deepEqual(decideWith(engine, given), whole);
      assert.deepEqual(decideWith(engine, given), whole);
      seen.add(`${whole.decision} ${whole.policyIds.length > 0}`);
    }),
    { numRuns: 80 },
  );
  assert.equal(seen.size, 3);
});

function bothWays(texts: readonly string[], given: ExecutionEnvelope) {
  const engine = PolicyEngine.create({
    ...bundle({ "p.cedar": texts.join("\n") }),
    schema: SCHEMA,
  });
  assert.ok(engine.ok, JSON.stringify(engine));
  const policies = Object.fromEntries(texts.map((text, i) => [`p.cedar#${i + 1}`, text]));
  return { engine: engine.value, whole: decideWhole(policies, given) };
}

Deno.test("slicing and remembering change no decision", () => {
  const decisions = { allow: 0, deny: 0, failed: 0 };
  fc.assert(
    fc.property(
      fc.array(policy, { minLength: 1, maxLength: 6 }),
      fc.array(call, { minLength: 12, maxLength: 12 }),
      (texts, calls) => {
        const given = { ...bundle({ "p.cedar": texts.join("\n") }), schema: SCHEMA };
        const plain = PolicyEngine.create(given, { memoCapacity: 0 });
        // Small enough that entries are also forgotten.
        const remembering = PolicyEngine.create(given, { memoCapacity: 8 });
        assert.ok(plain.ok && remembering.ok, JSON.stringify(plain));
        const policies = Object.fromEntries(texts.map((text, i) => [`p.cedar#${i + 1}`, text]));
        for (const each of [...calls, ...calls.toReversed()]) {
          const whole = decideWhole(policies, each);
          assert.deepEqual(decideWith(plain.value, each), whole);
          assert.deepEqual(decideWith(remembering.value, each), whole);
          decisions[whole.failed ? "failed" : whole.decision as "allow" | "deny"]++;
        }
      },
    ),
    // Chance alone makes an overflow too rarely to count on.
    { numRuns: 60, examples: [[[OVERFLOW], fc.sample(call, 12)]] },
  );
  // The test means nothing unless all three happen.
  for (const [kind, count] of Object.entries(decisions)) assert.ok(count > 0, `${kind} ${count}`);
});
