import { key, section, type ValueOf } from "../key.ts";
import { AUDIT_SINKS, auditSinks, type AuditSinksConfig } from "./audit_sinks.ts";
import {
  ABSOLUTE_PATH,
  AGE,
  COUNT,
  list,
  oneOf,
  PATH,
  SIZE,
  text,
  VARIABLE,
} from "../value_type.ts";

const PARAMETER = text<string>("name", { pattern: "^[^=&;?#\\s]+$" }, (value) => {
  if (/^[^=&;?#\s]+$/.test(value)) return { value };
  return { state: `"${value}" is not the name of a query parameter` };
});

/** `[sidecar.audit]`. */
export const SIDECAR_AUDIT = section("The audit log", {
  file_path: key(ABSOLUTE_PATH, {
    about: "The audit log",
    otherwise: "`audit/audit.jsonl` in the data directory",
    example: "/var/log/firma/audit.jsonl",
    applies: "restart",
  }),
  durability: key(oneOf(["queued", "durable"]), {
    about: "When a call may leave: once its record is queued, or once it is on the disk",
    default: "queued",
    example: "durable",
    applies: "restart",
  }),
  signing_key_path: key(PATH, {
    about: "The Ed25519 key that signs the log, PKCS#8 PEM, mode 0600; made when it is missing",
    otherwise: "`keys/audit.key` in the data directory",
    example: "/etc/firma/audit.key",
    applies: "restart",
  }),
  signing_key_env: key(VARIABLE, {
    about: "Variable of the Sidecar's environment that holds that key instead",
    otherwise: "`signing_key_path`",
    example: "FIRMA_AUDIT_KEY",
    applies: "restart",
  }),
  redact_query_params: key(list(PARAMETER, "list of names"), {
    about: "Query parameters that hold secrets, beside those whose names say so; case is ignored",
    default: [],
    example: ["invite"],
    applies: "restart",
  }),
  ...AUDIT_SINKS,
  rotation: section("When the log goes on in a new file", {
    max_size: key(SIZE, {
      about: "How large a file becomes",
      default: "100 MiB",
      example: "1 GiB",
      applies: "restart",
    }),
    max_age: key(AGE, {
      about: "How old the first line of a file becomes; looked at when the next one is written",
      otherwise: "files do not age",
      example: "1d",
      applies: "restart",
    }),
    compression: key(oneOf(["none", "gzip", "zstd"]), {
      about: "What closed files are compressed with",
      default: "none",
      example: "zstd",
      applies: "restart",
    }),
  }),
  retention: section("Which closed files are kept; without a key, all of them", {
    max_files: key(COUNT, {
      about: "How many closed files are kept",
      otherwise: "any number",
      example: 30,
      applies: "restart",
    }),
    max_age: key(AGE, {
      about: "How old the last line of a closed file becomes",
      otherwise: "any age",
      example: "90d",
      applies: "restart",
    }),
    max_total_size: key(SIZE, {
      about: "How large closed files are together, as they lie on the disk",
      otherwise: "any size",
      example: "10 GiB",
      applies: "restart",
    }),
  }),
});

/** `[sidecar.audit]` of a `firma.toml`, as it stands there. */
export type SidecarAuditTable = ValueOf<typeof SIDECAR_AUDIT>;

/** How the audit log is kept; times in milliseconds, sizes in bytes. */
export interface AuditConfig {
  readonly filePath: string;
  /** Whether a call may leave once its record is queued, or only once it is on the disk. */
  readonly durability: "queued" | "durable";
  /** Where the signing key is, if not in the data directory: a file or a variable. */
  readonly signingKeyPath: string | undefined;
  readonly signingKeyEnv: string | undefined;
  /** Names of query parameters whose values are left out of the log. */
  readonly redactQueryParams: readonly string[];
  readonly rotation: { readonly maxBytes: number; readonly maxAgeMs?: number };
  readonly packing: "plain" | "gzip" | "zstd";
  readonly retention: {
    readonly maxFiles?: number;
    readonly maxAgeMs?: number;
    readonly maxTotalBytes?: number;
  };
  readonly shipping: AuditSinksConfig;
}

/** The table under the names of the configuration; `auditFile` is the log where it names none. */
export function auditConfig(table: SidecarAuditTable, auditFile: string): AuditConfig {
  const { rotation, retention } = table;
  return {
    filePath: table.file_path ?? auditFile,
    durability: table.durability,
    signingKeyPath: table.signing_key_path,
    signingKeyEnv: table.signing_key_env,
    redactQueryParams: table.redact_query_params,
    shipping: auditSinks(table),
    rotation: {
      maxBytes: rotation.max_size,
      ...(rotation.max_age !== undefined && { maxAgeMs: rotation.max_age }),
    },
    packing: rotation.compression === "none" ? "plain" : rotation.compression,
    retention: {
      ...(retention.max_files !== undefined && { maxFiles: retention.max_files }),
      ...(retention.max_age !== undefined && { maxAgeMs: retention.max_age }),
      ...(retention.max_total_size !== undefined && { maxTotalBytes: retention.max_total_size }),
    },
  };
}
