import { storeTests } from "../contract.ts";
import { newSchema, openPostgres, useServer } from "./support.ts";

useServer();

async function subject() {
  const store = await openPostgres(newSchema());
  return { store, [Symbol.asyncDispose]: () => store.close() };
}

for (const test of storeTests("PostgresStore", subject)) Deno.test(test);
