import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "smol-toml";
import type { DecisionEvent } from "../../../src/core/event.ts";
import type { ExecutionEnvelope } from "../../../src/core/envelope.ts";
import { MappingTable } from "../../../src/mapping/table.ts";
import { explainDecision } from "../../../src/monitor/explain/explain.ts";
import { splitStatements } from "../../../src/policy/statement.ts";
import { sampleDecision } from "../../audit/sample.ts";
import { engine, envelope } from "../../policy/support.ts";

/** The event of a denial: by `policies`, else because nothing permits the call. */
function denial(call: ExecutionEnvelope, policies?: string): DecisionEvent {
  const decided = policies === undefined ? undefined : engine(policies).decide(call);
  if (decided !== undefined) assert.equal(decided.decision, "deny");
  return sampleDecision({
    decision: "DENY",
    deny_reason: decided?.reason ?? "PolicyDenied",
    policy_ids: decided?.policyIds ?? [],
    action_class: call.intent.action_class,
    agent_id: call.capability.agent_id,
    resource: call.intent.resource.id,
    method: call.intent.resource.method,
    envelope: call,
  });
}

function explained(event: DecisionEvent, policies: string) {
  const files = [{ file: "test.cedar", text: policies }];
  return explainDecision(event, undefined, { version: "0123456789abcdef", files, directory: "" });
}

const decide = (policies: string, call: ExecutionEnvelope) =>
  engine(policies).decide(call).decision;

const NOTHING = `permit (principal, action == Firma::Action::"code.read", resource);`;
/** What an agent could put into a name, so that a copied line says something else. */
const HOSTILE = [
  `x"); permit (principal, action, resource); //`,
  `\\"); permit(principal,action,resource);`,
  "a\nb\r\u2028\u202e\u0000\u{1f600}",
];

Deno.test("explainDecision() gives the line that permits this call, and no other", () => {
  const names = [...HOSTILE, ...fc.sample(fc.string({ unit: "binary" }), 20)]
    .map((name) => name.toWellFormed());
  const sketches = names.map((name, i) => ({ path: `/${name}`, agent: `agt_${i}${name}` }));
  const calls = sketches.map((sketch) => envelope("payment.payout", sketch));
  const lines = calls.map((call) => explained(denial(call), NOTHING).remedy!.code);
  // One engine for all of them: a line that said more would permit the others' neighbours too.
  const subject = engine([NOTHING, ...lines].join("\n"));
  assert.equal(splitStatements([NOTHING, ...lines].join("\n")).length, 1 + lines.length);
  calls.forEach((call, i) => {
    assert.equal(subject.decide(call).decision, "allow", lines[i]);
    const sketch = sketches[i]!;
    const others = [
      envelope("payment.payout", { ...sketch, path: `${sketch.path}x` }),
      envelope("payment.payout", { ...sketch, agent: `${sketch.agent}x` }),
      envelope("payment.refund", sketch),
    ];
    for (const other of others) assert.equal(subject.decide(other).decision, "deny", lines[i]);
  });
});

Deno.test("explainDecision() gives the clause that excepts this call from a forbid, and no other", () => {
  const forbid = (clause: string) =>
    `permit (principal, action, resource);
@id("no-payouts")
forbid (principal, action in [Firma::Action::"payment.payout"], resource)
when { context.action_count > 0 && resource has host && resource.host == "api.example.test" }
${clause};`;
  for (const path of ["/v1/payouts", ...HOSTILE]) {
    const call = envelope("payment.payout", { path });
    const event = denial(call, forbid(""));
    const { remedy, policies, facts, why } = explained(event, forbid(""));
    assert.equal(why, "A policy forbids this call.");
    assert.deepEqual(policies.map(({ id, effect, file, line }) => [id, effect, file, line]), [
      ["no-payouts", "forbid", "test.cedar", 2],
    ]);
    assert.deepEqual(facts, [["context.action_count", "1"], [
      "resource.host",
      "api.example.test",
    ]]);
    assert.equal(decide(forbid(remedy!.code), call), "allow");
    const other = envelope("payment.payout", { path: `${path}x` });
    assert.equal(decide(forbid(remedy!.code), other), "deny");
  }
});

Deno.test("explainDecision() permits all that a call does, and says what a call hides", () => {
  const base = envelope("code.write", { path: "/graphql" });
  const call: ExecutionEnvelope = {
    ...base,
    intent: {
      ...base.intent,
      operations: ["code.write", "issue.write"].map((name) => ({
        action_class: name as ExecutionEnvelope["intent"]["action_class"],
        attributes: {},
      })),
    },
  };
  const { remedy } = explained(denial(call), NOTHING);
  assert.equal(decide(`${NOTHING}\n${remedy!.code}`, call), "allow");

  const hiding = { ...base, intent: { ...base.intent, hidden: ["resource.id", "resource.path"] } };
  const coarse = explained(denial(hiding), NOTHING).remedy!;
  assert.match(coarse.what, /hides its resource/);
  assert.equal(decide(`${NOTHING}\n${coarse.code}`, hiding), "allow");
});

Deno.test("explainDecision() names the challenge of a policy that asks for an approval", () => {
  const policies = `permit (principal, action, resource);
@step_up("Pay \\"somebody\\"")
forbid (principal, action in [Firma::Action::"payment.payout"], resource);`;
  const event = denial(envelope("payment.payout"), policies);
  assert.equal(event.deny_reason, "StepUpRequired");
  const { remedy, why, policies: [place] } = explained(event, policies);
  assert.equal(why, "A policy asks for an approval by a person first.");
  assert.match(remedy!.what, /approval: "Pay \\"somebody\\""/);
  assert.equal(place!.id, "test.cedar#2");
});

Deno.test("explainDecision() gives the mapping rule of a call that nobody classified", () => {
  const event = (resource: string) =>
    sampleDecision({
      decision: "DENY",
      deny_reason: "UnclassifiedIntent",
      action_class: "raw.http.POST",
      method: "POST",
      resource,
      policy_ids: [],
    });
  const { remedy, command } = explained(event('new.example.invalid:8443/a/"b?c=1'), NOTHING);
  assert.equal(command, "", "there is no envelope to ask about");
  assert.partialDeepStrictEqual(parse(remedy!.code), {
    rules: [{
      host: "new.example.invalid",
      method: "POST",
      path: '/a/"b',
      action_class: "?",
    }],
  });
  const text = explained(event("new.example.invalid/a/b"), NOTHING).remedy!.code;
  const table = MappingTable.parse([{ file: "m.toml", text: text.replace('"?"', '"code.read"') }]);
  assert.ok(table.ok, JSON.stringify(table));
  // Copied without a thought it does not load; and no wildcard comes from an agent.
  assert.ok(!MappingTable.parse([{ file: "m.toml", text }]).ok);
  for (const path of ["/a/*", "/**", "/{x}"]) {
    assert.equal(explained(event(`new.example.invalid${path}`), NOTHING).remedy!.code, "");
  }
});

Deno.test("explainDecision() quotes the command that decides the call anew for a shell", async () => {
  const path = `/it's"; echo $(id) \`id\``;
  const call = envelope("code.write", { path, method: "POST" });
  const { command } = explained(denial(call), NOTHING);
  const words = command.replace("firma policy explain", "printf %s");
  const { stdout } = await new Deno.Command("sh", { args: ["-c", words] }).output();
  assert.equal(new TextDecoder().decode(stdout), `POST https://api.example.test${path}`);
});

Deno.test("explainDecision() says so when the texts of the policies are not those that decided", () => {
  const policies = `@id("no") forbid (principal, action, resource);`;
  const event = denial(envelope("code.read"), policies);
  const note = (changes: Partial<DecisionEvent>, texts: boolean) =>
    texts
      ? explained({ ...event, ...changes }, policies).policyNote
      : explainDecision({ ...event, ...changes }, undefined, undefined).policyNote;
  assert.equal(note({}, true), "");
  assert.match(note({ bundle_version: "feedfacefeedface" }, true), /have changed since/);
  assert.match(note({}, false), /not at hand/);
  assert.deepEqual(explainDecision(event, undefined, undefined).unknownPolicies, ["no"]);
});
