import assert from "node:assert/strict";
import { newId } from "../../../src/core/id.ts";
import type { AuthorityStore } from "../../../src/authority/store/store.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { Listener } from "../support.ts";
import { bundle, MAX_TTL_MS, token } from "./samples.ts";

/** A store to try, and how to end with it. */
export interface Subject extends AsyncDisposable {
  readonly store: AuthorityStore;
}

function revocation(tokenId: string, ageMs = 0) {
  return { tokenId, reason: "a test", timestamp: new Date(Date.now() - ageMs).toISOString() };
}

async function listed(store: AuthorityStore, tokenIds: readonly string[]): Promise<void> {
  await eventually(`the revocations ${tokenIds}`, async () => {
    const list = (await store.listRevocations()).map(({ tokenId }) => tokenId);
    return JSON.stringify(list.sort()) === JSON.stringify([...tokenIds].sort()) ? true : undefined;
  });
}

/** What every store promises, as tests; `name` is the store's. */
export function storeTests(name: string, open: () => Promise<Subject>): Deno.TestDefinition[] {
  const tests: Deno.TestDefinition[] = [];
  const test = (name: string, fn: () => Promise<void>) => void tests.push({ name, fn });
  test(`${name} keeps agents, unique by name and identifier`, async () => {
    await using subject = await open();
    const { store } = subject;
    const agent = { id: newId("agt"), name: "builder", registeredAt: "2030-01-01T00:00:00Z" };
    assert.equal(await store.addAgent(agent), true);
    assert.equal(await store.addAgent({ ...agent, id: newId("agt") }), false, "name taken");
    assert.equal(await store.addAgent({ ...agent, name: "other" }), false, "identifier taken");
    const another = { ...agent, id: newId("agt"), name: "another" };
    assert.equal(await store.addAgent(another), true);
    assert.deepEqual(await store.findAgent(agent.id), agent);
    assert.equal(await store.findAgent(newId("agt")), undefined);
    assert.deepEqual(await store.listAgents(), [another, agent]);
    assert.equal(await store.removeAgent(agent.id), true);
    assert.equal(await store.removeAgent(agent.id), false);
    assert.equal(await store.findAgent(agent.id), undefined);
  });

  test(`${name} records no token of a session of which one is revoked`, async () => {
    await using subject = await open();
    const { store } = subject;
    const sessionId = newId("ses");
    const [first, second] = [token(sessionId), token(sessionId)];
    assert.equal(await store.recordToken(first), "recorded");
    assert.equal(await store.recordToken(second), "recorded");
    await store.revoke(revocation(first.tokenId));
    await listed(store, [first.tokenId]);
    assert.equal(await store.recordToken(token(sessionId)), "SESSION_REVOKED");
    assert.equal(await store.recordToken(token(newId("ses"))), "recorded", "another session");
    assert.equal(await store.withdrawRevocation(first.tokenId), true);
    assert.equal(await store.withdrawRevocation(first.tokenId), false);
    await listed(store, []);
    await eventually(
      "the session to be free",
      async () => (await store.recordToken(token(sessionId))) === "recorded" || undefined,
    );
  });

  test(`${name} records tokens of registered agents alone, where asked to`, async () => {
    await using subject = await open();
    const { store } = subject;
    const agent = { id: newId("agt"), name: "builder", registeredAt: "2030-01-01T00:00:00Z" };
    const record = (agentId: string, only?: boolean) =>
      store.recordToken(token(newId("ses"), agentId), only);
    assert.equal(await record(agent.id, true), "AGENT_NOT_REGISTERED");
    assert.equal(await record(agent.id), "recorded", "the control");
    await store.addAgent(agent);
    // Several at once, each of which is judged by itself.
    const revoked = token("stopped", agent.id);
    assert.equal(await store.recordToken(revoked), "recorded");
    await store.revoke(revocation(revoked.tokenId));
    await listed(store, [revoked.tokenId]);
    const said = await Promise.all([
      record(agent.id, true),
      record(newId("agt"), true),
      record(newId("agt"), false),
      store.recordToken(token("stopped", agent.id), true),
      record(agent.id, true),
    ]);
    const expected = [
      "recorded",
      "AGENT_NOT_REGISTERED",
      "recorded",
      "SESSION_REVOKED",
      "recorded",
    ];
    assert.deepEqual(said, expected);
    await store.removeAgent(agent.id);
    assert.equal(await record(agent.id, true), "AGENT_NOT_REGISTERED");
  });

  test(`${name} tells whole lists of revocations, and what is revoked once stays so`, async () => {
    await using subject = await open();
    const { store } = subject;
    await using listener = new Listener((signal) => store.watchRevocations(signal));
    await eventually("the beginning", () => listener.heard.length > 0 || undefined);
    const [a, b] = [revocation(newId("ctok")), revocation(newId("ctok"))];
    await store.revoke(a);
    await store.revoke(b);
    await store.revoke({ ...a, reason: "again" });
    await eventually("both", () => listener.heard.at(-1)!.length === 2 || undefined);
    const kept = (await store.listRevocations()).find(({ tokenId }) => tokenId === a.tokenId);
    assert.deepEqual(kept, a);
    await store.withdrawRevocation(a.tokenId);
    await eventually("one", () => listener.heard.at(-1)!.length === 1 || undefined);
  });

  test(`${name} compacts old revocations alone`, async () => {
    await using subject = await open();
    const { store } = subject;
    const old = revocation(newId("ctok"), 2 * MAX_TTL_MS);
    const young = revocation(newId("ctok"));
    await store.revoke(old);
    await store.revoke(young);
    await listed(store, [old.tokenId, young.tokenId]);
    assert.equal(await store.compactRevocations(Date.now() - MAX_TTL_MS), 1);
    await listed(store, [young.tokenId]);
    assert.equal(await store.compactRevocations(Date.now() - MAX_TTL_MS), 0);
  });

  test(`${name} gives each content that follows another a higher revision`, async () => {
    await using subject = await open();
    const { store } = subject;
    const one = await store.publishBundle(bundle("1"), true);
    assert.deepEqual(await store.publishBundle(bundle("1"), false), one);
    const two = await store.publishBundle(bundle("2"), false);
    assert.ok(two.revision > one.revision);
    assert.deepEqual(await store.currentBundle(), two);
    const again = await store.publishBundle(bundle("1"), false);
    assert.ok(again.revision > two.revision, "going back is a change like any other");
  });
  return tests;
}
