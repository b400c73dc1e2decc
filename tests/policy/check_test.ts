import assert from "node:assert/strict";
import type { FirmaError } from "../../src/core/result.ts";
import { checkBundle } from "../../src/policy/check.ts";
import { bundle, on } from "./support.ts";

function errors(policies: string | Record<string, string>): readonly FirmaError[] {
  const checked = checkBundle(bundle(policies));
  return checked.ok ? [] : checked.error;
}

function places(policies: string | Record<string, string>): string[] {
  return errors(policies).map(({ at, code }) => `${at?.file}:${at?.line}:${at?.column} ${code}`);
}

const PERMIT = `permit ${on("code.read")};\n`;

Deno.test("checkBundle() counts the policies of a valid bundle", () => {
  const checked = checkBundle(bundle({ "a.cedar": PERMIT + PERMIT, "b.cedar": PERMIT }));
  assert.deepEqual(checked, { ok: true, value: { policies: 3, warnings: [] } });
});

Deno.test("checkBundle() reports every fault of every policy with its place", () => {
  assert.deepEqual(
    places({
      "a.cedar": [
        `// é 😀 and a ; in a comment, "unclosed`,
        `permit (principal, action == Firma::Action::"no.such.class", resource);`,
        PERMIT,
        `permit ${on("code.read")} when { context.no_such_key > 3 };`,
      ].join("\n"),
      "b.cedar": [
        `permit ${on("code.read")}`,
        `  when { context.session_id == "😀" && contxt.x };`,
        `forbid (principal, action);`,
        `permit ${on("code.read")} when { resource.host == "x" };`,
      ].join("\n"),
    }),
    [
      "a.cedar:2:30 POLICY_INVALID",
      "a.cedar:5:77 POLICY_INVALID",
      "b.cedar:2:39 POLICY_SYNTAX",
      "b.cedar:3:26 POLICY_SYNTAX",
      "b.cedar:4:77 POLICY_INVALID",
    ],
  );
});

Deno.test("checkBundle() says what is wrong in one line, and how to cure it", () => {
  const [first] = errors(`permit ${on("code.raed")};`);
  assert.equal(
    first!.message,
    `Cannot load policy "test.cedar#1": unrecognized action Firma::Action::"code.raed"`,
  );
  assert.equal(first!.cure, 'did you mean Firma::Action::"code.read"?');
});

Deno.test("checkBundle() marks the whole of what is wrong", () => {
  const table: Record<string, [code: string, marked: string]> = {
    [`permit ${on("code.raed")};`]: ["POLICY_INVALID", 'Firma::Action::"code.raed"'],
    "permit (principal, action, resource) when { context.action_cuont > 3 };": [
      "POLICY_INVALID",
      "context.action_cuont",
    ],
    "permit (principal, action, resource) when { context.action_count > };": [
      "POLICY_SYNTAX",
      "}",
    ],
    // Valid to Cedar, and never true.
    "permit (principal, action, resource) when { context has git_reff };": [
      "POLICY_UNKNOWN_INPUT",
      "git_reff",
    ],
  };
  for (const [text, [code, marked]] of Object.entries(table)) {
    const [found] = errors(`// first line\n${text}`);
    assert.equal(found!.code, code);
    const { line, column, length } = found!.at!;
    assert.equal(line, 2);
    assert.equal(text.slice(column! - 1, column! - 1 + length!), marked);
  }
});

Deno.test("checkBundle() names the attribute that was meant where Cedar does not", () => {
  const [found] = errors("permit (principal, action, resource) when { context has git_reff };");
  assert.equal(found!.cure, 'did you mean "git_ref"?');
});

Deno.test("checkBundle() reports a fault that concerns every action once", () => {
  const found = errors(`permit (principal, action, resource) when { context.git_ref == "x" };`);
  assert.equal(found.length, 1);
  assert.match(found[0]!.cure!, /context has git_ref/);
});

Deno.test("checkBundle() refuses a file that ends in the middle", async (t) => {
  const cases: Record<string, string> = {
    "of a policy": PERMIT + "forbid (principal, action, res",
    "before the semicolon": PERMIT + "forbid (principal, action, resource)",
    "of a string": PERMIT + `@id("forb`,
    "of a word": PERMIT + "forb",
  };
  for (const [name, text] of Object.entries(cases)) {
    await t.step(name, () => assert.equal(errors(text)[0]!.code, "POLICY_SYNTAX"));
  }
  assert.deepEqual(errors(PERMIT), []);
});

Deno.test("checkBundle() refuses a bundle without policies", () => {
  assert.deepEqual(places({ "a.cedar": "// nothing\n" }), [
    "a.cedar:undefined:undefined POLICY_EMPTY",
  ]);
  assert.equal(errors({})[0]!.code, "POLICY_EMPTY");
});

Deno.test("checkBundle() refuses a template, which nothing could fill in", () => {
  assert.equal(
    errors(`permit (principal == ?principal, action, resource);`)[0]!.code,
    "POLICY_SYNTAX",
  );
});

Deno.test("checkBundle() refuses ids that are not unique", async (t) => {
  const cases: Record<string, Record<string, string>> = {
    "in one file": { "a.cedar": `@id("x") ${PERMIT} @id("x") ${PERMIT}` },
    "in two files": { "a.cedar": `@id("x") ${PERMIT}`, "b.cedar": `@id("x") ${PERMIT}` },
    "one that passes for a place": { "a.cedar": PERMIT + `@id("a.cedar#1") ${PERMIT}` },
  };
  for (const [name, policies] of Object.entries(cases)) {
    await t.step(name, () => {
      const found = errors(policies);
      assert.deepEqual(found.map(({ code }) => code), ["POLICY_ID"]);
      assert.match(found[0]!.message, /a\.cedar:1/);
    });
  }
  await t.step("an empty one", () => {
    assert.equal(errors(`@id("") ${PERMIT}`)[0]!.code, "POLICY_ID");
    assert.equal(errors(`@id ${PERMIT}`)[0]!.code, "POLICY_ID");
  });
});

Deno.test("checkBundle() refuses malformed remediation annotations", async (t) => {
  const forbid = `forbid ${on("code.write")};`;
  const wrong: Record<string, string> = {
    "on a permit": `@step_up("ask") permit ${on("code.write")};`,
    "two on one policy": `@step_up("ask") @defer("500") ${forbid}`,
    "an empty challenge": `@step_up("") ${forbid}`,
    "a blank challenge": `@step_up("  ") ${forbid}`,
    "no challenge": `@step_up ${forbid}`,
    "a deferral of zero": `@defer("0") ${forbid}`,
    "a negative deferral": `@defer("-5") ${forbid}`,
    "a deferral with a unit": `@defer("5s") ${forbid}`,
    "a deferral beyond measure": `@defer("99999999999") ${forbid}`,
    "an unknown modification": `@modify("drop_body") ${forbid}`,
    "a modification without a header": `@modify("redact_header:") ${forbid}`,
    "a header name with a blank": `@modify("redact_header:x y") ${forbid}`,
    "a header name with a line break": `@modify("redact_header:x\\r\\ny") ${forbid}`,
  };
  for (const [name, policy] of Object.entries(wrong)) {
    await t.step(name, () => {
      const [first, ...more] = errors(PERMIT + policy);
      assert.equal(first!.code, "POLICY_ANNOTATION");
      assert.equal(first!.at!.line, 2);
      assert.deepEqual(more, []);
    });
  }
  const right = [
    `@step_up("ask")`,
    `@defer("500")`,
    `@modify("redact_header:X-Debug")`,
    `@mine("")`,
  ];
  for (const annotation of right) {
    await t.step(annotation, () => assert.deepEqual(errors(PERMIT + annotation + forbid), []));
  }
});

Deno.test("checkBundle() refuses policies that would exhaust the stack of the engine", async (t) => {
  const when = (body: string) => `permit ${on("code.read")} when { ${body} };`;
  const chain = (n: number, op: string, term: string) => Array(n).fill(term).join(` ${op} `);
  const cases: Record<string, (n: number) => string> = {
    "brackets": (n) => "(".repeat(n) + "true" + ")".repeat(n),
    "negations": (n) => "!(".repeat(n) + "true" + ")".repeat(n),
    "conditionals": (n) => "if context.deny_count == 1 then true else ".repeat(n) + "false",
    "conjunctions": (n) => chain(n, "&&", "context.deny_count == 1"),
    "disjunctions": (n) => chain(n, "||", "context.deny_count == 1"),
    "sums": (n) => `${chain(n, "+", "context.deny_count")} > 0`,
  };
  for (const [name, make] of Object.entries(cases)) {
    await t.step(name, () => {
      for (const size of [300, 3000]) {
        assert.equal(errors(when(make(size)))[0]!.code, "POLICY_TOO_COMPLEX");
      }
      assert.deepEqual(errors(when(make(40))), []);
    });
  }
  await t.step("and a long list is no depth", () => {
    const list = Array.from({ length: 5000 }, (_, i) => `"host-${i}.test"`).join(", ");
    assert.deepEqual(errors(when(`[${list}].contains(context.session_id)`)), []);
  });
});

Deno.test("checkBundle() reports where the schema is wrong", () => {
  const checked = checkBundle({ ...bundle(PERMIT), schema: "namespace Firma {\n  entity A\n}" });
  assert.ok(!checked.ok);
  assert.equal(checked.error[0]!.code, "SCHEMA_INVALID");
  assert.equal(checked.error[0]!.at!.line, 3);
});

Deno.test("checkBundle() warns of a forbid that never applies", () => {
  const checked = checkBundle(
    bundle(`${PERMIT}@id("x") forbid (principal, action, resource) when { principal has name };`),
  );
  assert.ok(checked.ok);
  assert.deepEqual(checked.value.warnings.map(({ code }) => code), ["POLICY_SUSPECT"]);
});
