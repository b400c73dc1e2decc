import { SIDECAR_LOCAL_EXEC } from "./local_exec.ts";
import { CONNECT_ADDRESS, type ConnectAddress } from "../connect_address.ts";
import { key, section, type SectionList, sectionList, type ValueOf } from "../key.ts";
import { type Checked, fault } from "../reader.ts";
import {
  BOOLEAN,
  DURATION,
  DURATION_OR_NONE,
  list,
  oneOf,
  PATH,
  SIZE,
  text,
} from "../value_type.ts";
import { CREDENTIALS } from "./credentials/credential.ts";
import { SIDECAR_APPROVALS } from "./sidecar_approvals.ts";
import { SIDECAR_AUDIT } from "./sidecar_audit.ts";
import { checkHostPattern, HOST_NAME } from "./host_pattern.ts";
import { CLI_SECRET_PROVIDERS } from "./cli_secret_providers.ts";
import { HTTP_SECRET_PROVIDERS } from "./http_secret_providers.ts";
import { SIDECAR_AUTHORITY } from "./sidecar_authority.ts";

/** `[[sidecar.connector.hosts]]`: how to reach one host. */
export interface ConnectorHostConfig {
  /** Lower case, no trailing dot, no wildcard. */
  readonly host: string;
  /** May be a private address, which is refused otherwise. */
  readonly connectAddr: ConnectAddress | undefined;
  /** PEM file with extra roots for this host. */
  readonly caCertPath: string | undefined;
}

function host(value: string): Checked<string> {
  const plain = value.toLowerCase().replace(/\.$/, "");
  if (HOST_NAME.test(plain) || /^\[[0-9a-f:.]+\]$/.test(plain)) return { value: plain };
  return {
    state: `"${value}" is not a host name`,
    cure: "write the name alone: no scheme, port, path or wildcard",
  };
}

const HOSTS = sectionList(section("How to reach one host, where its name alone does not say", {
  host: key(text("host", { minLength: 1 }, host), {
    about: "The host: its name alone",
    required: true,
    example: "git.example.test",
    applies: "live",
  }),
  connect_addr: key(CONNECT_ADDRESS, {
    about: "Address and port to connect to instead; it may be a private one",
    otherwise: "what the name resolves to",
    example: "10.0.0.5:8443",
    applies: "live",
  }),
  ca_cert_path: key(PATH, {
    about: "Roots that its certificate may verify under, beside the system's, PEM",
    otherwise: "the roots of the system",
    example: "git-ca.crt",
    applies: "live",
  }),
}));

const CONNECTOR_HOSTS: SectionList<ConnectorHostConfig[]> = {
  ...HOSTS,
  read(value, path, context) {
    const before = context.errors.length;
    const hosts = HOSTS.read(value, path, context);
    if (context.errors.length > before) return [];
    hosts.forEach(({ host }, index) => {
      // Which of two entries would hold is not for chance to say.
      if (hosts.findIndex((other) => other.host === host) === index) return;
      fault(context, [...path, index, "host"], `"${host}" is there already`);
    });
    return hosts.map(({ host, connect_addr, ca_cert_path }) => ({
      host,
      connectAddr: connect_addr,
      caCertPath: ca_cert_path,
    }));
  },
};

/** Anybody who reaches the port can try passwords there, and what is sent to it is in the clear. */
const LOOPBACK_ADDRESS = text<ConnectAddress>("address", { pattern: ":[0-9]{1,5}$" }, (value) => {
  const match = /^(127(?:\.\d{1,3}){3}|\[::1\]):(\d{1,5})$/.exec(value);
  const [hostname = "", port] = [match?.[1]?.replace(/^\[|\]$/g, ""), Number(match?.[2])];
  const isAddress = hostname.split(".").every((part) => part === "::1" || Number(part) <= 255);
  if (match && isAddress && port <= 65535) return { value: { hostname, port } };
  return {
    state: `"${value}" is not an address of this machine alone with a port`,
    cure: 'write "127.0.0.1:8080" or "[::1]:8080"; a name such as localhost may change its meaning',
  };
});

const INTERCEPTOR = section("How the agent's connections are taken", {
  mode: key(oneOf(["unix_socket", "http_proxy"]), {
    about: "With `http_proxy`, agents without a sandbox can have a proxy on listen_addr",
    default: "unix_socket",
    example: "http_proxy",
    applies: "restart",
  }),
  listen_addr: key(LOOPBACK_ADDRESS, {
    about: "Where that proxy listens: an address of this machine alone; port 0 takes any",
    default: "127.0.0.1:8080",
    example: "[::1]:3128",
    applies: "restart",
  }),
  max_request_body_size: key(SIZE, {
    about:
      "Largest body that is read to find out what a call does; a call with a larger one is denied",
    default: "4 MiB",
    example: "16 MiB",
    applies: "restart",
  }),
  max_decompressed_body_size: key(SIZE, {
    about: "Largest answer of a secret store that is read to replace what it gives out",
    default: "16 MiB",
    example: "1 MiB",
    applies: "restart",
  }),
  https_mitm: section("How TLS is inspected", {
    bypass_hosts: key(list(text("host", { minLength: 1 }, checkHostPattern)), {
      about:
        "Hosts whose TLS is not opened, once their CONNECT is permitted; `*.` covers subdomains",
      default: [],
      example: ["pinned.example.test"],
      applies: "live",
    }),
  }),
});

const CONNECTOR = section("How calls are forwarded", {
  connect_timeout: key(DURATION, {
    about: "How long a connection to an upstream may take, TLS included",
    default: "10s",
    example: "5s",
    applies: "live",
  }),
  headers_timeout: key(DURATION, {
    about: "How long an upstream may take until the headers of its response are there",
    default: "120s",
    example: "5m",
    applies: "live",
  }),
  idle_timeout: key(DURATION, {
    about: "How long a call may go without a byte in either direction",
    default: "300s",
    example: "10m",
    applies: "live",
  }),
  hosts: CONNECTOR_HOSTS,
});

/** `[sidecar]`. */
export const SIDECAR = section("The Sidecar, which decides each call and forwards it", {
  mode: key(oneOf(["enforce", "monitor"]), {
    about: "With `monitor`, what policies deny goes out, where FIRMA_ALLOW_MONITOR_MODE is 1",
    default: "enforce",
    example: "monitor",
    applies: "restart",
  }),
  authority: SIDECAR_AUTHORITY,
  capability_validation: section("How tokens are checked", {
    clock_skew_tolerance: key(DURATION_OR_NONE, {
      about: "How far the clocks of Authority and Sidecar may differ",
      otherwise: '`"0s"`; with `sidecar.authority.url`, `"5s"`',
      example: "2s",
      applies: "restart",
    }),
  }),
  local_exec: SIDECAR_LOCAL_EXEC,
  mapping: section("Which call is which action", {
    rules_paths: key(list(PATH), {
      about: "Mappings, whose rules hold together",
      default: [],
      example: ["mappings/github.toml", "mapping-rules.toml"],
      applies: "live",
    }),
    default_protected: key(BOOLEAN, {
      about: "Whether calls to hosts that no rule names are denied; they pass undecided otherwise",
      default: true,
      example: false,
      applies: "live",
    }),
  }),
  interceptor: INTERCEPTOR,
  connector: CONNECTOR,
  credentials: CREDENTIALS,
  approvals: SIDECAR_APPROVALS,
  http_secret_providers: HTTP_SECRET_PROVIDERS,
  cli_secret_providers: CLI_SECRET_PROVIDERS,
  audit: SIDECAR_AUDIT,
});

/** `[sidecar]` of a `firma.toml`, as it stands there. */
export type SidecarTable = ValueOf<typeof SIDECAR>;
