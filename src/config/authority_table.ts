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
