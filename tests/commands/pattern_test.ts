import assert from "node:assert/strict";
import fc from "fast-check";
import { readArguments } from "../../src/commands/arguments.ts";
import { compareSpecificity, matchPattern, parsePattern } from "../../src/commands/pattern.ts";
import { unwrap } from "../../src/core/result.ts";

const WITH_VALUE = new Set(["-C", "--git-dir"]);

function matches(pattern: string, args: readonly string[]): boolean {
  return matchPattern(unwrap(parsePattern(pattern)), readArguments(args, WITH_VALUE)) !== undefined;
}

const FORCED = "push -f|--force";

Deno.test("matchPattern() finds a command however it is written", async (t) => {
  const cases: Record<string, [string, string, boolean]> = {
    "as it is": [FORCED, "push --force", true],
    "the option in front": [FORCED, "--force push", true],
    "behind operands": [FORCED, "push origin main -f", true],
    "among short options": [FORCED, "push -uf origin", true],
    "the beginning of a long name": [FORCED, "push --for", true],
    "after an option with a value": [FORCED, "-C /tmp push --force", true],
    "after an option that may have one": [FORCED, "--unknown push --force", true],
    "after the value of an unknown option": [FORCED, "--unknown value push --force", true],
    "-- as the value of an option": [FORCED, "push -o -- --force", true],
    "another command": [FORCED, "pull --force", false],
    "a word that is a value": [FORCED, "-C push pull --force", false],
    "a word that comes later": [FORCED, "commit push --force", false],
    "no such option": [FORCED, "push origin", false],
    "behind --": [FORCED, "push -- --force", false],
    "an operand that comes later": ["push ... +*", "push origin +main", true],
    "such an operand in front": ["push ... +*", "+main push", false],
    "a value": ["-c=alias.*", "-c alias.x=push x", true],
    "a value in the same word": ["-c=alias.*", "-calias.x=push x", true],
    "another value": ["-c=alias.*", "-c user.name=x log", false],
    "a long option with one dash": ["-delete", ". -name x -delete", true],
    "its two dashes": ["apply -auto-approve", "apply --auto-approve", true],
    "anything": ["", "what ever", true],
    "nothing": ["", "", true],
    "control characters": [FORCED, "push \u001b[2J --force", true],
  };
  for (const [name, [pattern, line, expected]] of Object.entries(cases)) {
    await t.step(name, () => {
      assert.equal(matches(pattern, line.split(" ").filter((word) => word !== "")), expected);
    });
  }
});

const word = fc.oneof(
  fc.stringMatching(/^[a-z/.:+]{1,6}$/),
  fc.constantFrom("push", "-x", "--why", "-C", "--git-dir=x", "-ab", "", "-"),
);

Deno.test("matchPattern() finds an option wherever it stands before --", () => {
  fc.assert(fc.property(fc.array(word), fc.array(word), (before, after) => {
    fc.pre(!WITH_VALUE.has(before.at(-1) ?? "")); // there it is a value
    assert.ok(matches("--force", [...before, "--force", ...after]));
  }));
});

Deno.test("matchPattern() asks no less of more words, and adding options takes nothing away", () => {
  fc.assert(fc.property(fc.array(word), (args) => {
    if (matches("push --force", args)) assert.ok(matches("push", args) && matches("", args));
    if (matches("push", args)) assert.ok(matches("push", ["--quiet", ...args]));
  }));
});

Deno.test("compareSpecificity() orders patterns by what they ask for", () => {
  const order = ["", "-c=alias.*", "*", "get-*", "push", "push --force", "push ... +*"];
  const parsed = order.map((text) => unwrap(parsePattern(text)));
  for (let at = 1; at < parsed.length; at++) {
    assert.ok(compareSpecificity(parsed[at - 1]!, parsed[at]!) <= 0, order[at]);
  }
  assert.ok(compareSpecificity(parsed[1]!, parsed[2]!) < 0);
});

Deno.test("parsePattern() refuses what it would read in two ways", () => {
  for (const text of ["push|", "push|-f", "a ... b ... c", "--a=x|--b", "-"]) {
    assert.ok(!parsePattern(text).ok, text);
  }
});
