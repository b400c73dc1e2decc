import assert from "node:assert/strict";
import fc from "fast-check";
import { newId } from "../../src/core/id.ts";
import { parseRevocations } from "../../src/authority/revocation_list.ts";

const NOW = "2030-01-01T00:00:00Z";
const A = newId("ctok");
const B = newId("ctok");

function parse(text: string) {
  const { revocations, errors } = parseRevocations("revocations.txt", text, NOW);
  return { ids: revocations.map(({ tokenId }) => tokenId), revocations, errors };
}

Deno.test("parseRevocations() reads token, time and reason", () => {
  const { revocations, errors } = parse(
    `# revoked tokens\n\n${A}\t2029-12-31T23:00:00+01:00\tlost laptop\r\n${B}\n`,
  );
  assert.deepEqual(errors, []);
  assert.deepEqual(revocations, [
    { tokenId: A, timestamp: "2029-12-31T23:00:00+01:00", reason: "lost laptop" },
    { tokenId: B, timestamp: NOW, reason: "" },
  ]);
});

Deno.test("parseRevocations() never ignores a line that it cannot read", async (t) => {
  const lines: Record<string, [string, readonly string[]]> = {
    "blanks for tabs": [`${A} 2030-01-01T00:00:00Z gone`, [A]],
    "a bad time": [`${A}\tyesterday\tgone`, [A]],
    "an indented token": [`  ${A}`, [A]],
    "a blank behind": [`${A} `, [A]],
    "upper case": [A.toUpperCase(), [A]],
    "two tokens": [`${A},${B}`, [A, B]],
    "a byte order mark": [`\ufeff${A}`, [A]],
    "a comment behind": [`${A} # lost`, [A]],
    "no token at all": ["everything", []],
    "half a token": [A.slice(0, -1), []],
  };
  for (const [name, [line, ids]] of Object.entries(lines)) {
    await t.step(name, () => {
      const parsed = parse(`${line}\n`);
      assert.deepEqual(parsed.ids, ids);
      assert.equal(parsed.errors.length, 1);
      assert.equal(parsed.errors[0]!.at!.line, 1);
    });
  }
});

Deno.test("parseRevocations() revokes every token of any text that names it", () => {
  const noise = fc.string({ unit: fc.constantFrom("\t", " ", "\n", "\r", ",", ";", "x", "é") });
  fc.assert(fc.property(noise, noise, (before, after) => {
    fc.pre(!/[0-9a-z]$/i.test(before) && !/^[0-9a-z]/i.test(after));
    const text = `${before}${A}${after}`;
    const { ids } = parse(text);
    assert.ok(ids.includes(A), JSON.stringify(text));
  }));
});
