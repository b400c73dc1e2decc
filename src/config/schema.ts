import { dirname, resolve } from "../core/path.ts";
import type { ActionClassEntry } from "../core/action_class.ts";
import { isId } from "../core/id.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { actionClassList } from "./action_classes.ts";
import {
  booleanOr,
  type Checked,
  durationOr,
  listOf,
  optionalAbsolutePath,
  optionalDuration,
  optionalPath,
  pathOr,
  type Reader,
  requiredString,
  sizeOr,
  stringOr,
  table,
} from "./reader.ts";
import { otherFiles, readAuthorityTable } from "./authority_table.ts";
import { type RemoteAuthorityConfig, sidecarAuthority } from "./sidecar_authority.ts";
import { parseToml } from "./toml.ts";

/** Where to connect instead of resolving a host. */
export interface ConnectAddress {
  readonly hostname: string;
  readonly port: number;
}

/** `[[sidecar.connector.hosts]]`: how to reach one host. */
export interface ConnectorHostConfig {
  /** Lower case, no trailing dot, no wildcard. */
  readonly host: string;
  /** May be a private address, which is refused otherwise. */
  readonly connectAddr: ConnectAddress | undefined;
  /** PEM file with extra roots for this host. */
  readonly caCertPath: string | undefined;
}

/** A whole `firma.toml`: defaults filled in, paths absolute, durations in ms, sizes in bytes. */
export interface FirmaConfig {
  /** The file, as an absolute path without symbolic links. */
  readonly file: string;
  /** The directory that relative paths resolved against. */
  readonly directory: string;
  /** `[[action_classes]]`: what the operator adds to the registry. */
  readonly actionClasses: readonly ActionClassEntry[];
  readonly authority: {
    readonly policyDir: string;
    readonly issuancePolicyDir: string;
    readonly revocationFile: string;
    readonly maxTtlMs: number;
    readonly bundleTtlMs: number;
    /** The key that tokens are signed with. */
    readonly keyFile: string;
    /** What else the table names, by its keys: none of it is for agents. */
    readonly otherFiles: readonly { readonly key: string; readonly path: string }[];
  };
  readonly sidecar: {
    readonly authority: {
      /** Empty in a file of an Authority alone, which has no `[sidecar]`. */
      readonly agentId: string;
      /** Absent: the Sidecar has an Authority of its own. */
      readonly remote: (RemoteAuthorityConfig & { readonly publicKeyPath: string }) | undefined;
    };
    readonly capabilityValidation: {
      /** How far the clocks of Authority and Sidecar may differ. */
      readonly clockSkewToleranceMs: number;
    };
    readonly mapping: {
      readonly rulesPaths: readonly string[];
      readonly defaultProtected: boolean;
    };
    readonly interceptor: {
      readonly maxRequestBodySize: number;
      readonly httpsMitm: { readonly bypassHosts: readonly string[] };
    };
    readonly connector: {
      readonly connectTimeoutMs: number;
      readonly headersTimeoutMs: number;
      readonly idleTimeoutMs: number;
      readonly hosts: readonly ConnectorHostConfig[];
    };
    readonly audit: { readonly filePath: string };
  };
  readonly run: {
    readonly profile: string | undefined;
    readonly envPassthrough: readonly string[];
  };
}

/** What a file does not say and its surroundings do. */
export interface ConfigDefaults {
  /** Directory of this project's durable data; a relative `revocation_file` lies in it. */
  readonly projectDataDir: string;
  /** Audit log where the file names none. */
  readonly auditFile: string;
  /** Signing key of this user's Authority where the file names none. */
  readonly authorityKey: string;
}

const HOST =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

function host(value: string): Checked<string> {
  const plain = value.toLowerCase().replace(/\.$/, "");
  if (HOST.test(plain) || /^\[[0-9a-f:.]+\]$/.test(plain)) return { value: plain };
  return {
    state: `"${value}" is not a host name`,
    cure: "write the name alone: no scheme, port, path or wildcard",
  };
}

function bypassHost(value: string): Checked<string> {
  const plain = value.toLowerCase().replace(/\.$/, "");
  const name = plain.startsWith("*.") ? plain.slice(2) : plain;
  // A pattern such as *.com would exempt half of the world from every policy.
  if (HOST.test(name) && (name === plain || name.includes("."))) return { value: plain };
  return { state: `"${value}" is neither a host nor a pattern such as "*.example.com"` };
}

function connectAddress(value: string): Checked<ConnectAddress | undefined> {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/i.exec(value);
  const port = Number(match?.[3]);
  if (!match || port < 1 || port > 65535) {
    return { state: `"${value}" is not an address and a port such as "127.0.0.1:8443"` };
  }
  return { value: { hostname: (match[1] ?? match[2])!, port } };
}

function agentId(value: string): Checked<string> {
  if (isId("agt", value)) return { value };
  return { state: `"${value}" is not an agent id such as agt_01jd8xk5w7e0v9c3b2n4m6q8rs` };
}

function environmentName(value: string): Checked<string> {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(value)) return { value };
  return { state: `"${value}" is not the name of an environment variable` };
}

function notEmpty(value: string): Checked<string> {
  return value === "" ? { state: "value is empty" } : { value };
}

const rootOf = (agent: Reader<string>) =>
  table({
    action_classes: actionClassList,
    authority: readAuthorityTable,
    sidecar: table({
      authority: sidecarAuthority(agent),
      capability_validation: table({ clock_skew_tolerance: optionalDuration }),
      mapping: table({ rules_paths: listOf(pathOr("")), default_protected: booleanOr(true) }),
      interceptor: table({
        max_request_body_size: sizeOr("4 MiB"),
        https_mitm: table({ bypass_hosts: listOf(requiredString(bypassHost)) }),
      }),
      connector: table({
        connect_timeout: durationOr("10s"),
        headers_timeout: durationOr("120s"),
        idle_timeout: durationOr("300s"),
        hosts: listOf(table({
          host: requiredString(host),
          connect_addr: stringOr<ConnectAddress | undefined>(undefined, connectAddress),
          ca_cert_path: optionalPath,
        })),
      }),
      audit: table({ file_path: optionalAbsolutePath }),
    }),
    run: table({
      profile: stringOr<string | undefined>(undefined, notEmpty),
      env_passthrough: listOf(requiredString(environmentName)),
    }),
  });

const readRoot = rootOf(requiredString(agentId));
/** A file of an Authority alone names no agent. */
const readAuthorityRoot = rootOf(stringOr("", agentId));

/** Clocks of two machines differ; that of one machine does not from itself. */
const USUAL_SKEW_MS = 5_000;

/** Finds hosts that are configured twice: which entry would hold is not for chance to say. */
function duplicateHosts(
  hosts: readonly ConnectorHostConfig[],
  at: (index: number) => FirmaError["at"],
): FirmaError[] {
  return hosts.flatMap(({ host }, index) =>
    hosts.findIndex((other) => other.host === host) === index ? [] : [{
      code: "CONFIG_INVALID",
      message: `Cannot use "sidecar.connector.hosts[${index}].host": "${host}" is there already`,
      at: at(index),
    }]
  );
}

/**
 * Checks the text of a `firma.toml`. All faults are reported, each with its
 * place; codes are `TOML_SYNTAX` and `CONFIG_INVALID`.
 */
export function parseConfig(
  text: string,
  file: string,
  defaults: ConfigDefaults,
): Result<FirmaConfig, readonly FirmaError[]> {
  const document = parseToml(text, file);
  if (!document.ok) return err([document.error]);
  const directory = dirname(file);
  const errors: FirmaError[] = [];
  const { root } = document.value;
  const isAuthority = Object.hasOwn(root, "authority") && !Object.hasOwn(root, "sidecar");
  const read = isAuthority ? readAuthorityRoot : readRoot;
  const { action_classes, authority, sidecar, run } = read(root, [], {
    document: document.value,
    directory,
    errors,
  });
  const hosts = sidecar.connector.hosts.map((entry) => ({
    host: entry.host,
    connectAddr: entry.connect_addr,
    caCertPath: entry.ca_cert_path,
  }));
  const locate = (index: number) =>
    document.value.locate(["sidecar", "connector", "hosts", index, "host"]);
  if (errors.length === 0) errors.push(...duplicateHosts(hosts, locate));
  if (errors.length > 0) return err(errors);
  const keyFile = authority.key_file ?? defaults.authorityKey;
  const { remote } = sidecar.authority;
  return ok({
    file,
    directory,
    actionClasses: action_classes,
    authority: {
      policyDir: authority.policy_dir,
      issuancePolicyDir: authority.issuance_policy_dir,
      revocationFile: resolve(defaults.projectDataDir, authority.revocation_file),
      maxTtlMs: authority.max_ttl,
      bundleTtlMs: authority.bundle_ttl,
      keyFile,
      otherFiles: otherFiles(authority),
    },
    sidecar: {
      authority: {
        agentId: sidecar.authority.agentId,
        remote: remote && { ...remote, publicKeyPath: remote.publicKeyPath ?? `${keyFile}.pub` },
      },
      capabilityValidation: {
        clockSkewToleranceMs: sidecar.capability_validation.clock_skew_tolerance ??
          (remote ? USUAL_SKEW_MS : 0),
      },
      mapping: {
        rulesPaths: sidecar.mapping.rules_paths,
        defaultProtected: sidecar.mapping.default_protected,
      },
      interceptor: {
        maxRequestBodySize: sidecar.interceptor.max_request_body_size,
        httpsMitm: { bypassHosts: sidecar.interceptor.https_mitm.bypass_hosts },
      },
      connector: {
        connectTimeoutMs: sidecar.connector.connect_timeout,
        headersTimeoutMs: sidecar.connector.headers_timeout,
        idleTimeoutMs: sidecar.connector.idle_timeout,
        hosts,
      },
      audit: { filePath: sidecar.audit.file_path ?? defaults.auditFile },
    },
    run: { profile: run.profile, envPassthrough: run.env_passthrough },
  });
}
