import { type ListenAddress, parseListenAddress } from "../listen_address.ts";
import type { IdentityConfig } from "../authority_config.ts";
import { key, section, type ValueOf } from "../key.ts";
import { AUTHORITY_AUDIT } from "./authority_audit.ts";
import { DURATION, list, NOT_EMPTY, oneOf, PATH, text } from "../value_type.ts";

const LISTEN_ADDRESS = text<ListenAddress>("address", { minLength: 1 }, (value) => {
  const parsed = parseListenAddress(value);
  return parsed.ok ? { value: parsed.value } : { state: parsed.error };
});

/** What a schema of a database may be called: short, and nothing that would have to be quoted. */
export const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,49}$/;

const SCHEMA = text<string>("name", { pattern: SCHEMA_NAME.source }, (value) => {
  if (SCHEMA_NAME.test(value)) return { value };
  return { state: `"${value}" is not at most 50 small letters, digits and "_"` };
});

/** The file is read by many, kept in version control, and its digest shown: no place for a password. */
const DATABASE_URL = text<string>("URL", { minLength: 1 }, (value) => {
  if (value === "") return { state: "value is empty" };
  if (!/^[^/?#]*:\/\/[^/?#]*:[^/?#]*@/.test(value) && !/[?&]password=/i.test(value)) {
    return { value };
  }
  return {
    state: "there is a password in it",
    cure: "write the whole URL to a file of mode 0600, and url_file instead",
  };
});

/** The store of an Authority. */
const STORE = section("What the Authority remembers things in", {
  kind: key(oneOf(["files", "postgres"]), {
    about: "Where it is: files on this machine, or a PostgreSQL database that several share",
    default: "files",
    example: "postgres",
    applies: "restart",
  }),
  url: key(DATABASE_URL, {
    about: "URL of the database, without a password",
    otherwise: "`url_file`, or `FIRMA_DATABASE_URL`",
    example: "postgres://firma@db.example.test/firma",
    applies: "restart",
  }),
  url_file: key(PATH, {
    about: "File of mode 0600 that holds the URL of the database, with its password",
    otherwise: "`url`, or `FIRMA_DATABASE_URL`",
    example: "database.url",
    applies: "restart",
  }),
  schema: key(SCHEMA, {
    about: "Schema of the database that holds the tables",
    default: "firma",
    example: "firma_eu",
    applies: "restart",
  }),
});

const ISSUER = text<string>("URL", { pattern: "^https://" }, (value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isPlain = url?.protocol === "https:" && url.username === "" && url.password === "" &&
    url.search === "" && url.hash === "" && !value.includes("?") && !value.includes("#");
  if (url !== undefined && isPlain) return { value: url.href.replace(/\/+$/, "") };
  return { state: `"${value}" is not the https URL of an issuer` };
});

/** ID tokens, by which services elsewhere know agents. */
const IDENTITY = section("ID tokens, by which services elsewhere know who an agent is", {
  issuer: key(ISSUER, {
    about: "The URL below which services find the keys; `iss` of every token",
    otherwise: "there are no ID tokens",
    example: "https://firma.acme.test",
    applies: "restart",
  }),
  audiences: key(list(NOT_EMPTY, "list of audiences"), {
    about: "The audiences that there are tokens for",
    default: [],
    example: ["sts.amazonaws.com"],
    applies: "restart",
  }),
  key_file: key(PATH, {
    about: "Keys that they are signed with",
    otherwise: "`keys/identity.json` in the data directory",
    example: "identity.json",
    applies: "restart",
  }),
  listen_addr: key(LISTEN_ADDRESS, {
    about: "Where `firma authority` serves the public keys, over HTTP, for a proxy with TLS",
    otherwise: "nowhere: `firma authority identity` writes them to files",
    example: "127.0.0.1:9444",
    applies: "restart",
  }),
});

/** What the table says of ID tokens; `undefined` when there are none. */
export function identityConfig(
  { issuer, audiences, key_file: keyFile }: AuthorityTable["identity"],
  otherwise: string,
): IdentityConfig | undefined {
  return issuer === undefined ? undefined : { issuer, audiences, keyFile: keyFile ?? otherwise };
}

/** `[authority]`. */
export const AUTHORITY = section("The Authority, which issues tokens and hands out policies", {
  listen_addr: key(LISTEN_ADDRESS, {
    about: "Where `firma authority` listens: `host:port` or `unix:///path`",
    otherwise: "`authority.sock` in the state directory",
    example: "127.0.0.1:9443",
    applies: "restart",
  }),
  policy_dir: key(PATH, {
    about: "Directory of the Cedar policies that decide each call",
    default: "policies",
    example: "/etc/firma/policies",
    applies: "restart",
  }),
  issuance_policy_dir: key(PATH, {
    about: "Directory of the Cedar policies that decide what an agent may get a token for",
    default: "issuance-policies",
    example: "/etc/firma/issuance-policies",
    applies: "restart",
  }),
  mapping_rules_paths: key(list(PATH), {
    about: "Mappings that the policies are written for",
    default: [],
    example: ["mappings/github.toml"],
    applies: "restart",
  }),
  revocation_file: key(NOT_EMPTY, {
    about: "File of revoked tokens; a relative path lies in the data directory of the project",
    default: "revocations.txt",
    example: "/var/lib/firma/revocations.txt",
    applies: "restart",
  }),
  max_ttl: key(DURATION, {
    about: "Longest time that a token may be valid for",
    default: "1h",
    example: "15m",
    applies: "restart",
  }),
  bundle_ttl: key(DURATION, {
    about: "How long a Sidecar may go on with policies that the Authority no longer confirms",
    default: "30s",
    example: "10s",
    applies: "restart",
  }),
  key_file: key(PATH, {
    about: "Key that tokens and policies are signed with; its public half has `.pub` appended",
    otherwise: "`keys/authority.key` in the data directory",
    example: "authority.key",
    applies: "restart",
  }),
  tls_cert_path: key(PATH, {
    about: "Certificate of the server, PEM",
    otherwise: "none; needed to listen on the network",
    example: "tls/server.crt",
    applies: "restart",
  }),
  tls_key_path: key(PATH, {
    about: "Key of that certificate, PEM, mode 0600",
    otherwise: "none; needed to listen on the network",
    example: "tls/server.key",
    applies: "restart",
  }),
  mtls_client_ca_cert_path: key(PATH, {
    about: "Certificates that those of Sidecars have to verify under, PEM",
    otherwise: "none; needed to listen on the network",
    example: "tls/client-ca.crt",
    applies: "restart",
  }),
  mtls_client_ca_key_path: key(PATH, {
    about: "Key of that certificate authority, for `firma authority issue-client-cert` alone",
    otherwise: "none",
    example: "tls/client-ca.key",
    applies: "restart",
  }),
  authorized_clients_path: key(PATH, {
    about: "List of the Sidecars that may connect",
    otherwise: "none; needed to listen on the network",
    example: "authorized-clients.toml",
    applies: "restart",
  }),
  pre_shared_keys_path: key(PATH, {
    about: "List of the keys that Sidecars have to show, beside their certificates",
    otherwise: "none: certificates are enough",
    example: "pre-shared-keys.toml",
    applies: "restart",
  }),
  store: STORE,
  identity: IDENTITY,
  audit: AUTHORITY_AUDIT,
});

/** `[authority]` of a `firma.toml`, as it stands there. */
export type AuthorityTable = ValueOf<typeof AUTHORITY>;

const OTHER_FILES = [
  "tls_cert_path",
  "tls_key_path",
  "mtls_client_ca_cert_path",
  "mtls_client_ca_key_path",
  "authorized_clients_path",
  "pre_shared_keys_path",
] as const;

/** The files that an Authority which serves others has beside its policies, by key. */
export function otherFiles(authority: AuthorityTable): { key: string; path: string }[] {
  const { key_file: identityKeys } = authority.identity;
  const { directory, witness_key_file: witnessKey } = authority.audit;
  return [
    ...OTHER_FILES.flatMap((key) => authority[key] ? [{ key, path: authority[key] }] : []),
    ...(directory === undefined ? [] : [{ key: "audit.directory", path: directory }]),
    ...(witnessKey === undefined ? [] : [{ key: "audit.witness_key_file", path: witnessKey }]),
    ...(identityKeys === undefined ? [] : [{ key: "identity.key_file", path: identityKeys }]),
  ];
}
