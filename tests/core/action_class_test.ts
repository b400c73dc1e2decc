import assert from "node:assert/strict";
import {
  ACTION_CLASSES,
  actionClassEntry,
  actionClassLineage,
  parseActionClass,
} from "../../src/core/action_class.ts";

/** Names of products and companies: a class says what a call does, not where. */
const PROVIDERS = /github|gitlab|gmail|google|stripe|slack|npm|docker|openai|anthropic|copilot/;

Deno.test("ACTION_CLASSES has each name once, in order", () => {
  const names = ACTION_CLASSES.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)].sort());
});

Deno.test("ACTION_CLASSES names classes in lower case with dots, and no provider", () => {
  for (const { name } of ACTION_CLASSES) {
    assert.match(name, /^[a-z]+(?:\.[a-z]+(?:_[a-z]+)*)+$/);
    assert.doesNotMatch(name, PROVIDERS);
  }
});

Deno.test("ACTION_CLASSES has one plain line of meaning for each class", () => {
  for (const { name, meaning } of ACTION_CLASSES) {
    assert.match(meaning, /^[A-Z][\w ,:’.-]+[a-z]$/, name);
  }
});

Deno.test("ACTION_CLASSES gives a finer class a parent that is registered and has none", () => {
  for (const { name, parent, domain } of ACTION_CLASSES) {
    if (parent === undefined) continue;
    const entry = actionClassEntry(parent);
    assert.ok(entry !== undefined && entry.parent === undefined, `${name} in ${parent}`);
    assert.equal(entry.domain, domain, name);
    assert.deepEqual(actionClassLineage(parseActionClass(name)!), [name, parent]);
  }
});

Deno.test("parseActionClass() knows nothing that objects inherit", () => {
  for (const name of ["constructor", "__proto__", "toString", "", "code", "CODE.READ"]) {
    assert.equal(parseActionClass(name), undefined);
  }
});
