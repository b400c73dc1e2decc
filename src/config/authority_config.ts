import { dirname, join, resolve } from "../core/path.ts";
import type { ActionClassEntry } from "../core/action_class.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { atVariable } from "./authority_environment.ts";
import type { ListenAddress } from "./listen_address.ts";
import { type AuthorityTable, identityConfig } from "./keys/authority.ts";
import type { ConfigFile } from "./load.ts";
import { authorityKeyFile, type Environment, projectDataDir, stateDir } from "./paths.ts";
import { checkKeys } from "./schema.ts";
import type { TomlDocument } from "./toml.ts";

/** What an Authority remembers things in. */
export type StoreConfig =
  | { readonly kind: "files" }
  | {
    readonly kind: "postgres";
    /** Where the database's URL is found; not the URL, which may hold a password. */
    readonly url:
      | { readonly from: "config"; readonly text: string }
      | { readonly from: "file"; readonly path: string }
      | { readonly from: "environment" };
    readonly schema: string;
  };

/** The variable that holds the URL of the database where `firma.toml` says nothing of it. */
export const DATABASE_URL_VARIABLE = "FIRMA_DATABASE_URL";

/** Who vouches for agents with ID tokens, and to whom. */
export interface IdentityConfig {
  /** An https URL; below it, services find what verifies its tokens. */
  readonly issuer: string;
  /** The audiences that tokens are issued for, and no others. */
  readonly audiences: readonly string[];
  readonly keyFile: string;
}

/** How the audit logs of Sidecars are collected. */
export interface CollectConfig {
  readonly directory: string;
  /** The key that checkpoints are cosigned with. */
  readonly witnessKeyFile: string;
}

/** What an Authority of its own is started with. */
export interface AuthorityConfig {
  /** The `firma.toml`, as an absolute path without symbolic links. */
  readonly file: string;
  readonly listen: ListenAddress;
  readonly policyDir: string;
  readonly issuancePolicyDir: string;
  /** The mapping rules that the policies are written for. */
  readonly mappingRulesPaths: readonly string[];
  readonly revocationFile: string;
  /** Directory of this project's durable data. */
  readonly projectDataDir: string;
  /** Directory of what the Authority remembers on this machine. */
  readonly storeDir: string;
  readonly store: StoreConfig;
  readonly maxTtlMs: number;
  readonly bundleTtlMs: number;
  /** The key that tokens and bundles are signed with. */
  readonly keyFile: string;
  /** Absent: it vouches for no agent. */
  readonly identity: IdentityConfig | undefined;
  /** Where the keys of ID tokens are served. */
  readonly identityListen: ListenAddress | undefined;
  /** What is done with the audit logs of Sidecars; absent: nothing. */
  readonly collect: CollectConfig | undefined;
  readonly tlsCertPath: string | undefined;
  readonly tlsKeyPath: string | undefined;
  readonly clientCaCertPath: string | undefined;
  readonly clientCaKeyPath: string | undefined;
  readonly authorizedClientsPath: string | undefined;
  readonly preSharedKeysPath: string | undefined;
  /** What the operator adds to the registry. */
  readonly actionClasses: readonly ActionClassEntry[];
  /** The agent of the project, where the file names one. */
  readonly agentId: string | undefined;
}

/**
 * Checks a `firma.toml` as one of an Authority, which needs no `[sidecar]`; what
 * it has of one must be right all the same. A variable `FIRMA_AUTHORITY_<KEY>`
 * goes before the key of `[authority]`.
 */
export function parseAuthorityConfig(
  { file, text }: ConfigFile,
  env: Environment,
): Result<AuthorityConfig, readonly FirmaError[]> {
  const checked = checkKeys(text, file, env);
  if (!checked.ok) return checked;
  const { document, root } = checked.value;
  const { authority: table, sidecar } = root;
  const project = projectDataDir(env, file);
  const authorityKey = authorityKeyFile(env);
  const socket = { kind: "unix", path: join(stateDir(env), "authority.sock") } as const;
  const { mapping_rules_paths: rules } = table;
  const store = storeConfig(table.store, document);
  if (!store.ok) return err([atVariable(store.error, env)]);
  return ok({
    file,
    listen: table.listen_addr ?? socket,
    policyDir: table.policy_dir,
    issuancePolicyDir: table.issuance_policy_dir,
    mappingRulesPaths: rules.length > 0 ? rules : sidecar.mapping.rules_paths,
    revocationFile: resolve(project, table.revocation_file),
    projectDataDir: project,
    storeDir: join(project, "authority"),
    store: store.value,
    maxTtlMs: table.max_ttl,
    bundleTtlMs: table.bundle_ttl,
    keyFile: table.key_file ?? authorityKey,
    identity: identityConfig(table.identity, join(dirname(authorityKey), "identity.json")),
    identityListen: table.identity.listen_addr,
    collect: table.audit.collect
      ? {
        directory: table.audit.directory ?? join(project, "collected"),
        witnessKeyFile: table.audit.witness_key_file ??
          join(dirname(authorityKey), "witness.key"),
      }
      : undefined,
    tlsCertPath: table.tls_cert_path,
    tlsKeyPath: table.tls_key_path,
    clientCaCertPath: table.mtls_client_ca_cert_path,
    clientCaKeyPath: table.mtls_client_ca_key_path,
    authorizedClientsPath: table.authorized_clients_path,
    preSharedKeysPath: table.pre_shared_keys_path,
    actionClasses: root.action_classes,
    agentId: sidecar.authority.agentId || undefined,
  });
}

function storeConfig(
  { kind, url, url_file: path, schema }: AuthorityTable["store"],
  document: TomlDocument,
): Result<StoreConfig> {
  const refuse = (key: string, state: string, cure: string): Result<StoreConfig> =>
    err({
      code: "CONFIG_INVALID",
      message: `Cannot use "authority.store.${key}": ${state}`,
      cure,
      at: document.locate(["authority", "store", key]),
    });
  if (kind === "files") {
    if (url === undefined && path === undefined) return ok({ kind });
    const key = url === undefined ? "url_file" : "url";
    return refuse(key, "files have no URL", 'write kind = "postgres", or leave it out');
  }
  if (url !== undefined && path !== undefined) {
    return refuse("url_file", "there is a url as well", "leave one of them out");
  }
  if (url !== undefined) return ok({ kind, url: { from: "config", text: url }, schema });
  if (path !== undefined) return ok({ kind, url: { from: "file", path }, schema });
  return ok({ kind, url: { from: "environment" }, schema });
}
