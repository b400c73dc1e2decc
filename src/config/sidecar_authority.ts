import type { FirmaError } from "../core/result.ts";
import { checkAuthorityUrl, socketPath } from "./authority_url.ts";
import {
  type Checked,
  durationOr,
  listOf,
  optionalPath,
  type Reader,
  requiredString,
  stringOr,
  table,
} from "./reader.ts";
import type { TomlDocument } from "./toml.ts";

/** An Authority that serves many Sidecars, as one of them reaches it. */
export interface RemoteAuthorityConfig {
  /** `unix:///path/of.sock` or `https://host:port`, tried in turn; at least one. */
  readonly urls: readonly string[];
  /**
   * What this Authority has not signed is not believed. Absent only for one on a socket,
   * which is then taken for this user's own.
   */
  readonly publicKeyPath: string | undefined;
  /** PEM; roots that its certificate may verify under beside the system's. */
  readonly caCertPath: string | undefined;
  /** PEM; there for `https`. */
  readonly clientCertPath: string | undefined;
  /** PEM, mode 0600; there for `https`. */
  readonly clientKeyPath: string | undefined;
  readonly connectTimeoutMs: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
}

/** `[sidecar.authority]`, as it stands there. */
interface SidecarAuthorityConfig {
  readonly agentId: string;
  readonly remote: RemoteAuthorityConfig | undefined;
}

/** Keys that mean nothing without an Authority to reach. */
const OF_REMOTE = [
  "fallback_urls",
  "public_key_path",
  "ca_cert_path",
  "tls_client_cert_path",
  "tls_client_key_path",
] as const;

function optionalUrl(value: string): Checked<string | undefined> {
  return checkAuthorityUrl(value);
}

const readTable = (agentId: Reader<string>) =>
  table({
    agent_id: agentId,
    url: stringOr<string | undefined>(undefined, optionalUrl),
    fallback_urls: listOf(requiredString(checkAuthorityUrl)),
    public_key_path: optionalPath,
    ca_cert_path: optionalPath,
    tls_client_cert_path: optionalPath,
    tls_client_key_path: optionalPath,
    connect_timeout: durationOr("10s"),
    reconnect_min_backoff: durationOr("250ms"),
    reconnect_max_backoff: durationOr("30s"),
  });

type Table = ReturnType<ReturnType<typeof readTable>>;

/** Reads `[sidecar.authority]`. */
export function sidecarAuthority(agentId: Reader<string>): Reader<SidecarAuthorityConfig> {
  const read = readTable(agentId);
  return (value, path, context) => {
    const before = context.errors.length;
    const given = read(value, path, context);
    const fault = context.errors.length === before ? disagreement(given) : undefined;
    if (fault !== undefined) context.errors.push(located(fault, context.document));
    return { agentId: given.agent_id, remote: remote(given) };
  };
}

function remote(given: Table): RemoteAuthorityConfig | undefined {
  if (given.url === undefined) return undefined;
  return {
    urls: [given.url, ...given.fallback_urls],
    publicKeyPath: given.public_key_path,
    caCertPath: given.ca_cert_path,
    clientCertPath: given.tls_client_cert_path,
    clientKeyPath: given.tls_client_key_path,
    connectTimeoutMs: given.connect_timeout,
    minBackoffMs: given.reconnect_min_backoff,
    maxBackoffMs: given.reconnect_max_backoff,
  };
}

interface Fault {
  readonly key: string;
  readonly state: string;
  readonly cure?: string;
}

/** What the keys say that only makes sense together, and does not. */
function disagreement(given: Table): Fault | undefined {
  const { url, fallback_urls: others } = given;
  if (url === undefined) {
    // An absent path is undefined, an absent list is empty.
    const key = OF_REMOTE.find((name) => (given[name]?.length ?? 0) > 0);
    return key && { key, state: 'there is no "url" beside it' };
  }
  if (given.reconnect_max_backoff < given.reconnect_min_backoff) {
    return { key: "reconnect_max_backoff", state: "it is less than reconnect_min_backoff" };
  }
  const isSecure = [url, ...others].some((each) => socketPath(each) === undefined);
  const needed = [
    ...(isSecure ? ["public_key_path"] as const : []),
    ...(isSecure || given.tls_client_cert_path ? ["tls_client_key_path"] as const : []),
    ...(isSecure || given.tls_client_key_path ? ["tls_client_cert_path"] as const : []),
  ];
  const missing = needed.find((name) => given[name] === undefined);
  if (missing === undefined) return undefined;
  return missing === "public_key_path"
    ? { key: missing, state: "it is missing", cure: "copy <key_file>.pub from the Authority" }
    : { key: missing, state: "it is missing", cure: "firma authority issue-client-cert makes it" };
}

function located({ key, state, cure }: Fault, document: TomlDocument): FirmaError {
  const path = ["sidecar", "authority", key];
  return {
    code: "CONFIG_INVALID",
    message: `Cannot use "${path.join(".")}": ${state}`,
    ...(cure && { cure }),
    at: document.locate(path),
  };
}
