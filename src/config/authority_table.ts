import {
  type Checked,
  durationOr,
  listOf,
  optionalPath,
  pathOr,
  type ReadContext,
  stringOr,
  table,
} from "./reader.ts";
import { type ListenAddress, parseListenAddress } from "./listen_address.ts";
import type { TomlPath } from "./toml_positions.ts";

function notEmpty(value: string): Checked<string> {
  return value === "" ? { state: "value is empty" } : { value };
}

function listenAddress(value: string): Checked<ListenAddress | undefined> {
  const parsed = parseListenAddress(value);
  return parsed.ok ? { value: parsed.value } : { state: parsed.error };
}

/** What an Authority may remember things in. */
const STORES = ["files", "postgres"] as const;
type StoreKind = typeof STORES[number];

function storeKind(value: string): Checked<StoreKind> {
  const kind = STORES.find((known) => known === value);
  return kind ? { value: kind } : { state: `"${value}" is neither "files" nor "postgres"` };
}

/** What a schema of a database may be called: short, and nothing that would have to be quoted. */
export const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,49}$/;

function schemaName(value: string): Checked<string> {
  if (SCHEMA_NAME.test(value)) return { value };
  return { state: `"${value}" is not at most 50 small letters, digits and "_"` };
}

/** The file is read by many, kept in version control, and its digest shown: no place for a password. */
function openUrl(value: string): Checked<string> {
  if (value === "") return { state: "value is empty" };
  if (!/^[^/?#]*:\/\/[^/?#]*:[^/?#]*@/.test(value) && !/[?&]password=/i.test(value)) {
    return { value };
  }
  return {
    state: "there is a password in it",
    cure: "write the whole URL to a file of mode 0600, and url_file instead",
  };
}

const read = table({
  listen_addr: stringOr<ListenAddress | undefined>(undefined, listenAddress),
  policy_dir: pathOr("policies"),
  issuance_policy_dir: pathOr("issuance-policies"),
  mapping_rules_paths: listOf(pathOr("")),
  revocation_file: stringOr("revocations.txt", notEmpty),
  max_ttl: durationOr("1h"),
  bundle_ttl: durationOr("30s"),
  key_file: optionalPath,
  tls_cert_path: optionalPath,
  tls_key_path: optionalPath,
  mtls_client_ca_cert_path: optionalPath,
  mtls_client_ca_key_path: optionalPath,
  authorized_clients_path: optionalPath,
  store: table({
    kind: stringOr<StoreKind>("files", storeKind),
    url: stringOr<string | undefined>(undefined, openUrl),
    url_file: optionalPath,
    schema: stringOr("firma", schemaName),
  }),
});

/** `[authority]` of a `firma.toml`, as it stands there. */
export type AuthorityTable = ReturnType<typeof read>;

/** Reads `[authority]`. */
export function readAuthorityTable(
  value: unknown,
  path: TomlPath,
  context: ReadContext,
): AuthorityTable {
  return read(value, path, context);
}

const OTHER_FILES = [
  "tls_cert_path",
  "tls_key_path",
  "mtls_client_ca_cert_path",
  "mtls_client_ca_key_path",
  "authorized_clients_path",
] as const;

/** The files that an Authority which serves others has beside its policies, by key. */
export function otherFiles(authority: AuthorityTable): { key: string; path: string }[] {
  return OTHER_FILES.flatMap((key) => authority[key] ? [{ key, path: authority[key] }] : []);
}
