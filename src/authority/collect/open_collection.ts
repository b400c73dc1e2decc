import { writeWhole } from "../../audit/write_whole.ts";
import { formatWitness } from "../../audit/witness/cosignature.ts";
import type { AuthorityConfig, StoreConfig } from "../../config/authority_config.ts";
import type { Environment } from "../../config/paths.ts";
import { ok, type Result } from "../../core/result.ts";
import { loadOrCreateSigningKey } from "../../pki/signing_key.ts";
import type { AuditParts } from "../service/audit_routes.ts";
import type { Report } from "../service/service.ts";
import { databaseTarget } from "../store/open_store.ts";
import type { Collection } from "./collection.ts";
import { Collector } from "./collector.ts";
import { FileCollection } from "./file_collection.ts";
import { LogWitness } from "./log_witness.ts";

/** A collection that is open. */
export interface OpenCollection {
  readonly parts: AuditParts;
  close(): Promise<void>;
}

/** Opens what a configuration says of the audit logs of Sidecars; `undefined` when it says nothing. */
export async function openCollection(
  config: AuthorityConfig,
  env: Environment,
  report: Report,
): Promise<Result<OpenCollection | undefined>> {
  if (config.collect === undefined) return ok(undefined);
  const key = await loadOrCreateSigningKey(config.collect.witnessKeyFile);
  if (!key.ok) return key;
  const collection = config.store.kind === "postgres"
    ? await inDatabase(config.store, env)
    : FileCollection.open(config.collect.directory);
  if (!collection.ok) return collection;
  const collector = new Collector(collection.value, (text) => report("error", text));
  const witness = new LogWitness(collector, key.value);
  const verifier = formatWitness(witness.witness);
  writeWhole(`${config.collect.witnessKeyFile}.vkey`, `${verifier}\n`, 0o644);
  report("info", `collecting audit logs; witness: ${verifier}`);
  return ok({ parts: { collector, witness }, close: () => collection.value.close() });
}

async function inDatabase(
  store: StoreConfig & { readonly kind: "postgres" },
  env: Environment,
): Promise<Result<Collection>> {
  const target = await databaseTarget(store, env);
  if (!target.ok) return target;
  const { PostgresCollection } = await import("./postgres_collection.ts");
  return await PostgresCollection.open(target.value, store.schema);
}
