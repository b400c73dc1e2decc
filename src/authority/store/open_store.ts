import { DATABASE_URL_VARIABLE } from "../../config/authority_config.ts";
import type { AuthorityConfig, StoreConfig } from "../../config/authority_config.ts";
import { ensurePrivateDirectory, type Environment } from "../../config/paths.ts";
import { dirname, join } from "../../core/path.ts";
import { err, type FirmaError, type Result } from "../../core/result.ts";
import { readPrivateFile } from "../../pki/private_file.ts";
import type { SigningKey } from "../../pki/signing_key.ts";
import { FileStore } from "./file_store.ts";
import { readFileIfThere, replaceFile, withFileLock } from "./files.ts";
import type { DatabaseTarget } from "./postgres/database_url.ts";
import type { AuthorityStore } from "./store.ts";

/** What {@linkcode openStore} needs beside the configuration. */
export interface OpenStoreOptions {
  readonly env: Environment;
  /** Signs the bundles of a store that others can write; left out where no bundle is wanted. */
  readonly signingKey?: SigningKey;
  readonly onNotice: (notice: FirmaError) => void;
}

/** Opens the store that a configuration asks for. */
export async function openStore(
  { storeDir, revocationFile, maxTtlMs, store }: AuthorityConfig,
  { env, signingKey, onNotice }: OpenStoreOptions,
): Promise<Result<AuthorityStore>> {
  // Both lie in the directory of the project unless the operator put the file elsewhere.
  const project = ensurePrivateDirectory(dirname(storeDir));
  if (!project.ok) return project;
  if (store.kind === "postgres") {
    const target = await databaseTarget(store, env);
    if (!target.ok) return target;
    // Whoever keeps files does not wait for a database's library.
    const { PostgresStore } = await import("./postgres/postgres_store.ts");
    const made = ensurePrivateDirectory(storeDir);
    if (!made.ok) return made;
    const publisher = await publisherOf(join(storeDir, "publisher"));
    const { schema } = store;
    return await PostgresStore.open({
      target: target.value,
      schema,
      publisher,
      signingKey,
      onNotice,
    });
  }
  await Deno.mkdir(dirname(revocationFile), { recursive: true, mode: 0o700 });
  return await FileStore.open({ directory: storeDir, revocationFile, maxTtlMs, onNotice });
}

/** The database that a configuration names. */
export async function databaseTarget(
  store: StoreConfig & { readonly kind: "postgres" },
  env: Environment,
): Promise<Result<DatabaseTarget>> {
  const url = await databaseUrl(store, env);
  if (!url.ok) return url;
  const { parseDatabaseUrl } = await import("./postgres/database_url.ts");
  return parseDatabaseUrl(url.value);
}

async function databaseUrl(
  { url }: StoreConfig & { readonly kind: "postgres" },
  env: Environment,
): Promise<Result<string>> {
  if (url.from === "config") return { ok: true, value: url.text };
  if (url.from === "file") return await readPrivateFile(url.path, "URL of the database");
  const text = env[DATABASE_URL_VARIABLE];
  if (text) return { ok: true, value: text };
  return err({
    code: "DATABASE_URL_MISSING",
    message: `Cannot open the Authority's store: ${DATABASE_URL_VARIABLE} is not set`,
    cure: "set it, or write url_file in [authority.store]",
  });
}

/** What tells the policy directory of this project from those of other Authorities. */
async function publisherOf(file: string): Promise<string> {
  return await withFileLock(file, async () => {
    const known = await readFileIfThere(file);
    if (known) return known;
    const made = crypto.randomUUID();
    await replaceFile(file, made);
    return made;
  });
}
