import { type SecretStore, storeVerdict } from "../../secrets/store/secret_store.ts";
import { found, type Stage } from "./draft.ts";

/** Denies calls to stores of secrets whose answers nobody said anything about. */
export function secretStore(stores: readonly SecretStore[]): Stage {
  return (draft) => {
    if (stores.length === 0) return;
    const { host, method, path } = found(draft.call, "call");
    const { headers: fields } = draft.input;
    const verdict = storeVerdict(stores, { host, method, path, fields });
    if (verdict?.kind !== "blocked") return;
    return {
      reason: "SecretStoreBlocked",
      detail: `the secret store "${verdict.store.id}" has no rule that lets this call pass`,
    };
  };
}
