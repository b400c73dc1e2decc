import assert from "node:assert/strict";
import fc from "fast-check";
import { unifiedDiff } from "../../../src/config/setup/unified_diff.ts";

Deno.test("unifiedDiff() shows changes with three lines around them", () => {
  const before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n";
  const after = before.replace("2\n", "2a\n").replace("13\n", "");
  assert.equal(
    unifiedDiff("f", before, after),
    "--- f\n+++ f\n@@ -1,5 +1,5 @@\n 1\n-2\n+2a\n 3\n 4\n 5\n@@ -10,5 +10,4 @@\n 10\n 11\n 12\n-13\n 14\n",
  );
  assert.equal(unifiedDiff("f", "a\n", "a\n"), "");
  assert.equal(unifiedDiff("f", undefined, "a\n"), "--- /dev/null\n+++ f\n@@ -0,0 +1 @@\n+a\n");
  assert.equal(
    unifiedDiff("f", "a", undefined),
    "--- f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n\\ No newline at end of file\n",
  );
});

const text = fc.array(fc.constantFrom("a", "b", "c", ""), { maxLength: 12 })
  .map((lines) => lines.map((line) => `${line}\n`).join(""));

/** What `patch` does. */
function applied(before: string, diff: string): string {
  const source = before.split("\n").slice(0, -1);
  const output: string[] = [];
  let at = 0;
  for (const line of diff.split("\n").slice(2, -1)) {
    const start = /^@@ -(\d+)(,0)?/.exec(line);
    if (start) {
      const until = Number(start[1]) - (start[2] ? 0 : 1);
      output.push(...source.slice(at, until));
      at = until;
    } else if (line.startsWith("+")) output.push(line.slice(1));
    else {
      assert.equal(source[at], line.slice(1));
      if (line.startsWith(" ")) output.push(line.slice(1));
      at++;
    }
  }
  return [...output, ...source.slice(at)].map((line) => `${line}\n`).join("");
}

Deno.test("unifiedDiff() makes the one of the other", () => {
  fc.assert(fc.property(text, text, (before, after) => {
    assert.equal(applied(before, unifiedDiff("f", before, after)), after);
  }));
});

Deno.test("unifiedDiff() shows files that have nothing in common, whatever their size", () => {
  const file = (name: string) => Array.from({ length: 3_000 }, (_, i) => `${name}${i}\n`).join("");
  const [before, after] = [file("a"), file("b")];
  assert.equal(applied(before, unifiedDiff("f", before, after)), after);
});
