import assert from "node:assert/strict";
import { MemoryStore } from "../../../src/authority/store/memory_store.ts";
import { directory } from "../support.ts";
import { storeTests } from "./contract.ts";

async function subject() {
  const state = await directory({});
  const store = await MemoryStore.open({
    revocationFile: `${state.path}/revocations.txt`,
    onNotice: (notice) => assert.fail(notice.message),
  });
  assert.ok(store.ok);
  return {
    store: store.value,
    [Symbol.asyncDispose]: async () => {
      await store.value.close();
      await state[Symbol.asyncDispose]();
    },
  };
}

for (const test of storeTests("MemoryStore", subject)) Deno.test(test);
