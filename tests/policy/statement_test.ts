import assert from "node:assert/strict";
import { policySetTextToParts, policyToJson } from "@cedar-policy/cedar-wasm/web";
import fc from "fast-check";
import { splitStatements } from "../../src/policy/statement.ts";
import "./support.ts";

function texts(file: string): string[] {
  return splitStatements(file).map(({ text }) => text);
}

Deno.test("splitStatements() cuts at semicolons outside of strings and comments", () => {
  assert.deepEqual(
    texts(`// a; b "\n@a("x;\\"y") permit (p); // c;\rforbid // d; "\n(q);\n  /* left`),
    [`@a("x;\\"y") permit (p);`, `forbid // d; "\n(q);`, `/* left`],
  );
  assert.deepEqual(texts(""), []);
  assert.deepEqual(texts(" \n// only a comment"), []);
  assert.deepEqual(texts(";"), [";"]);
});

Deno.test("splitStatements() agrees with Cedar on every file that Cedar accepts", () => {
  const comment = fc.constantFrom("", " ", "\n", '// c; " \n', "//\r", "\t// ; \r\n");
  const string = fc.string({ unit: fc.constantFrom(";", "//", " ", "é", "\\n", '\\"', "(", "}") });
  const policy = fc.tuple(comment, string, fc.constantFrom("permit", "forbid"), comment, string)
    .map(([before, note, effect, within, text]) =>
      `${before}@note("${note}") ${effect}${within}(principal, action, resource)` +
      ` when { context.session_id == "${text}" };`
    );
  fc.assert(fc.property(fc.array(policy), comment, (policies, rest) => {
    const file = policies.join("") + rest;
    const parts = policySetTextToParts(file);
    assert.equal(parts.type, "success", file);
    const ours = texts(file);
    assert.equal(ours.length, parts.policies.length);
    const canonical = (text: string) => JSON.stringify(policyToJson(text));
    assert.deepEqual(ours.map(canonical).sort(), parts.policies.map(canonical).sort());
  }));
});

Deno.test("splitStatements() loses no policy of any text", () => {
  // Whatever Cedar does not read as blanks or comments must end up in a statement.
  const unit = fc.constantFrom(";", "//", '"', "\\", "\n", "\r", " ", "a", "(", ")", "permit", "@");
  fc.assert(fc.property(fc.string({ unit }), (text) => {
    const statements = splitStatements(text);
    let at = 0;
    for (const { start, text: piece } of statements) {
      assert.match(text.slice(at, start), /^(?:\s|\/\/[^\n\r]*(?:[\n\r]|$))*$/);
      assert.equal(text.slice(start, start + piece.length), piece);
      at = start + piece.length;
    }
    assert.match(text.slice(at), /^(?:\s|\/\/[^\n\r]*(?:[\n\r]|$))*$/);
  }));
});
