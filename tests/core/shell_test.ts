import assert from "node:assert/strict";
import fc from "fast-check";
import { shellWord } from "../../src/core/shell.ts";
import { escapeForTerminal } from "../../src/core/escape.ts";

/** What a shell makes of words. */
function words(text: string): string[] {
  const { stdout } = new Deno.Command("/bin/sh", {
    args: ["-c", `for word in ${text}; do printf '%s\\0' "$word"; done`],
  }).outputSync();
  return new TextDecoder().decode(stdout).split("\0").slice(0, -1);
}

// Attack: an agent chooses the name of a file or host that a person pastes into a shell.
Deno.test("shellWord() makes a word of anything, and nothing else", () => {
  const texts = fc.sample(
    fc.oneof(
      fc.string({ minLength: 1, unit: "binary" }),
      fc.constantFrom("$(id)", "`id`", "a;id", "'", "a'b", "~", "*", "-rf", "=ls", "!!", "#x", ""),
    ),
    { numRuns: 200, seed: 1 },
  );
  const quoted = texts.map(shellWord);
  assert.ok(quoted.every((word) => !word.includes("\n")));
  assert.deepEqual(words(quoted.join(" ")), texts.map(escapeForTerminal));
});

Deno.test("shellWord() leaves plain paths as they are", () => {
  for (const text of ["/a/b-c.toml", "firma", "user@host:22"]) assert.equal(shellWord(text), text);
});
