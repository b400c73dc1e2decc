import assert from "node:assert/strict";
import type { Denial, Draft, Stage } from "../../../src/sidecar/pipeline/draft.ts";
import { capability } from "../../../src/sidecar/pipeline/capability.ts";
import { classify } from "../../../src/sidecar/pipeline/classify.ts";
import { compose } from "../../../src/sidecar/pipeline/compose.ts";
import { locality } from "../../../src/sidecar/pipeline/locality.ts";
import { policy } from "../../../src/sidecar/pipeline/policy.ts";
import { readiness } from "../../../src/sidecar/pipeline/readiness.ts";
import type { HttpCall } from "../../../src/core/envelope.ts";
import type { PolicyDecision } from "../../../src/policy/outcome.ts";
import { claims, draft, mapping, NOW_MS, session, TOKEN_ID } from "./support.ts";

function http(changes: Partial<HttpCall> = {}): HttpCall {
  return {
    method: "GET",
    scheme: "https",
    host: "api.code.test",
    port: 443,
    path: "/repos/acme/rocket",
    query: "",
    ...changes,
  };
}

function reason(stage: Stage, subject: Draft): string {
  const said = stage(subject);
  if (said instanceof Promise) throw new Error("the stage had to wait");
  return said?.reason ?? "goes on";
}

const DENIAL: Denial = { reason: "PolicyDenied", detail: "" };

Deno.test("compose() runs stages in order and stops at the first denial", () => {
  const ran: string[] = [];
  const stage = (name: string, said?: Denial): Stage => () => {
    ran.push(name);
    return said;
  };
  const composed = compose(stage("a"), stage("b", DENIAL), stage("c"));
  assert.equal(composed(draft()), DENIAL);
  assert.deepEqual(ran, ["a", "b"]);
  assert.equal(compose(stage("d"), stage("e"))(draft()), undefined);
});

Deno.test("compose() waits only where a stage waits", async () => {
  const ran: string[] = [];
  const waiting = compose(
    () => Promise.resolve(undefined).then(() => void ran.push("waited")),
    () => void ran.push("after"),
    () => DENIAL,
  );
  const said = waiting(draft());
  assert.ok(said instanceof Promise);
  assert.equal(await said, DENIAL);
  assert.deepEqual(ran, ["waited", "after"]);
});

Deno.test("compose() lets an error through, for the gate to deny", async () => {
  const boom = new Error("boom");
  assert.throws(() =>
    compose(() => {
      throw boom;
    })(draft()), boom);
  await assert.rejects(async () => await compose(() => Promise.reject(boom))(draft()), boom);
});

const LOCAL: Record<string, string> = {
  "localhost": "localhost",
  "a name under localhost": "anything.localhost",
  "IPv4 loopback": "127.0.0.1",
  "IPv4 loopback elsewhere": "127.8.8.8",
  "the unspecified address": "0.0.0.0",
  "cloud metadata": "169.254.169.254",
  "a private network": "10.1.2.3",
  "another private network": "172.31.255.255",
  "a home network": "192.168.1.1",
  "shared address space": "100.64.0.1",
  "IPv6 loopback": "[::1]",
  "IPv6 unspecified": "[::]",
  "IPv6 unique local": "[fd00::1]",
  "IPv6 link-local": "[fe80::1]",
  "loopback by way of NAT64": "[64:ff9b::7f00:1]",
};
const PUBLIC = ["api.code.test", "localhost.test", "notlocalhost", "9.9.9.9", "172.32.0.1"];

for (const [name, host] of Object.entries(LOCAL)) {
  Deno.test(`locality() refuses ${name}`, () => {
    const subject = draft({ call: http({ host }) });
    assert.equal(reason(locality({ exemptHosts: new Set() }), subject), "LoopbackBlocked");
    assert.equal(reason(locality({ exemptHosts: new Set([host]) }), subject), "goes on");
  });
}

for (const host of PUBLIC) {
  Deno.test(`locality() lets ${host} through`, () => {
    const stage = locality({ exemptHosts: new Set() });
    assert.equal(reason(stage, draft({ call: http({ host }) })), "goes on");
  });
}

Deno.test("classify() gives the class of the rule", () => {
  const subject = draft({ call: http() });
  const stage = classify(() => ({ mapping: mapping(), defaultProtected: true }));
  assert.equal(reason(stage, subject), "goes on");
  assert.equal(subject.rule?.actionClass, "code.read");
});

Deno.test("classify() denies what no rule names", () => {
  const stage = classify(() => ({ mapping: mapping(), defaultProtected: true }));
  for (
    const changes of [{ host: "evil.test" }, { method: "PUT" }, { path: "/user" }, { port: 8443 }]
  ) {
    assert.equal(reason(stage, draft({ call: http(changes) })), "UnclassifiedIntent");
  }
});

Deno.test("classify() lets unnamed calls pass only when the operator says so", () => {
  const stage = classify(() => ({ mapping: mapping(), defaultProtected: false }));
  const subject = draft({ call: http({ host: "other.test" }) });
  assert.equal(reason(stage, subject), "goes on");
  assert.equal(subject.passthrough, true);
  const named = draft({ call: http() });
  assert.equal(reason(stage, named), "goes on");
  assert.equal(named.passthrough, undefined);
});

Deno.test("readiness() denies until Authority, bundle and revocations are known and fresh", () => {
  const bundle = { freshUntilMs: NOW_MS + 1 };
  const revoked = new Set<string>();
  const table: [string, Parameters<typeof readiness>[0], Partial<Draft>][] = [
    ["goes on", () => ({ bundle, revoked }), {}],
    ["goes on", () => ({ bundle: { freshUntilMs: NOW_MS }, revoked }), {}],
    ["PolicyBundleStale", () => ({ bundle: { freshUntilMs: NOW_MS - 1 }, revoked }), {}],
    ["PolicyBundleNotReady", () => ({ bundle: undefined, revoked }), {}],
    ["RevocationCacheNotReady", () => ({ bundle, revoked: undefined }), {}],
    ["TokenInvalid", () => ({ bundle, revoked }), { session: session({ ended: true }) }],
    ["PolicyBundleNotReady", () => ({ bundle: undefined, revoked }), { passthrough: true }],
  ];
  for (const [expected, current, changes] of table) {
    assert.equal(reason(readiness(current), draft(changes)), expected);
  }
});

Deno.test("capability() wants a token that covers the call now", () => {
  const rule = mapping().match(http())!;
  const table: [string, ReturnType<typeof claims>[], string[]][] = [
    ["goes on", [claims()], []],
    ["TokenInvalid", [], []],
    ["TokenRevoked", [claims()], [TOKEN_ID]],
    ["TokenExpired", [claims({ expiry: new Date(NOW_MS).toISOString() })], []],
    ["ToolNotInScope", [claims({ action_set: ["code.write"] })], []],
    ["ScopeViolation", [claims({ resource_scope: ["api.code.test/repos/other/**"] })], []],
    ["goes on", [claims({ resource_scope: ["api.code.test/repos/acme/**"] })], []],
  ];
  for (const [expected, held, revoked] of table) {
    const subject = draft({ call: http(), rule, session: session({ claims: held }) });
    assert.equal(reason(capability(() => new Set(revoked)), subject), expected);
    assert.equal(subject.claims !== undefined, expected === "goes on");
  }
});

Deno.test("capability() minds the port of the scope", () => {
  const held = [claims({ resource_scope: ["api.code.test"] })];
  const rule = mapping().match(http())!;
  const subject = draft({ call: http({ port: 8443 }), rule, session: session({ claims: held }) });
  assert.equal(reason(capability(() => new Set()), subject), "ScopeViolation");
});

Deno.test("policy() asks the engine with the whole envelope", () => {
  const rule = mapping().match(http())!;
  const said = (decision: Partial<PolicyDecision>) => ({
    decide: () => ({
      decision: "allow" as const,
      reason: "" as const,
      policyIds: ["p"],
      errors: [],
      ...decision,
    }),
  });
  const subject = () =>
    draft({ call: http({ port: 8443 }), rule, claims: claims(), attributes: { git_ref: "main" } });
  const allowed = subject();
  assert.equal(reason(policy(() => said({})), allowed), "goes on");
  assert.deepEqual(allowed.policyIds, ["p"]);
  assert.equal(allowed.envelope?.intent.resource.id, "api.code.test:8443/repos/acme/rocket");
  assert.equal(allowed.envelope?.intent.raw_action_ref, rule.ref);
  assert.deepEqual(allowed.envelope?.intent.attributes, { git_ref: "main" });
  assert.equal(allowed.envelope?.metadata.action_count, 1);
  assert.equal(
    reason(policy(() => said({ decision: "deny", reason: "PolicyDenied" })), subject()),
    "PolicyDenied",
  );
  assert.equal(
    reason(policy(() => said({ decision: "deny", reason: "StepUpRequired" })), subject()),
    "StepUpRequired",
  );
  // An engine that says neither why nor what went wrong still denies.
  assert.equal(reason(policy(() => said({ decision: "deny" })), subject()), "PolicyDenied");
  // Cedar skips a forbid that it cannot evaluate: "allow" with errors is no permission.
  assert.equal(reason(policy(() => said({ errors: ["overflow"] })), subject()), "FailClosed");
  assert.equal(reason(policy(() => undefined), subject()), "PolicyBundleNotReady");
});

Deno.test("stages in the wrong order deny everything", () => {
  assert.throws(() => policy(() => undefined)(draft()), /no stage set "call"/);
  assert.throws(() => capability(() => new Set())(draft()), /no stage set "call"/);
  assert.throws(
    () => classify(() => ({ mapping: mapping(), defaultProtected: true }))(draft()),
    /no stage set/,
  );
});
