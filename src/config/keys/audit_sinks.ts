import { key, section, type ValueOf } from "../key.ts";
import { COUNT, list, oneOf, PATH, text, VARIABLE } from "../value_type.ts";

/** Where lines of the audit log go besides its file. */
export type SinkKind = "grpc" | "otlp" | "stdout";

/** How an OpenTelemetry collector is reached. */
export interface OtlpConfig {
  /** Logs are posted to this URL. */
  readonly url: string;
  /** Where headers with secrets are found; not the headers themselves. */
  readonly headers:
    | { readonly from: "file"; readonly path: string }
    | { readonly from: "environment"; readonly variable: string }
    | undefined;
  readonly caCertPath: string | undefined;
  readonly clientCertPath: string | undefined;
  readonly clientKeyPath: string | undefined;
}

/** Where the audit log is shipped. */
export interface AuditSinksConfig {
  readonly kinds: readonly SinkKind[];
  /** Those for which retention keeps what they have not taken yet. */
  readonly required: readonly SinkKind[];
  /** Lines that may wait for a sink before that is told as an error. */
  readonly maxLag: number;
  readonly otlp: OtlpConfig | undefined;
}

/** `wal` is `grpc`: the log itself is what is written ahead. */
const SINK = oneOf(["file", "grpc", "otlp", "stdout", "wal"]);

/** Of a collector on another machine, whoever is in between would read what agents did. */
const COLLECTOR = text<string>("URL", { pattern: "^https?://" }, (value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isPlain = url !== undefined && url.username === "" && url.password === "" &&
    url.search === "" && url.hash === "";
  const isLocal = url?.protocol === "http:" &&
    /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  if (isPlain && (url.protocol === "https:" || isLocal)) {
    return { value: url.pathname === "/" ? `${url.origin}/v1/logs` : url.href };
  }
  if (isPlain && url.protocol === "http:") {
    return {
      state: `"${value}" is not on this machine, and http is not encrypted`,
      cure: "write https, or run a collector on this machine",
    };
  }
  return { state: `"${value}" is not a URL such as "https://collector.example.test:4318"` };
});

/** Keys of `[sidecar.audit]` that say where the log is shipped. */
export const AUDIT_SINKS = {
  sinks: key(list(SINK, "list of sinks"), {
    about:
      "Where the log goes besides its file: the Authority (`grpc`, `wal`), a collector, `stdout`",
    default: ["file"],
    example: ["file", "grpc"],
    applies: "restart",
  }),
  required_sinks: key(list(SINK, "list of sinks"), {
    about:
      "Sinks for which retention keeps lines until they have them; calls depend on `file` alone",
    default: ["file"],
    example: ["file", "grpc"],
    applies: "restart",
  }),
  max_lag: key(COUNT, {
    about: "Lines that may wait for a sink before it is told as an error; calls go on",
    default: 10_000,
    example: 100_000,
    applies: "restart",
  }),
  otlp: section("The OpenTelemetry collector of the sink `otlp`", {
    endpoint: key(COLLECTOR, {
      about: "Its URL for OTLP over HTTP; without a path, logs go to `/v1/logs`",
      otherwise: "none; needed for the sink `otlp`",
      example: "https://collector.example.test:4318",
      applies: "restart",
    }),
    headers_file: key(PATH, {
      about: "File of mode 0600 with headers to send, `name: value` on each line",
      otherwise: "`headers_env`, or none",
      example: "otlp-headers",
      applies: "restart",
    }),
    headers_env: key(VARIABLE, {
      about: "Variable with headers to send, `name=value` with commas in between",
      otherwise: "`headers_file`, or none",
      example: "OTEL_EXPORTER_OTLP_HEADERS",
      applies: "restart",
    }),
    ca_cert_path: key(PATH, {
      about: "Roots that its certificate may verify under, beside the system's, PEM",
      otherwise: "the roots of the system",
      example: "collector-ca.crt",
      applies: "restart",
    }),
    tls_client_cert_path: key(PATH, {
      about: "Certificate to show to it, PEM",
      otherwise: "none",
      example: "collector-client.crt",
      applies: "restart",
    }),
    tls_client_key_path: key(PATH, {
      about: "Key of that certificate, PEM, mode 0600",
      otherwise: "none",
      example: "collector-client.key",
      applies: "restart",
    }),
  }),
};

type Table = { readonly [Name in keyof typeof AUDIT_SINKS]: ValueOf<(typeof AUDIT_SINKS)[Name]> };

/** What the keys say. */
export function auditSinks({ sinks, required_sinks, max_lag, otlp }: Table): AuditSinksConfig {
  const { endpoint, headers_file: path, headers_env: variable } = otlp;
  return {
    kinds: kindsOf(sinks),
    required: kindsOf(required_sinks),
    maxLag: max_lag,
    otlp: endpoint === undefined ? undefined : {
      url: endpoint,
      headers: path !== undefined
        ? { from: "file", path }
        : variable !== undefined
        ? { from: "environment", variable }
        : undefined,
      caCertPath: otlp.ca_cert_path,
      clientCertPath: otlp.tls_client_cert_path,
      clientKeyPath: otlp.tls_client_key_path,
    },
  };
}

function kindsOf(names: Table["sinks"]): SinkKind[] {
  const kinds = names.flatMap((name) => name === "file" ? [] : name === "wal" ? "grpc" : name);
  return [...new Set(kinds)];
}
