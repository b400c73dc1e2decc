import assert from "node:assert/strict";
import { unwrap } from "../../../../src/core/result.ts";
import { parseDatabaseUrl } from "../../../../src/authority/store/postgres/database_url.ts";
import {
  PostgresStore,
  type PostgresStoreOptions,
} from "../../../../src/authority/store/postgres/postgres_store.ts";
import { DEADLINE_MS } from "../../../fixtures/deadline.ts";
import { type PostgresServer, startPostgres } from "../../../fixtures/postgres_server.ts";
import { keyPair } from "../../../capability/support.ts";

export const KEY = { ...keyPair(), created: false };

let server: PostgresServer | undefined;
let schemas = 0;

/** The server that the tests of one file share; each uses a schema of its own. */
export function sharedServer(): PostgresServer {
  if (server === undefined) throw new Error("useServer() was not called in this file");
  return server;
}

/** Starts a server before the first test of a file, and ends it after the last. */
export function useServer(): void {
  Deno.test.beforeAll(async () => {
    server = await startPostgres();
  });
  Deno.test.afterAll(async () => await server?.close());
}

/** A name that no other test of the file uses. */
export function newSchema(): string {
  return `firma_${++schemas}`;
}

/** A store in `schema`, as another Authority would open it. */
export async function openPostgres(
  schema: string,
  options: Partial<PostgresStoreOptions> = {},
): Promise<PostgresStore> {
  const opened = await PostgresStore.open({
    target: unwrap(parseDatabaseUrl(sharedServer().url())),
    schema,
    publisher: crypto.randomUUID(),
    signingKey: KEY,
    onNotice: (notice) => assert.fail(notice.message),
    patienceMs: DEADLINE_MS,
    ...options,
  });
  if (!opened.ok) assert.fail(opened.error.message);
  return opened.value;
}
