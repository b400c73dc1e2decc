import assert from "node:assert/strict";
import fc from "fast-check";
import { diagnosticLines } from "../../src/policy/diagnostic.ts";

const error = (line: number, column: number, length = 1) => ({
  code: "X",
  message: "it is wrong",
  cure: "write it right",
  at: { file: "a.cedar", line, column, length },
});

Deno.test("diagnosticLines() draws carets under the place", () => {
  assert.deepEqual(diagnosticLines(error(2, 5, 3), "error", "one\nxyz abc;\n"), [
    "a.cedar:2:5: error: it is wrong",
    "  2 | xyz abc;",
    "    |     ^^^",
    "  help: write it right",
  ]);
});

Deno.test("diagnosticLines() points behind the end of a line", () => {
  assert.equal(diagnosticLines(error(1, 4, 1), "warning", "abc")[2], "    |    ^");
});

Deno.test("diagnosticLines() keeps carets in place behind tabs and controls", () => {
  const lines = diagnosticLines(error(1, 3), "error", "\t\x1bx");
  assert.deepEqual(lines.slice(1, 3), ["  1 |   \\x1bx", "    |       ^"]);
});

Deno.test("diagnosticLines() shows the part of a long line that matters", () => {
  const lines = diagnosticLines(
    error(1, 5001, 4),
    "error",
    `${"x".repeat(5000)}HERE${"y".repeat(5000)}`,
  );
  assert.ok(lines[1]!.length < 200);
  assert.equal(lines[1]!.slice(lines[2]!.indexOf("^"), lines[2]!.indexOf("^") + 4), "HERE");
});

Deno.test("diagnosticLines() goes without a source", () => {
  assert.deepEqual(diagnosticLines({ code: "X", message: "m" }, "error", undefined), ["error: m"]);
});

// Attack: a policy file that moves the cursor or changes the title of the terminal.
Deno.test("diagnosticLines() prints no control character of a file", () => {
  fc.assert(fc.property(
    fc.string({ unit: "binary" }),
    fc.nat(20),
    fc.nat(20),
    fc.nat(20),
    (text, line, column, length) => {
      const found = { ...error(line + 1, column + 1, length + 1), message: text, cure: text };
      for (const each of diagnosticLines(found, "error", text)) {
        // deno-lint-ignore no-control-regex -- controls are what this looks for
        assert.doesNotMatch(each, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      }
    },
  ));
});
