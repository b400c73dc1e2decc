import assert from "node:assert/strict";
import fc from "fast-check";
import { escapeForTerminal, escapeLinesForTerminal } from "../../src/core/escape.ts";

Deno.test("escapeForTerminal() leaves plain text of any language alone", () => {
  for (const text of ["", "npm view hono", "naïve 日本語 👩‍👩‍👧", "שלום"]) {
    assert.equal(escapeForTerminal(text), text);
  }
});

// Attack: a file or directory name that clears the screen, sets the clipboard or reads backwards.
Deno.test("escapeForTerminal() makes control characters visible", () => {
  assert.equal(escapeForTerminal("\x1b[2Jhi\x07"), "\\x1b[2Jhi\\x07");
  assert.equal(escapeForTerminal("a\r\nb\tc\x7f"), "a\\x0d\\x0ab\\x09c\\x7f");
  assert.equal(escapeForTerminal("\u009b31m"), "\\x9b31m");
  assert.equal(escapeForTerminal("gpj.\u202eexe\u2066"), "gpj.\\u202eexe\\u2066");
  assert.equal(escapeForTerminal("a\u2028b"), "a\\u2028b");
  assert.equal(escapeForTerminal("\ud800x\udfff"), "\\ud800x\\udfff");
});

Deno.test("escapeLinesForTerminal() keeps line feeds and nothing else", () => {
  assert.equal(escapeLinesForTerminal("a\n\x1bb\r\n"), "a\n\\x1bb\\x0d\n");
});

Deno.test("escapeForTerminal() leaves no control in any text, and is idempotent", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const escaped = escapeForTerminal(text);
    assert.ok(!/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u.test(escaped));
    assert.ok(escaped.isWellFormed());
    assert.equal(escapeForTerminal(escaped), escaped);
  }));
});
