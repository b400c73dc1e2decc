import assert from "node:assert/strict";
import { newId } from "../../../../src/core/id.ts";
import { FirmaException, unwrap } from "../../../../src/core/result.ts";
import { parseDatabaseUrl } from "../../../../src/authority/store/postgres/database_url.ts";
import { SCHEMA_VERSION } from "../../../../src/authority/store/postgres/migrations.ts";
import { PostgresStore } from "../../../../src/authority/store/postgres/postgres_store.ts";
import { eventually } from "../../../fixtures/deadline.ts";
import { Listener } from "../../support.ts";
import { bundle, token } from "../samples.ts";
import { KEY, newSchema, openPostgres, sharedServer, useServer } from "./support.ts";

useServer();

/** Refused with a code that says that it may work later. */
const isUnreachable = (cause: unknown) => {
  assert.ok(cause instanceof FirmaException, String(cause));
  assert.equal(cause.error.code, "STORE_UNREACHABLE", cause.message);
  return true;
};

for (const signal of ["SIGINT", "SIGKILL"] as const) {
  Deno.test(`PostgresStore goes on by itself when its server ended by ${signal} is back`, async () => {
    const server = sharedServer();
    const notices: string[] = [];
    const schema = newSchema();
    const store = await openPostgres(schema, { onNotice: ({ code }) => notices.push(code) });
    const kept = token("kept");
    const revoked = { tokenId: newId("ctok"), reason: "", timestamp: new Date().toISOString() };
    assert.equal(await store.recordToken(kept), "recorded");
    await store.revoke(revoked);
    const published = await store.publishBundle(bundle("1"), true);
    {
      await using lists = new Listener((signal) => store.watchRevocations(signal));
      await using bundles = new Listener((signal) => store.watchBundles(signal));
      await eventually("the beginning", () => lists.heard.length > 0 || undefined);
      await server.stop(signal);
      await eventually("the loss to be noticed", () => notices.length > 0 || undefined);
      await assert.rejects(store.recordToken(token("lost")), isUnreachable);
      await assert.rejects(store.currentBundle(), isUnreachable);
      await assert.rejects(store.publishBundle(bundle("2"), false), isUnreachable);
      await assert.rejects(store.findAgent(newId("agt")), isUnreachable);
      assert.deepEqual(lists.heard.at(-1), [revoked], "what is known stays");

      await server.start();
      await eventually("the return", () => notices.includes("STORE_RESTORED") || undefined);
      assert.deepEqual(await store.currentBundle(), published);
      const other = await openPostgres(schema);
      await other.withdrawRevocation(revoked.tokenId);
      const next = await other.publishBundle(bundle("3"), false);
      await eventually("the withdrawal", () => lists.heard.at(-1)!.length === 0 || undefined);
      await eventually("the bundle", () => bundles.heard.at(-1)?.version === "3" || undefined);
      assert.deepEqual(bundles.heard.at(-1), next);
      await other.close();
    }
    const issued = await server.sql(`SELECT session_id FROM ${schema}.tokens`);
    assert.equal(issued.trim(), "kept");
    assert.deepEqual(notices, ["STORE_UNREACHABLE", "STORE_RESTORED"]);
    await store.close();
  });
}

Deno.test("PostgresStore.open() says which database cannot be reached", async () => {
  const opened = await PostgresStore.open({
    target: unwrap(parseDatabaseUrl("postgres://firma:hunter2@127.0.0.1:1/firma")),
    schema: "firma",
    publisher: "p",
    signingKey: KEY,
    onNotice: () => {},
  });
  assert.ok(!opened.ok);
  assert.equal(opened.error.code, "STORE_UNREACHABLE");
  assert.match(opened.error.message, /\(database firma at 127\.0\.0\.1:1\)$/);
  assert.doesNotMatch(Deno.inspect(opened, { depth: 9 }), /hunter2/);
});

Deno.test("PostgresStore.open() leaves a newer schema alone", async () => {
  const schema = newSchema();
  await (await openPostgres(schema)).close();
  await sharedServer().sql(`INSERT INTO ${schema}.migrations VALUES (1000)`);
  await assert.rejects(
    openPostgres(schema),
    /is version 1000, and this firma knows none after \d+ /,
  );
});

Deno.test("PostgresStore.open() makes one schema of many attempts at once", async () => {
  const schema = newSchema();
  const stores = await Promise.all(Array.from({ length: 6 }, () => openPostgres(schema)));
  for (const store of stores) await store.close();
  const versions = await sharedServer().sql(
    `SELECT version FROM ${schema}.migrations ORDER BY version`,
  );
  const each = Array.from({ length: SCHEMA_VERSION }, (_, i) => String(i + 1));
  assert.deepEqual(versions.trim().split("\n"), each);
});

Deno.test("PostgresStore works for a user who may make nothing", async () => {
  const server = sharedServer();
  const schema = newSchema();
  await (await openPostgres(schema)).close();
  await server.sql(`
    CREATE ROLE plain LOGIN;
    GRANT USAGE ON SCHEMA ${schema} TO plain;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO plain`);
  const target = unwrap(parseDatabaseUrl(server.url({ user: "plain" })));
  const store = await openPostgres(schema, { target });
  assert.equal(await store.recordToken(token("s")), "recorded");
  await store.close();
  await assert.rejects(openPostgres(newSchema(), { target }), /permission denied for database/);
});

Deno.test("PostgresStore makes what it promises durable where the server would not", async () => {
  const server = sharedServer();
  const schema = newSchema();
  await server.sql("ALTER SYSTEM SET synchronous_commit = off; ");
  await server.sql("SELECT pg_reload_conf()");
  await (await openPostgres(schema)).close();
  await server.sql(`
    CREATE TABLE ${schema}.seen (setting text);
    CREATE FUNCTION ${schema}.note() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO ${schema}.seen VALUES (current_setting('synchronous_commit'));
        RETURN NEW;
      END $$;
    CREATE TRIGGER note AFTER INSERT ON ${schema}.tokens EXECUTE FUNCTION ${schema}.note()`);
  const store = await openPostgres(schema);
  await store.recordToken(token("s"));
  await store.close();
  assert.equal((await server.sql(`SELECT setting FROM ${schema}.seen`)).trim(), "on");
  assert.equal((await server.sql("SHOW synchronous_commit")).trim(), "off", "the control");
  await server.sql("ALTER SYSTEM RESET synchronous_commit");
});

Deno.test("PostgresStore uses no server that only follows another", async () => {
  const server = sharedServer();
  const schema = newSchema();
  await (await openPostgres(schema)).close();
  await server.stop("SIGINT");
  const mark = `${server.directory}/data/standby.signal`;
  await Deno.writeTextFile(mark, "");
  await server.own("data/standby.signal");
  await server.start();
  await assert.rejects(openPostgres(schema), /it is a standby of another server/);
});
