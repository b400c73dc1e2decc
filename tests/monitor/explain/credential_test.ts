import assert from "node:assert/strict";
import type { CredentialRecord } from "../../../src/core/event.ts";
import { explainDecision } from "../../../src/monitor/explain/explain.ts";
import { sampleDecision, sampleOutcome } from "../../audit/sample.ts";

/** What an explanation says of the credential in an outcome. */
function told(credential: CredentialRecord | undefined): string | undefined {
  const decision = sampleDecision();
  const outcome = sampleOutcome(credential && { credential });
  const { particulars } = explainDecision(decision, outcome, undefined);
  return particulars.find(([name]) => name === "credential")?.[1];
}

Deno.test("explainDecision() says which credential a call carried", () => {
  assert.equal(told(undefined), undefined);
  assert.equal(told({ label: "npm", provider: "file", scope: "" }), "npm from file");
  assert.equal(
    told({
      label: "github",
      provider: "github_app",
      scope: "acme/web contents:read",
      expires_at: "2026-11-23T12:00:00.000Z",
    }),
    "github from github_app, for acme/web contents:read, until 2026-11-23T12:00:00.000Z",
  );
});

Deno.test("explainDecision() survives a credential that is none of firma's", () => {
  for (const forged of [null, 1, "x", [], { label: {} }, { label: "a", provider: [] }]) {
    // Whoever can write the log can write anything.
    assert.equal(told(forged as unknown as CredentialRecord), undefined);
  }
});

Deno.test("explainDecision() says whose credential a call would have carried", () => {
  const carried = (credential: unknown) => {
    const decision = sampleDecision();
    const intent = { attributes: {}, resource: { id: "a.test/" } };
    const envelope = { intent, provenance: { via: "proxy" }, credential };
    const event = { ...decision, envelope } as unknown as typeof decision;
    const { particulars } = explainDecision(event, undefined, undefined);
    return particulars.find(([name]) => name === "carried")?.[1];
  };
  assert.equal(carried({ carries: "broker", brokered: true }), "a configured credential");
  assert.match(carried({ carries: "agent", brokered: true })!, /agent's own, where one is conf/);
  assert.equal(carried({ carries: "agent", brokered: false }), "a credential of the agent's own");
  for (const none of [undefined, null, 1, { carries: "none" }, { carries: ["agent"] }]) {
    assert.equal(carried(none), undefined);
  }
});
