import assert from "node:assert/strict";
import { ACTION_CLASSES } from "../../src/core/action_class.ts";
import { checkBundle } from "../../src/policy/check.ts";
import { bundle, type CallSketch, engine, envelope } from "./support.ts";

function posture(name: string): Record<string, string> {
  const file = `${name}.cedar`;
  const url = new URL(`../../packs/postures/${file}`, import.meta.url);
  return { [file]: Deno.readTextFileSync(url) };
}

const STRICT = [
  "communication.external.send",
  "communication.internal.send",
  "credential.read",
  "filesystem.read",
  "filesystem.write",
  "model.inference",
  "system.execute",
  "telemetry.send",
];
const DEV = [
  ...STRICT,
  "code.merge",
  "code.read",
  "code.review.read",
  "code.review.submit",
  "code.write",
  "issue.read",
  "issue.write",
  "notification.manage",
  "security.alert.read",
  "system.install",
];
/** Exactly the classes that each posture permits over the network; children come with parents. */
const PERMITTED: Record<string, readonly string[]> = {
  "strict": STRICT,
  "dev": DEV,
  "dev-with-delete-watch": [...DEV, "code.destructive"],
};

for (const [name, permitted] of Object.entries(PERMITTED)) {
  Deno.test(`posture ${name} is valid, with no warning and an id on each policy`, () => {
    const checked = checkBundle(bundle(posture(name)));
    if (!checked.ok) assert.fail(JSON.stringify(checked.error));
    assert.deepEqual(checked.value.warnings, []);
    const [text] = Object.values(posture(name));
    assert.equal(text!.match(/^@id\("/gm)!.length, checked.value.policies);
    assert.match(text!, /^\/\/ Posture "/, "it opens with what it permits");
  });

  Deno.test(`posture ${name} permits exactly what it should over the network`, () => {
    const subject = engine(posture(name));
    // By lineage, so that a finer class that is added later is permitted with its parent.
    const expected = ACTION_CLASSES.filter(({ name, parent }) =>
      permitted.includes(name) || parent !== undefined && permitted.includes(parent)
    ).map(({ name }) => name);
    const allowed = ACTION_CLASSES.map(({ name }) => name)
      .filter((name) => subject.decide(envelope(name)).decision === "allow");
    assert.deepEqual(allowed.sort(), expected.sort());
  });

  Deno.test(`posture ${name} forbids the metadata service of a cloud for every class`, () => {
    const subject = engine(posture(name));
    for (const { name: actionClass } of ACTION_CLASSES) {
      const { decision, policyIds } = subject.decide(
        envelope(actionClass, { host: "169.254.169.254", path: "/latest/meta-data/" }),
      );
      assert.equal(decision, "deny");
      assert.ok(policyIds.includes(`${name}.forbid-cloud-metadata`), actionClass);
    }
  });
}

Deno.test("postures forbid writing with a foreign credential where there is a configured one", async (t) => {
  const reads = (name: string) => /(^|\.)(read|search|export|check|list)$/.test(name);
  for (const [name, permitted] of Object.entries(PERMITTED)) {
    await t.step(name, () => {
      const subject = engine(posture(name));
      const writes = ["code.write", "issue.write", "model.inference", "telemetry.send"]
        .filter((actionClass) => permitted.includes(actionClass));
      for (const actionClass of writes) {
        const decide = (carries: "agent" | "broker" | "none", brokered: boolean) =>
          subject.decide(envelope(actionClass, { credential: { brokered, carries } }));
        const { decision, policyIds } = decide("agent", true);
        assert.equal(decision, "deny", actionClass);
        assert.deepEqual(policyIds, [`${name}.forbid-foreign-credentials`]);
        assert.equal(decide("broker", true).decision, "allow", actionClass);
        assert.equal(decide("none", true).decision, "allow", actionClass);
        // Where nothing is configured, the agent's own sign-in is all that there is.
        assert.equal(decide("agent", false).decision, "allow", actionClass);
      }
      for (const actionClass of permitted.filter(reads)) {
        const sketch = { credential: { brokered: true, carries: "agent" } } as const;
        assert.equal(subject.decide(envelope(actionClass, sketch)).decision, "allow", actionClass);
      }
    });
  }
});

Deno.test("postures forbid by name what no other file may permit", async (t) => {
  const forbidden = [
    "account.permission.change",
    "browser.purchase",
    "credential.write",
    "memory.cross_namespace.read",
    "memory.cross_namespace.write",
    "payment.purchase",
    "payment.transfer",
    "repo.admin",
  ];
  for (const name of Object.keys(PERMITTED)) {
    await t.step(name, () => {
      const wide = { ...posture(name), "wide.cedar": "permit (principal, action, resource);" };
      const subject = engine(wide);
      const destructive = name === "dev-with-delete-watch" ? [] : ["code.destructive"];
      for (const actionClass of [...forbidden, ...destructive]) {
        assert.equal(subject.decide(envelope(actionClass)).reason, "PolicyDenied", actionClass);
      }
      assert.equal(subject.decide(envelope("calendar.read")).decision, "allow");
    });
  }
});

Deno.test("postures for development ask before they destroy on this machine", async (t) => {
  // Local commands are decided with a transport of their own.
  const exec: CallSketch = { transport: "exec" as "https" };
  const deletion = (count?: number): CallSketch => ({
    ...exec,
    attributes: count === undefined ? {} : { filesystem_delete_count: count },
  });
  for (const name of ["dev", "dev-with-delete-watch"]) {
    await t.step(name, () => {
      const subject = engine(posture(name));
      const decide = (actionClass: string, sketch: CallSketch) => {
        const { decision, reason } = subject.decide(envelope(actionClass, sketch));
        return decision === "allow" ? "allow" : reason;
      };
      assert.equal(decide("filesystem.delete", deletion(1)), "allow");
      assert.equal(decide("filesystem.delete", deletion(20)), "allow");
      assert.equal(decide("filesystem.delete", deletion(21)), "StepUpRequired");
      assert.equal(decide("filesystem.delete", deletion()), "StepUpRequired");
      assert.equal(decide("code.destructive", exec), "StepUpRequired");
    });
  }
  await t.step("strict permits neither", () => {
    const subject = engine(posture("strict"));
    assert.equal(subject.decide(envelope("filesystem.delete", deletion(1))).decision, "deny");
    assert.equal(subject.decide(envelope("code.destructive", exec)).reason, "PolicyDenied");
  });
});

Deno.test("policies/issuance.cedar permits every class", () => {
  const url = new URL("../../policies/issuance.cedar", import.meta.url);
  const subject = engine({ "issuance.cedar": Deno.readTextFileSync(url) });
  for (const { name } of ACTION_CLASSES) {
    assert.equal(subject.decide(envelope(name)).decision, "allow", name);
  }
});
