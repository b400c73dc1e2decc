import assert from "node:assert/strict";
import { unwrap } from "../../src/core/result.ts";
import { parseDatabaseUrl } from "../../src/authority/store/postgres/database_url.ts";
import { PostgresStore } from "../../src/authority/store/postgres/postgres_store.ts";
import { KEY } from "../authority/store/postgres/support.ts";
import { AGENT, serve } from "../authority/service/support.ts";
import { eventually } from "../fixtures/deadline.ts";
import { startPostgres } from "../fixtures/postgres_server.ts";
import { POLICY, Rig } from "./rig.ts";

Deno.test("a Sidecar whose Authority lost its database decides for the bundle's time to live, then denies", async () => {
  await using stack = new AsyncDisposableStack();
  const postgres = await startPostgres();
  stack.defer(() => postgres.close());
  const authority = stack.use(
    await serve({
      policies: { "dev.cedar": POLICY },
      bundleTtlMs: 10_000,
      openStore: () =>
        PostgresStore.open({
          target: unwrap(parseDatabaseUrl(postgres.url())),
          schema: "firma",
          publisher: "one",
          signingKey: KEY,
          onNotice: () => {},
        }),
    }),
  );
  const publicKey = `${authority.stateDir}/authority.pub`;
  await Deno.writeTextFile(publicKey, `${authority.key.publicKey.toBase64()}\n`);
  const rig = stack.use(
    await Rig.start({
      agentId: AGENT,
      authority: `url = "${authority.endpoint}"\npublic_key_path = "${publicKey}"\n`,
    }),
  );
  const session = await rig.session();
  const decides = (reason: string) =>
    eventually(
      `"${reason}"`,
      async () => (await session.curl("/echo")).reason === reason || undefined,
    );
  assert.equal((await session.curl("/echo")).status, 200);

  await postgres.stop("SIGKILL");
  assert.equal((await session.curl("/echo")).status, 200, "what was vouched for still holds");
  await assert.rejects(rig.session(), /STORE_UNREACHABLE \(AUTHORITY_UNAVAILABLE\)/);
  await decides("PolicyBundleStale");

  await postgres.start();
  await decides("");
});
