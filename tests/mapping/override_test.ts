import assert from "node:assert/strict";
import { overrideIn } from "../../src/mapping/override.ts";

const HARMLESS: readonly (readonly [string, string])[] = [
  ["accept", "*/*"],
  ["x-http", "DELETE"],
  ["x-requested-with", "XMLHttpRequest"],
];

Deno.test("overrideIn() lets ordinary requests pass", () => {
  assert.equal(overrideIn("POST", "", HARMLESS), undefined);
  assert.equal(overrideIn("GET", "?method=DELETE&a=_method", HARMLESS), undefined);
});

for (
  const name of [
    "x-http-method-override",
    "X-HTTP-Method-Override",
    "x-http-method",
    "x-method-override",
    "x_http_method_override",
  ]
) {
  Deno.test(`overrideIn() finds a POST that the header ${name} turns into a DELETE`, () => {
    assert.equal(overrideIn("POST", "", [...HARMLESS, [name, "DELETE"]]), name);
    assert.equal(overrideIn("POST", "", [...HARMLESS, [name, "delete"]]), name);
  });
  Deno.test(`overrideIn() lets the header ${name} repeat the method`, () => {
    assert.equal(overrideIn("POST", "", [[name, "POST"]]), undefined);
  });
  Deno.test(`overrideIn() sees a second header ${name} that contradicts the first`, () => {
    assert.equal(overrideIn("POST", "", [[name, "POST"], [name, "PUT"]]), name);
  });
}

for (const name of ["x-original-url", "X-Rewrite-URL", "x_rewrite_url"]) {
  Deno.test(`overrideIn() finds the path in the header ${name}`, () => {
    assert.equal(overrideIn("GET", "", [[name, "/admin"]]), name);
  });
}

for (
  const query of [
    "?_method=DELETE",
    "?a=1&_method=delete",
    "?%5fmethod=DELETE",
    "?$httpMethod=DELETE",
    "?%24httpmethod=DELETE",
    "?a=1;_method=DELETE",
    "?_method",
    "?_method=POST&_method=DELETE",
    "?x-http-method-override=PUT",
  ]
) {
  Deno.test(`overrideIn() finds the method in the query ${query}`, () => {
    assert.notEqual(overrideIn("POST", query, []), undefined);
  });
}

Deno.test("overrideIn() lets a query repeat the method", () => {
  assert.equal(overrideIn("POST", "?_method=POST", []), undefined);
});
