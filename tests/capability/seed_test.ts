import assert from "node:assert/strict";
import { formatSeed, readSeed } from "../../src/capability/seed.ts";
import { issueToken } from "../../src/capability/token.ts";
import { claims, keyPair, NOW } from "./support.ts";

async function seed() {
  const key = keyPair();
  const said = claims({ action_set: ["code.read", "code.write"], resource_scope: ["a.test/**"] });
  const token = await issueToken(said, key.privateKey);
  return { key, said, token, text: formatSeed({ token, claims: said }) };
}

Deno.test("readSeed() reads what formatSeed() wrote", async () => {
  const { key, said, token, text } = await seed();
  const read = await readSeed(text, "seed.toml", key.publicKey, NOW);
  if (!read.ok) assert.fail(read.error.message);
  assert.deepEqual(read.value, { token, claims: said });
  const otherOffset = text.replace('"2030-01-01T01:00:00Z"', '"2030-01-01T02:00:00+01:00"');
  assert.ok((await readSeed(otherOffset, "seed.toml", key.publicKey, NOW)).ok);
  const asTime = text.replace('"2030-01-01T01:00:00Z"', "2030-01-01T01:00:00Z");
  assert.ok((await readSeed(asTime, "seed.toml", key.publicKey, NOW)).ok);
});

Deno.test("readSeed() refuses an edited seed and names the field", async (t) => {
  const { key, said, text } = await seed();
  const cases: Record<string, [string, string]> = {
    "another agent": [
      text.replace(said.agent_id, said.agent_id.replace(/.$/, (last) => last === "0" ? "1" : "0")),
      "agent_id",
    ],
    "another token id": [text.replace(said.token_id, said.token_id.toUpperCase()), "token_id"],
    "another session": [text.replace(said.session_id, "ses"), "session_id"],
    "one action more": [text.replace('"code.write"', '"code.write","code.merge"'), "action_set"],
    "a wider scope": [text.replace("a.test/**", "**"), "resource_scope"],
    "a later end": [text.replace("T01:00:00Z", "T09:00:00Z"), "expiry"],
    "no end": [text.replace(/^expiry.*\n/m, ""), "expiry"],
    "an end that is no time": [text.replace("2030-01-01T01:00:00Z", "soon"), "expiry"],
    "an earlier beginning": [text.replace("T00:00:00Z", "T00:00:01Z"), "issued_at"],
    "another hash": [text.replace('context_hash = ""', 'context_hash = "0"'), "context_hash"],
    "another bundle": [text.replace("0123456789abcdef", "f"), "policy_bundle_version"],
    "another token": [text.replace("v4.public.ey", "v4.public.eY"), "raw_token"],
    "no token": [text.replace(/^raw_token.*\n/m, ""), "raw_token"],
    "something more": [`${text}budget = 1\n`, "budget"],
  };
  for (const [name, [edited, field]] of Object.entries(cases)) {
    await t.step(name, async () => {
      assert.notEqual(edited, text);
      const read = await readSeed(edited, "seed.toml", key.publicKey, NOW);
      assert.ok(!read.ok);
      assert.match(read.error.message, new RegExp(`"${field}"`));
      assert.ok(!read.error.message.includes("v4.public."), "no token in a message");
    });
  }
});

Deno.test("readSeed() refuses a seed that has expired or is of another Authority", async () => {
  const { key, text } = await seed();
  const late = await readSeed(text, "seed.toml", key.publicKey, NOW + 3_600_000);
  assert.ok(!late.ok);
  assert.match(late.error.message, /"expiry" is over/);
  const other = await readSeed(text, "seed.toml", keyPair().publicKey, NOW);
  assert.ok(!other.ok);
  assert.match(other.error.message, /"raw_token" is not a token of this Authority/);
});
