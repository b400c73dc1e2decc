import assert from "node:assert/strict";
import fc from "fast-check";
import { signPaseto } from "../../src/capability/paseto.ts";
import { issueToken, verifyToken } from "../../src/capability/token.ts";
import { claims, keyPair } from "./support.ts";

const { privateKey, publicKey } = keyPair();

Deno.test("verifyToken() returns the claims that issueToken() signed", async () => {
  const given = claims({ action_set: ["*", "code.read"], resource_scope: ["api.example.test/**"] });
  const verified = await verifyToken(await issueToken(given, privateKey), publicKey);
  assert.deepEqual(verified, { ok: true, value: given });
});

Deno.test("verifyToken() refuses a token of another key", async () => {
  const token = await issueToken(claims(), keyPair().privateKey);
  assert.ok(!(await verifyToken(token, publicKey)).ok);
});

Deno.test("verifyToken() refuses a key that is none", async () => {
  const token = await issueToken(claims(), privateKey);
  for (const length of [0, 31, 33]) {
    assert.ok(!(await verifyToken(token, new Uint8Array(length))).ok);
  }
});

Deno.test("verifyToken() refuses a token with any one character changed", async () => {
  const token = await issueToken(claims(), privateKey);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(token.length - 1),
      fc.constantFrom(..."ABCxyz019-_.=+/ \n"),
      async (index, char) => {
        fc.pre(token[index] !== char);
        const forged = token.slice(0, index) + char + token.slice(index + 1);
        assert.ok(!(await verifyToken(forged, publicKey)).ok, forged);
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("verifyToken() refuses other framings of a token that is good", async (t) => {
  const good = await issueToken(claims(), privateKey);
  const [, , payload] = good.split(".");
  const bytes = new TextEncoder().encode("x");
  const forms: Record<string, string> = {
    "version 3": `v3.public.${payload}`,
    "version 2, also Ed25519": `v2.public.${payload}`,
    "purpose local": `v4.local.${payload}`,
    "an empty footer": `${good}.`,
    "a footer nobody signed": `${good}.eA`,
    "a footer that was signed": await signPaseto(claims(), privateKey, {
      footer: new Uint8Array(bytes),
    }),
    "an implicit assertion": await signPaseto(claims(), privateKey, {
      implicitAssertion: new Uint8Array(bytes),
    }),
    "padding": `${good}=`,
    "a blank before it": ` ${good}`,
    "nothing": "",
    "upper-case header": `V4.PUBLIC.${payload}`,
  };
  for (const [name, token] of Object.entries(forms)) {
    await t.step(name, async () => assert.ok(!(await verifyToken(token, publicKey)).ok));
  }
  assert.ok((await verifyToken(good, publicKey)).ok);
});

Deno.test("verifyToken() refuses claims that are signed and wrong", async (t) => {
  const good = { ...claims() };
  const without = (name: string) =>
    Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
  const cases: Record<string, object> = {
    "an unknown claim, which may restrict": { ...good, only_on_weekdays: true },
    "an expiry that is no timestamp": { ...good, expiry: "tomorrow" },
    "an expiry without zone": { ...good, expiry: "2030-01-01T01:00:00" },
    "an expiry on 30 February": { ...good, expiry: "2030-02-30T01:00:00Z" },
    "no actions": { ...good, action_set: [] },
    "an action that nobody registered": { ...good, action_set: ["code.everything"] },
    "an action that is a number": { ...good, action_set: [1] },
    "no scope": { ...good, resource_scope: [] },
    "a scope that is text": { ...good, resource_scope: "**" },
    "a token id of another kind": { ...good, token_id: good.agent_id },
    "an empty session": { ...good, session_id: "" },
  };
  for (const name of Object.keys(good)) cases[`no ${name}`] = without(name);
  for (const [name, wrong] of Object.entries(cases)) {
    await t.step(name, async () => {
      const result = await verifyToken(await signPaseto(wrong, privateKey), publicKey);
      assert.ok(!result.ok);
      assert.equal(result.error.code, "TOKEN_INVALID");
    });
  }
  assert.ok((await verifyToken(await signPaseto(good, privateKey), publicKey)).ok);
});
