import assert from "node:assert/strict";
import { newId } from "../../../../src/core/id.ts";
import type { Revocation } from "../../../../src/core/authority.ts";
import type { BundleContent, PublishedBundle } from "../../../../src/authority/store/store.ts";
import { eventually } from "../../../fixtures/deadline.ts";
import { Listener } from "../../support.ts";
import { bundle, token } from "../samples.ts";
import { newSchema, openPostgres, sharedServer, useServer } from "./support.ts";

useServer();

const revocation = (tokenId: string = newId("ctok")): Revocation => ({
  tokenId,
  reason: "a test",
  timestamp: new Date().toISOString(),
});

Deno.test("PostgresStore tells other Authorities of revocations and bundles", async () => {
  const schema = newSchema();
  const [a, b] = [await openPostgres(schema), await openPostgres(schema)];
  {
    await using lists = new Listener((signal) => b.watchRevocations(signal));
    await using bundles = new Listener((signal) => b.watchBundles(signal));
    await eventually("the beginning", () => lists.heard.length > 0 || undefined);
    const revoked = revocation();
    await a.revoke(revoked);
    const published = await a.publishBundle(bundle("1"), true);
    await eventually("the revocation", () => lists.heard.at(-1)!.length === 1 || undefined);
    await eventually("the bundle", () => bundles.heard.length > 0 || undefined);
    assert.deepEqual(lists.heard.at(-1), [revoked]);
    assert.deepEqual(bundles.heard, [published]);
    assert.deepEqual(await b.currentBundle(), published);
  }
  await a.close();
  await b.close();
});

Deno.test("PostgresStore finds by looking what nobody told it", async () => {
  const schema = newSchema();
  const store = await openPostgres(schema);
  {
    await using lists = new Listener((signal) => store.watchRevocations(signal));
    await eventually("the beginning", () => lists.heard.length > 0 || undefined);
    const tokenId = newId("ctok");
    await sharedServer().sql(`
      INSERT INTO ${schema}.revocations (token_id, reason, revoked_at)
        VALUES ('${tokenId}', 'by hand', now());
      UPDATE ${schema}.state SET revocations = revocations + 1`);
    await eventually(
      "the revocation",
      () => lists.heard.at(-1)![0]?.tokenId === tokenId || undefined,
    );
  }
  await store.close();
});

Deno.test("PostgresStore stops a session that another Authority issued for", async () => {
  const schema = newSchema();
  const [a, b] = [await openPostgres(schema), await openPostgres(schema)];
  const first = token("s");
  assert.equal(await a.recordToken(first), "recorded");
  await b.revoke(revocation(first.tokenId));
  assert.equal(await a.recordToken(token("s")), "SESSION_REVOKED");
  assert.equal(await b.compactRevocations(Date.now() + 1), 1);
  assert.deepEqual(await a.listRevocations(), []);
  assert.equal(await a.recordToken(token("s")), "SESSION_REVOKED", "compacted");
  await b.revoke(revocation(first.tokenId));
  assert.equal((await a.listRevocations()).length, 1, "and revoked again");
  assert.equal(await a.withdrawRevocation(first.tokenId), true);
  assert.equal(await b.recordToken(token("s")), "recorded", "taken back");
  await a.close();
  await b.close();
});

Deno.test("publishBundle() at a start yields to what others published since", async (t) => {
  /** What one Authority after the other publishes; which version is in force in the end. */
  const cases: Record<
    string,
    { steps: [who: string, version: string, atStart?: true][]; wins: string }
  > = {
    "an old directory": {
      steps: [["a", "1", true], ["b", "1", true], ["a", "2"], ["b", "1", true]],
      wins: "2",
    },
    "an old directory of an Authority that was never seen": {
      steps: [["a", "1", true], ["a", "2"], ["b", "1", true]],
      wins: "2",
    },
    "an edit while it was not running": {
      steps: [["a", "1", true], ["b", "1", true], ["a", "2"], ["b", "3", true]],
      wins: "3",
    },
    "going back while it was not running": {
      steps: [["a", "1", true], ["a", "2"], ["a", "1", true]],
      wins: "1",
    },
    "a directory that was passed over, twice": {
      steps: [["a", "1", true], ["a", "2"], ["b", "1", true], ["b", "1", true]],
      wins: "2",
    },
  };
  for (const [name, { steps, wins }] of Object.entries(cases)) {
    await t.step(name, async () => {
      const schema = newSchema();
      let last: PublishedBundle | undefined;
      let revision = 0;
      for (const [publisher, version, atStart = false] of steps) {
        const store = await openPostgres(schema, { publisher });
        last = await store.publishBundle(bundle(version), atStart);
        assert.ok(last.revision >= revision);
        revision = last.revision;
        await store.close();
      }
      assert.equal(last!.version, wins);
    });
  }
});

Deno.test("Authorities that do everything at once agree on one order and lose nothing", async () => {
  const schema = newSchema();
  // The schema is made by whoever is first.
  const stores = await Promise.all([1, 2, 3, 4].map(() => openPostgres(schema)));
  const tokens = stores.flatMap(() => Array.from({ length: 25 }, () => token(newId("ses"))));
  const revocations = stores.flatMap(() => Array.from({ length: 10 }, () => revocation()));
  const contents: BundleContent[] = stores.flatMap((_, i) =>
    Array.from({ length: 5 }, (_, j) => bundle(`${i}.${j}`))
  );
  const agents = Array.from({ length: 10 }, (_, i) => `agent-${i}`);
  const each = <T, R>(
    items: readonly T[],
    work: (store: typeof stores[0], item: T) => Promise<R>,
  ) => Promise.all(items.map((item, i) => work(stores[i % stores.length]!, item)));
  const [recorded, , published, added] = await Promise.all([
    each(tokens, (store, item) => store.recordToken(item)),
    each(revocations, (store, item) => store.revoke(item)),
    each(contents, (store, item) => store.publishBundle(item, false)),
    // Each name by two at once.
    each(
      [...agents, ...agents],
      (store, name) =>
        store.addAgent({ id: newId("agt"), name, registeredAt: "2030-01-01T00:00:00Z" }),
    ),
  ]);
  assert.ok(recorded.every((each) => each === "recorded"));
  assert.equal(added.filter((each) => each).length, agents.length);
  assert.equal(new Set(published.map(({ revision }) => revision)).size, contents.length);
  const newest = published.toSorted((a, b) => a.revision - b.revision).at(-1);
  for (const store of stores) {
    assert.deepEqual(await store.currentBundle(), newest);
    assert.equal((await store.listRevocations()).length, revocations.length);
    await store.close();
  }
  const count = await sharedServer().sql(`SELECT count(*) FROM ${schema}.tokens`);
  assert.equal(Number(count), tokens.length);
});
