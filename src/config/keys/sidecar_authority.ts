import { isId } from "../../core/id.ts";
import { checkAuthorityUrl, socketPath } from "../authority_url.ts";
import { CONNECT_ADDRESS, type ConnectAddress } from "../connect_address.ts";
import { key, type Section, section, type ValueOf } from "../key.ts";
import { fault } from "../reader.ts";
import { BOOLEAN, DURATION, DURATION_OR_NONE, list, PATH, text } from "../value_type.ts";
import { type CredentialsConfig, SIDECAR_CREDENTIALS } from "./sidecar_credentials.ts";

/** An Authority that serves many Sidecars, as one of them reaches it. */
export interface RemoteAuthorityConfig {
  /** `unix:///path/of.sock` or `https://host:port`, tried in turn; at least one. */
  readonly urls: readonly string[];
  /** Where the first of them is, if not where its name says. */
  readonly connectAddr: ConnectAddress | undefined;
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
  /** What else is shown to the Authority. */
  readonly credentials: CredentialsConfig | undefined;
  readonly connectTimeoutMs: number;
  /** Whether calls are denied once revocations have been unheard for longer than the grace. */
  readonly revocationFailClosed: boolean;
  readonly revocationGraceMs: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
}

/** `[sidecar.authority]`, as it stands there. */
interface SidecarAuthorityConfig {
  readonly agentId: string;
  readonly remote: RemoteAuthorityConfig | undefined;
}

/** Keys that mean nothing without an Authority to reach. */
export const OF_REMOTE = [
  "connect_addr",
  "fallback_urls",
  "public_key_path",
  "ca_cert_path",
  "tls_client_cert_path",
  "tls_client_key_path",
  "credentials",
] as const;

const AGENT_ID = text<string>(
  "agent id",
  { pattern: "^agt_[0-7][0-9a-hjkmnp-tv-z]{25}$" },
  (value) => {
    if (isId("agt", value)) return { value };
    return { state: `"${value}" is not an agent id such as agt_01jd8xk5w7e0v9c3b2n4m6q8rs` };
  },
);

const AUTHORITY_URL = text<string>("URL", { pattern: "^(?:unix:///|https://)" }, checkAuthorityUrl);

const TABLE = section("The agent of the project, and the Authority that it is under", {
  agent_id: key(AGENT_ID, {
    about: "Whom tokens are issued to and policies speak of",
    required: true,
    example: "agt_01jd8xk5w7e0v9c3b2n4m6q8rs",
    applies: "restart",
  }),
  url: key(AUTHORITY_URL, {
    about: "An Authority that serves many Sidecars: `https://host:port` or `unix:///path`",
    otherwise: "the Sidecar has an Authority of its own",
    example: "https://authority.example.test:9443",
    applies: "restart",
  }),
  connect_addr: key(CONNECT_ADDRESS, {
    about: "Where `url` is to be reached; its certificate still has to be that of `url`",
    otherwise: "what the name in `url` resolves to",
    example: "10.0.0.5:9443",
    applies: "restart",
  }),
  fallback_urls: key(list(AUTHORITY_URL), {
    about: "Further Authorities with the same key, tried in turn",
    default: [],
    example: ["https://authority-2.example.test:9443"],
    applies: "restart",
  }),
  public_key_path: key(PATH, {
    about: "Public key of the Authority; what it has not signed is not believed",
    otherwise: "the `.pub` beside `authority.key_file`; needed for `https`",
    example: "authority.pub",
    applies: "restart",
  }),
  ca_cert_path: key(PATH, {
    about: "Roots that the certificate of the Authority may verify under, beside the system's, PEM",
    otherwise: "the roots of the system",
    example: "authority-ca.crt",
    applies: "restart",
  }),
  tls_client_cert_path: key(PATH, {
    about: "Certificate that the Sidecar shows to the Authority, PEM",
    otherwise: "none; needed for `https`",
    example: "sidecar.crt",
    applies: "restart",
  }),
  tls_client_key_path: key(PATH, {
    about: "Key of that certificate, PEM, mode 0600",
    otherwise: "none; needed for `https`",
    example: "sidecar.key",
    applies: "restart",
  }),
  credentials: SIDECAR_CREDENTIALS,
  connect_timeout: key(DURATION, {
    about: "How long reaching the Authority may take",
    default: "10s",
    example: "2s",
    applies: "restart",
  }),
  revocation_fail_closed_on_disconnect: key(BOOLEAN, {
    about: "Whether calls are denied while revocations cannot be heard, policies aside",
    default: false,
    example: true,
    applies: "restart",
  }),
  revocation_readiness_grace: key(DURATION_OR_NONE, {
    about: "How long they may be unheard until then; at a start, all of them are waited for",
    default: "500ms",
    example: "2s",
    applies: "restart",
  }),
  reconnect_min_backoff: key(DURATION, {
    about: "First wait before the Authority is tried again; each further one is longer",
    default: "250ms",
    example: "1s",
    applies: "restart",
  }),
  reconnect_max_backoff: key(DURATION, {
    about: "Longest wait before the Authority is tried again",
    default: "30s",
    example: "1m",
    applies: "restart",
  }),
});

type Table = ValueOf<typeof TABLE>;

/** `[sidecar.authority]`. */
export const SIDECAR_AUTHORITY: Section<SidecarAuthorityConfig> = {
  ...TABLE,
  read(value, path, context) {
    const before = context.errors.length;
    const given = TABLE.read(value, path, context);
    if (context.errors.length > before) return { agentId: "", remote: undefined };
    const found = disagreement(given);
    if (found) fault(context, [...path, found.key], found.state, found.cure);
    return { agentId: given.agent_id, remote: remote(given) };
  },
};

/** An Authority at a checked `url`, about which a file says nothing else. */
export function authorityAt(url: string): RemoteAuthorityConfig {
  const document = { file: "", root: {}, locate: () => undefined };
  return settings(TABLE.read({ url }, [], { document, directory: "/", errors: [] }), [url]);
}

function remote(given: Table): RemoteAuthorityConfig | undefined {
  if (given.url === undefined) return undefined;
  return settings(given, [given.url, ...given.fallback_urls]);
}

function settings(given: Table, urls: readonly string[]): RemoteAuthorityConfig {
  return {
    urls,
    connectAddr: given.connect_addr,
    publicKeyPath: given.public_key_path,
    caCertPath: given.ca_cert_path,
    clientCertPath: given.tls_client_cert_path,
    clientKeyPath: given.tls_client_key_path,
    credentials: given.credentials,
    connectTimeoutMs: given.connect_timeout,
    revocationFailClosed: given.revocation_fail_closed_on_disconnect,
    revocationGraceMs: given.revocation_readiness_grace,
    minBackoffMs: given.reconnect_min_backoff,
    maxBackoffMs: given.reconnect_max_backoff,
  };
}

function isThere(value: unknown): boolean {
  // An absent list is an empty one.
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
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
    const key = OF_REMOTE.find((name) => isThere(given[name]));
    return key && { key, state: 'there is no "url" beside it' };
  }
  if (given.reconnect_max_backoff < given.reconnect_min_backoff) {
    return { key: "reconnect_max_backoff", state: "it is less than reconnect_min_backoff" };
  }
  if (given.connect_addr !== undefined && socketPath(url) !== undefined) {
    return { key: "connect_addr", state: "the url is that of a socket" };
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
