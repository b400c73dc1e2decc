import assert from "node:assert/strict";
import { newId } from "../../../src/core/id.ts";
import { FileStore } from "../../../src/authority/store/file_store.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { directory } from "../support.ts";
import { storeTests } from "./contract.ts";
import { MAX_TTL_MS, token } from "./samples.ts";

async function open(path: string): Promise<FileStore> {
  const store = await FileStore.open({
    directory: `${path}/authority`,
    revocationFile: `${path}/revocations.txt`,
    maxTtlMs: MAX_TTL_MS,
    onNotice: (notice) => assert.fail(notice.message),
  });
  if (!store.ok) assert.fail(store.error.message);
  return store.value;
}

async function subject() {
  const state = await directory({});
  const store = await open(state.path);
  return {
    store,
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await state[Symbol.asyncDispose]();
    },
  };
}

for (const test of storeTests("FileStore", subject)) Deno.test(test);

const CONTENT = { version: "1", policies: [], schema: "", ttlSeconds: 30 };

Deno.test("FileStore finds everything again after a restart", async () => {
  await using state = await directory({});
  const agent = { id: newId("agt"), name: "builder", registeredAt: "2030-01-01T00:00:00Z" };
  const issued = token("s");
  let store = await open(state.path);
  await store.addAgent(agent);
  await store.recordToken(issued);
  await store.revoke({ tokenId: issued.tokenId, reason: "", timestamp: new Date().toISOString() });
  const published = await store.publishBundle(CONTENT, true);
  await store.close();

  store = await open(state.path);
  assert.deepEqual(await store.findAgent(agent.id), agent);
  assert.equal(await store.recordToken(token("s")), "SESSION_REVOKED");
  assert.deepEqual(await store.publishBundle(CONTENT, true), published, "the same revision");
  const next = await store.publishBundle({ ...CONTENT, version: "2" }, true);
  assert.ok(next.revision > published.revision);
  await store.close();
});

Deno.test("FileStore keeps a session stopped whose revocation was compacted", async () => {
  await using state = await directory({});
  let store = await open(state.path);
  const issued = token("s");
  await store.recordToken(issued);
  const timestamp = new Date(Date.now() - 2 * MAX_TTL_MS).toISOString();
  await store.revoke({ tokenId: issued.tokenId, reason: "", timestamp });
  await eventually("the revocation", async () => (await store.listRevocations())[0]);
  await eventually("it to be kept", async () => {
    const log = await Deno.readTextFile(`${state.path}/authority/tokens.jsonl`);
    return log.includes('"stopped":true') || undefined;
  });
  assert.equal(await store.compactRevocations(Date.now() - MAX_TTL_MS), 1);
  await eventually("it to be gone", async () => {
    return (await store.listRevocations()).length === 0 || undefined;
  });
  assert.equal(await store.recordToken(token("s")), "SESSION_REVOKED");
  await store.close();
  store = await open(state.path);
  assert.equal(await store.recordToken(token("s")), "SESSION_REVOKED", "after a restart");
  assert.equal(await store.recordToken(token("other")), "recorded");
  await store.close();
});

Deno.test("FileStore writes files that nobody else can read", async () => {
  await using state = await directory({});
  const store = await open(state.path);
  await store.addAgent({ id: newId("agt"), name: "a", registeredAt: "2030-01-01T00:00:00Z" });
  await store.recordToken(token("s"));
  await store.publishBundle(CONTENT, true);
  await store.revoke({ tokenId: newId("ctok"), reason: "", timestamp: new Date().toISOString() });
  await store.close();
  const modes = (path: string) => (Deno.statSync(path).mode ?? 0) & 0o777;
  assert.equal(modes(`${state.path}/authority`), 0o700);
  for (const name of ["agents.json", "tokens.jsonl", "bundle.json"]) {
    assert.equal(modes(`${state.path}/authority/${name}`), 0o600, name);
  }
  assert.equal(modes(`${state.path}/revocations.txt`), 0o600);
});

Deno.test("FileStore does not start a damaged order of bundles anew", async () => {
  await using state = await directory({});
  const store = await open(state.path);
  await Deno.writeTextFile(`${state.path}/authority/bundle.json`, "{");
  await assert.rejects(store.publishBundle(CONTENT, true), /damaged/);
  await store.close();
});

Deno.test("revoke() keeps a reason on the line that it is for", async () => {
  await using state = await directory({});
  const store = await open(state.path);
  const [tokenId, other] = [newId("ctok"), newId("ctok")];
  const timestamp = new Date().toISOString();
  await store.revoke({ tokenId, reason: `a\tb\n${other}\t${timestamp}`, timestamp });
  const lines = (await Deno.readTextFile(`${state.path}/revocations.txt`)).trimEnd().split("\n");
  assert.deepEqual(lines, [`${tokenId}\t${timestamp}\ta b ${other} ${timestamp}`]);
  await store.close();
});
