import assert from "node:assert/strict";
import type { EventFilter } from "../../../src/audit/search/event_filter.ts";
import { Accumulator } from "../../../src/audit/merkle/accumulator.ts";
import { leafHash } from "../../../src/audit/merkle/hash.ts";
import { Collector } from "../../../src/authority/collect/collector.ts";
import { PostgresCollection } from "../../../src/authority/collect/postgres_collection.ts";
import { parseDatabaseUrl } from "../../../src/authority/store/postgres/database_url.ts";
import { unwrap } from "../../../src/core/result.ts";
import { newSchema, sharedServer, useServer } from "../store/postgres/support.ts";
import { kept, sidecar } from "./support.ts";

useServer();

/** An Authority that collects into `schema`, and what it reports. */
async function authority(schema: string) {
  const target = unwrap(parseDatabaseUrl(sharedServer().url()));
  const collection = unwrap(await PostgresCollection.open(target, schema));
  const reports: string[] = [];
  const collector = new Collector(collection, (text) => reports.push(text));
  return { collection, collector, reports };
}

async function found(collection: PostgresCollection, filter: EventFilter, limit = 100) {
  return await Array.fromAsync(collection.search(filter, limit));
}

const text = (line: Uint8Array) => new TextDecoder().decode(line);

Deno.test("PostgresCollection keeps lines as they are, once, for whichever Authority is asked", async () => {
  const schema = newSchema();
  const [one, other] = [await authority(schema), await authority(schema)];
  const { log, lines } = sidecar();
  const [first, second] = [lines(5), lines(3)];
  assert.equal(kept(await one.collector.receive(log, first)).seq, 5);
  assert.equal(kept(await other.collector.resume(log, 8)).seq, 5);
  assert.equal(kept(await other.collector.receive(log, [...first.slice(2), ...second])).seq, 8);
  assert.equal(kept(await one.collector.receive(log, first)).seq, 8);
  const rows = await found(one.collection, {});
  assert.deepEqual(rows.map(({ line }) => line), [...first, ...second].map(text));
  assert.deepEqual([...one.reports, ...other.reports], []);
  await one.collection.close();
  await other.collection.close();
});

Deno.test("PostgresCollection takes the same lines from two Authorities at once only once", async () => {
  const schema = newSchema();
  const both = [await authority(schema), await authority(schema)];
  const { log, lines } = sidecar();
  const all = lines(200);
  await Promise.all(both.map(async ({ collector }, offset) => {
    for (let at = 0; at < 200; at += 20 + offset) {
      kept(await collector.receive(log, all.slice(0, at + 20 + offset)));
    }
  }));
  for (const { collector } of both) assert.equal(kept(await collector.resume(log, 200)).seq, 200);
  const rows = await found(both[0]!.collection, {}, 1_000);
  assert.deepEqual(rows.map(({ line }) => line), all.map(text));
  assert.deepEqual(both.flatMap(({ reports }) => reports), []);
  for (const { collection } of both) await collection.close();
});

Deno.test("PostgresCollection keeps both sides of a fork, and writes down what nobody honest does", async () => {
  const schema = newSchema();
  const { collection, collector, reports } = await authority(schema);
  const attacker = sidecar();
  const before = attacker.lines(5);
  kept(await collector.receive(attacker.log, before));
  const fork = attacker.lines(2, { seq: 2, hash: attacker.head.hash });
  kept(await collector.receive(attacker.log, fork));
  const lines = (await found(collection, {})).map(({ line }) => line);
  for (const line of [...before, ...fork]) assert.ok(lines.includes(text(line)));
  const forged = new TextEncoder().encode(text(before[0]!).replace('"ALLOW"', '"DENY"'));
  for (let i = 0; i < 2; i++) {
    const answer = await collector.receive(attacker.log, [forged]);
    assert.equal(answer.ok ? "" : answer.error.kind, "forged");
  }
  assert.match(reports[0]!, /line 3 on \(fork\)/);
  const incidents = await sharedServer().sql(
    `SELECT kind, count(*) FROM ${schema}.log_incidents GROUP BY kind ORDER BY kind`,
  );
  assert.match(incidents, /forged\D+1[^]*fork\D+1|fork\D+1[^]*forged\D+1/);
  await collection.close();
});

Deno.test("PostgresCollection remembers owner, keys and what was witnessed", async () => {
  const schema = newSchema();
  const before = await authority(schema);
  const [first, second] = [sidecar("build-1"), sidecar("build-1")];
  const lines = [...first.lines(3), first.handOver(second.key.publicKey)];
  kept(await before.collector.receive(first.log, lines));
  const name = { sidecar: "build-1", id: await idOf(schema) };
  const tree = new Accumulator();
  for (const line of lines) tree.append(leafHash(line));
  const head = { size: 4, root: tree.root() };
  await before.collection.change(name, async (change) => {
    assert.deepEqual(await change.root(4), head.root);
    assert.equal(await change.root(5), undefined);
    assert.equal(await change.witnessed(), undefined);
    await change.setWitnessed(head);
  });
  await before.collection.close();

  const after = await authority(schema);
  await after.collection.change(name, async (change) => {
    assert.deepEqual(await change.witnessed(), head);
  });
  const next = second.lines(3, first.head);
  assert.equal(kept(await after.collector.receive(first.log, next)).seq, 7);
  const late = await after.collector.receive(first.log, first.lines(1, second.head));
  assert.equal(late.ok ? "" : late.error.kind, "forged");
  const thief = await after.collector.receive({ ...first.log, sidecar: "build-2" }, lines);
  assert.equal(thief.ok ? "" : thief.error.kind, "not yours");
  // Undone is all of a change that fails.
  const failed = after.collection.change(name, async (change) => {
    await change.setWitnessed({ size: 1, root: head.root });
    throw new Error("broke off");
  });
  await assert.rejects(failed);
  await after.collection.change(name, async (change) => {
    assert.deepEqual(await change.witnessed(), head);
  });
  await after.collection.close();
});

Deno.test("PostgresCollection finds lines by every part, the last ones first to be kept", async () => {
  const { collection, collector } = await authority(newSchema());
  const { log, lines } = sidecar("it's; DROP TABLE logs --");
  const all = lines(30);
  kept(await collector.receive(log, all));
  const event = JSON.parse(text(all[0]!));
  const host = event.resource.split("/")[0];
  const fitting: EventFilter[] = [
    { agent: event.agent_id },
    { session: event.session_id },
    { decision: "ALLOW" },
    { action: event.action_class },
    { action: `${event.action_class.split(".")[0]}.*` },
    { host },
    { host: `*.${host.split(".").slice(1).join(".")}` },
    { sinceMs: 0, untilMs: Date.now() + 86_400_000 },
  ];
  for (const filter of fitting) {
    assert.equal((await found(collection, filter)).length, 30, JSON.stringify(filter));
  }
  const none: EventFilter[] = [
    { agent: "' OR 1=1 --" },
    { decision: "DENY" },
    { action: "payment.*" },
    { host: "*.elsewhere.test" },
    { untilMs: 0 },
    { agent: event.agent_id, host: "elsewhere.test" },
  ];
  for (const filter of none) {
    assert.deepEqual(await found(collection, filter), [], JSON.stringify(filter));
  }
  const last = await found(collection, {}, 3);
  assert.deepEqual(last.map(({ line }) => line), all.slice(-3).map(text));
  assert.equal(last[0]!.sidecar, "it's; DROP TABLE logs --");
  await collection.close();
});

async function idOf(schema: string): Promise<string> {
  const printed = await sharedServer().sql(`SELECT id FROM ${schema}.logs`);
  return /[0-9a-f]{16}/.exec(printed)![0];
}
