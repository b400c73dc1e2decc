import assert from "node:assert/strict";
import {
  ACTION_CLASSES,
  actionClassLineage,
  parseActionClass,
  setOperatorClasses,
} from "../../src/core/action_class.ts";
import { schemaToJson } from "@cedar-policy/cedar-wasm/web";
import { schemaJson } from "../../src/policy/schema_json.ts";
import { schemaText } from "../../src/policy/schema.ts";
import { checkBundle } from "../../src/policy/check.ts";
import { MappingTable } from "../../src/mapping/table.ts";
import { bundle, engine, envelope, on } from "./support.ts";

const OWN = [{
  name: "deploy.production",
  parent: "deploy.write",
  domain: "code",
  risk: "critical",
  meaning: "Deploy where customers are",
}] as const;

function withOwn(test: () => void): () => void {
  return () => {
    setOperatorClasses(OWN);
    try {
      test();
    } finally {
      setOperatorClasses([]);
    }
  };
}

const RULES = '[[rules]]\nhost = "deploy.test"\naction_class = "deploy.production"\n';
const POLICIES = `permit ${on("code.write")};\nforbid ${on("deploy.production")};`;

Deno.test(
  "setOperatorClasses() adds to the registry, and takes away what it added",
  withOwn(() => {
    const name = parseActionClass("deploy.production")!;
    assert.deepEqual(actionClassLineage(name), ["deploy.production", "deploy.write", "code.write"]);
    setOperatorClasses([]);
    assert.equal(parseActionClass("deploy.production"), undefined);
    assert.equal(schemaText(), schemaText(ACTION_CLASSES));
  }),
);

Deno.test(
  "the schema has what the operator adds, in both of its forms",
  withOwn(() => {
    const parsed = schemaToJson(schemaText());
    assert.ok(parsed.type === "success");
    assert.deepEqual(parsed.json, schemaJson());
    assert.match(schemaText(), /action "deploy\.production" in \["deploy\.write"\]/);
  }),
);

Deno.test(
  "policies and mappings may name what the operator adds",
  withOwn(() => {
    const table = MappingTable.parse([{ file: "rules.toml", text: RULES }]);
    assert.ok(table.ok, JSON.stringify(table));
    const subject = engine(POLICIES);
    assert.equal(subject.decide(envelope("deploy.write")).decision, "allow");
    const said = subject.decide(envelope("deploy.production"));
    assert.deepEqual([said.decision, said.policyIds], ["deny", ["test.cedar#2"]]);
    // A policy on a parent, however far up, covers it.
    for (const parent of ["deploy.write", "code.write"]) {
      const wide = engine(`permit ${on(parent)};`);
      assert.equal(wide.decide(envelope("deploy.production")).decision, "allow", parent);
      assert.equal(wide.decide(envelope("code.read")).decision, "deny", parent);
    }
    const risk = engine(`permit ${on("code.write")} when { context.risk_score >= 90 };`);
    assert.equal(risk.decide(envelope("deploy.production")).decision, "allow");
    assert.equal(risk.decide(envelope("deploy.write")).decision, "deny");
  }),
);

Deno.test("policies and mappings must not name what no operator added", () => {
  assert.ok(!MappingTable.parse([{ file: "rules.toml", text: RULES }]).ok);
  const checked = checkBundle(bundle(POLICIES));
  assert.ok(!checked.ok);
  assert.match(
    checked.error[0]!.message,
    /unrecognized action Firma::Action::"deploy\.production"/,
  );
});

Deno.test(
  "what is misspelt finds the nearest name among those that the operator adds",
  withOwn(() => {
    const table = MappingTable.parse([{
      file: "rules.toml",
      text: RULES.replace("production", "prodution"),
    }]);
    assert.ok(!table.ok);
    assert.equal(table.error[0]!.cure, 'did you mean "deploy.production"?');
    const checked = checkBundle(bundle(`permit ${on("deploy.prodution")};`));
    assert.ok(!checked.ok);
    assert.match(checked.error[0]!.cure!, /did you mean Firma::Action::"deploy\.production"\?/);
  }),
);
