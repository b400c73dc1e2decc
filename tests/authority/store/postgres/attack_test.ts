import assert from "node:assert/strict";
import { newId } from "../../../../src/core/id.ts";
import { keyPair } from "../../../capability/support.ts";
import { bundle, token } from "../samples.ts";
import { KEY, newSchema, openPostgres, sharedServer, useServer } from "./support.ts";

useServer();

/** What would be something else than a name where a value becomes part of a statement. */
const NAMES = [
  "'; DROP TABLE agents; --",
  "x' OR '1'='1",
  '"; DELETE FROM tokens; --',
  "$1",
  "\\'; SELECT pg_sleep(10); --",
  "%s%n",
  "ʼ; --\u202e",
  "a\nb\tc",
];

Deno.test("PostgresStore takes names that look like statements for names", async () => {
  const store = await openPostgres(newSchema());
  for (const name of NAMES) {
    const agent = { id: newId("agt"), name, registeredAt: name };
    assert.equal(await store.addAgent(agent), true, name);
    assert.deepEqual(await store.findAgent(agent.id), agent);
    assert.equal(await store.findAgent(name), undefined);
    assert.equal(await store.removeAgent(name), false);
    const issued = token(name);
    assert.equal(await store.recordToken(issued), "recorded");
    const timestamp = new Date().toISOString();
    await store.revoke({ tokenId: name, reason: name, timestamp });
    assert.ok((await store.listRevocations()).some(({ reason }) => reason === name));
    assert.equal(await store.recordToken(token(name)), "recorded", "another token was revoked");
    assert.equal(await store.withdrawRevocation(name), true);
    await store.revoke({ tokenId: issued.tokenId, reason: `${name}\0`, timestamp });
    assert.equal(await store.recordToken(token(name)), "SESSION_REVOKED");
  }
  assert.equal((await store.listAgents()).length, NAMES.length);
  await store.close();
});

Deno.test("PostgresStore lets a token that cannot be recorded take no other with it", async () => {
  const schema = newSchema();
  const store = await openPostgres(schema);
  const sessions = ["a", "b", "nul\0", '{"c"}', "d,\\"];
  const said = await Promise.allSettled(sessions.map((each) => store.recordToken(token(each))));
  assert.deepEqual(
    said.map((each) => each.status === "fulfilled" ? each.value : "rejected"),
    ["recorded", "recorded", "rejected", "recorded", "recorded"],
  );
  const known = await sharedServer().sql(`SELECT session_id FROM ${schema}.tokens`);
  assert.deepEqual(known.trim().split("\n").sort(), ["a", "b", "d,\\", '{"c"}']);
  await store.close();
});

Deno.test("PostgresStore believes no bundle that its own key has not signed", async () => {
  const schema = newSchema();
  const store = await openPostgres(schema);
  const published = await store.publishBundle(bundle("1"), true);
  await store.close();

  const same = await openPostgres(schema);
  assert.deepEqual(await same.currentBundle(), published, "the control");
  await same.close();

  const other = await openPostgres(schema, { signingKey: { ...keyPair(), created: false } });
  await assert.rejects(other.currentBundle(), /signature is not the Authority's/);
  await assert.rejects(other.publishBundle(bundle("2"), false), /signature is not/);
  await other.close();

  // Somebody who can write to the database lets a policy say something else.
  await sharedServer().sql(`
    UPDATE ${schema}.bundle SET sealed = overlay(sealed placing '2'::bytea
      from position('// 1'::bytea in sealed) + 3)`);
  const after = await openPostgres(schema);
  await assert.rejects(after.currentBundle(), /"a.cedar" is not what was signed/);
  await after.close();
  await sharedServer().sql(`UPDATE ${schema}.bundle SET sealed = 'nonsense'`);
  const last = await openPostgres(schema);
  await assert.rejects(last.currentBundle(), /it is damaged|not signed/);
  await last.close();
  assert.ok(KEY.publicKey.length === 32);
});
