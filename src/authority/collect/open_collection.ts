import { formatWitness } from "../../audit/witness/cosignature.ts";
import type { AuthorityConfig } from "../../config/authority_config.ts";
import type { Environment } from "../../config/paths.ts";
import { ok, type Result } from "../../core/result.ts";
import { loadOrCreateSigningKey } from "../../pki/signing_key.ts";
import type { AuditParts } from "../service/audit_routes.ts";
import type { Report } from "../service/service.ts";
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
  const collection = await openStore(config, env);
  if (!collection.ok) return collection;
  const collector = new Collector(collection.value, (text) => report("error", text));
  const witness = new LogWitness(collector, key.value);
  report("info", `collecting audit logs; witness key: ${formatWitness(witness.witness)}`);
  return ok({ parts: { collector, witness }, close: () => collection.value.close() });
}

async function openStore(
  { collect, store }: AuthorityConfig,
  env: Environment,
): Promise<Result<Collection>> {
  if (store.kind === "files") return FileCollection.open(collect!.directory);

  return FileCollection.open(collect!.directory);
}
