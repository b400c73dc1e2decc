import assert from "node:assert/strict";
import { engine, envelope, on } from "./support.ts";

const PERMIT = `@id("may") permit ${on("code.write")};`;
const IF_GITHUB = `when { resource has host && resource.host == "github.test" }`;
const ASK = `@id("ask") @step_up("Sure?") forbid ${on("code.write")}`;
const WAIT = `@id("wait") @defer("700") forbid ${on("code.write")}`;
const STRIP = `@id("strip") @modify("redact_header:Authorization") forbid ${on("code.write")}`;
const FLAT = `@id("flat") forbid ${on("code.write")}`;

const GITHUB = envelope("code.write", { host: "github.test" });

for (const [kind, condition] of [["unconditional", ""], ["conditional", IF_GITHUB]] as const) {
  const all = [ASK, WAIT, STRIP].map((policy) => `${policy} ${condition};`).join("\n");

  Deno.test(`decide() says what would lift ${kind} forbids`, () => {
    const subject = engine(
      `${PERMIT}\n${all}\n@id("ask2") @step_up("And?") ${`forbid ${
        on("code.write")
      } ${condition}`};`,
    );
    // The second time the answer is remembered.
    for (const _ of [1, 2]) {
      assert.deepEqual(subject.decide(GITHUB), {
        decision: "deny",
        reason: "StepUpRequired",
        policyIds: ["ask", "ask2", "strip", "wait"],
        errors: [],
        remedy: {
          challenges: ["And?", "Sure?"],
          deferMs: 700,
          dropHeaders: ["authorization"],
        },
      });
    }
  });

  Deno.test(`decide() lets nothing lift ${kind} forbids where nothing permits the call`, () => {
    const subject = engine(`@id("other") permit ${on("code.read")};\n${all}`);
    const { decision, reason, remedy, hint } = subject.decide(GITHUB);
    assert.deepEqual([decision, reason, remedy], ["deny", "PolicyDenied", undefined]);
    assert.match(hint!, /no policy permits it/);
  });

  Deno.test(`decide() lets nothing lift ${kind} forbids beside a flat one`, () => {
    const subject = engine(`${PERMIT}\n${all}\n${FLAT} ${condition};`);
    const { reason, remedy } = subject.decide(GITHUB);
    assert.deepEqual([reason, remedy], ["PolicyDenied", undefined]);
  });
}

Deno.test("decide() lets nothing lift a forbid where only another host is permitted", () => {
  const policies = `@id("may") permit ${on("code.write")} ${IF_GITHUB};\n${ASK};`;
  const subject = engine(policies);
  assert.equal(subject.decide(GITHUB).reason, "StepUpRequired");
  const elsewhere = subject.decide(envelope("code.write", { host: "else.test" }));
  assert.deepEqual([elsewhere.reason, elsewhere.remedy], ["PolicyDenied", undefined]);
});

Deno.test("decide() fails closed where the rest of the policies cannot be evaluated", () => {
  const overflow = `@id("may") permit ${
    on("code.write")
  } when { context.action_count * 9223372036854775807 > 1 };`;
  const subject = engine(`${overflow}\n${ASK};`);
  const counted = envelope("code.write", { metadata: { action_count: 9 } });
  const { decision, remedy } = subject.decide(counted);
  assert.deepEqual([decision, remedy], ["deny", undefined]);
});
