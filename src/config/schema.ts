import { dirname, join, resolve } from "../core/path.ts";
import type { ActionClassEntry } from "../core/action_class.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { atVariable, withAuthorityVariables } from "./authority_environment.ts";
import type { IdentityConfig } from "./authority_config.ts";
import { identityConfig, otherFiles } from "./keys/authority.ts";
import { ROOT, type RootTable } from "./keys/root.ts";
import type { ConnectAddress } from "./connect_address.ts";
import type { CliSecretProvider } from "../secrets/cli/provider.ts";
import type { SecretStore } from "../secrets/store/secret_store.ts";
import type { CredentialConfig } from "./keys/credentials/credential.ts";
import type { ConnectorHostConfig } from "./keys/sidecar.ts";
import { type ApprovalsConfig, approvalsConfig } from "./keys/sidecar_approvals.ts";
import { type AuditConfig, auditConfig } from "./keys/sidecar_audit.ts";
import type { RemoteAuthorityConfig } from "./keys/sidecar_authority.ts";
import type { LimitsTable } from "./keys/run_limits.ts";
import { insteadOf } from "./keys/elsewhere.ts";
import type { Environment } from "./paths.ts";
import { parseToml, type TomlDocument } from "./toml.ts";

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
    /** Absent: it vouches for no agent. */
    readonly identity: IdentityConfig | undefined;
    /** Whether it says where an Authority that others can reach is to listen. */
    readonly listens: boolean;
    /** What else the table names, by its keys: none of it is for agents. */
    readonly otherFiles: readonly { readonly key: string; readonly path: string }[];
  };
  readonly sidecar: {
    /** `monitor`: policies deny in name alone, as far as the Sidecar's surroundings allow that. */
    readonly mode: "enforce" | "monitor";
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
    /** How programs that agents start are decided. */
    readonly localExec: {
      readonly rulesPaths: readonly string[];
      readonly defaultAction: "allow" | "deny";
      readonly allowedExecutables: readonly string[] | undefined;
    };
    readonly mapping: {
      readonly rulesPaths: readonly string[];
      readonly defaultProtected: boolean;
    };
    readonly interceptor: {
      /** `http_proxy`: there is a proxy for agents without a sandbox as well, on `listenAddr`. */
      readonly mode: "unix_socket" | "http_proxy";
      readonly listenAddr: ConnectAddress;
      readonly maxRequestBodySize: number;
      /** Of answers of secret stores. */
      readonly maxDecompressedBodySize: number;
      readonly httpsMitm: { readonly bypassHosts: readonly string[] };
    };
    readonly connector: {
      readonly connectTimeoutMs: number;
      readonly headersTimeoutMs: number;
      readonly idleTimeoutMs: number;
      readonly hosts: readonly ConnectorHostConfig[];
    };
    /** What is added to calls, in the order of the file. */
    readonly credentials: readonly CredentialConfig[];
    readonly approvals: ApprovalsConfig;
    /** Stores of secrets that agents may call. */
    readonly httpSecretProviders: readonly SecretStore[];
    /** Programs of the operator's that read stores of secrets for agents. */
    readonly cliSecretProviders: readonly CliSecretProvider[];
    readonly audit: AuditConfig;
  };
  readonly run: {
    /** How programs that an agent starts are held until they are decided. */
    readonly localExec: {
      readonly gate: "auto" | "required" | "off";
      readonly timeoutMs: number;
    };
    readonly deleteWatch: DeleteWatchConfig;
    readonly profile: string | undefined;
    readonly envPassthrough: readonly string[];
    readonly limits: LimitsConfig;
    /** What the kernel refuses beyond what it refuses every agent. */
    readonly seccomp: {
      /** Names of system calls. */
      readonly deny: readonly string[];
      readonly policyPath: string | undefined;
    };
    readonly profiles: Readonly<Record<string, ProfileConfig>>;
  };
}

/** How what an agent deletes and overwrites can be got back. */
export interface DeleteWatchConfig {
  /** Absent: as the posture wants it. */
  readonly enabled: boolean | undefined;
  /** Names of directories that are left out. */
  readonly exclude: readonly string[];
  /** Bytes. */
  readonly maxFileSize: number;
  /** Bytes. */
  readonly maxTotalSize: number;
  /** Snapshots of one workspace. */
  readonly keep: number;
  readonly keepMs: number;
}

/** What an operator adds to a profile. */
export interface ProfileConfig {
  readonly commands: readonly string[];
  readonly envPassthrough: readonly string[];
  /** Paths below the home. */
  readonly homeWrite: readonly string[];
  readonly homeRead: readonly string[];
  /** The only programs that are decided and recorded; absent: all. */
  readonly governed?: readonly string[] | undefined;
  /** In place of those of the run, one by one. */
  readonly limits: LimitsConfig;
}

/** What an agent may use of the machine; what is absent is unlimited. */
export interface LimitsConfig {
  /** Threads are processes too. */
  readonly processes?: number;
  readonly memoryBytes?: number;
  readonly cpus?: number;
  /** Of one process. */
  readonly cpuTimeMs?: number;
  /** In one process. */
  readonly openFiles?: number;
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

/** Clocks of two machines differ; that of one machine does not from itself. */
const USUAL_SKEW_MS = 5_000;

/** A `firma.toml` whose keys were checked one by one and together. */
export interface CheckedFile {
  readonly document: TomlDocument;
  readonly root: RootTable;
}

/** Checks the keys of a `firma.toml`; see {@linkcode parseConfig}. */
export function checkKeys(
  text: string,
  file: string,
  env: Environment = {},
): Result<CheckedFile, readonly FirmaError[]> {
  const document = parseToml(text, file);
  if (!document.ok) return err([document.error]);
  const errors: FirmaError[] = [];
  const root = ROOT.read(withAuthorityVariables(document.value.root, env), [], {
    document: document.value,
    directory: dirname(file),
    errors,
    instead: insteadOf,
  });
  const line = ({ at }: FirmaError) => at?.line ?? Number.MAX_SAFE_INTEGER;
  if (errors.length === 0) return ok({ document: document.value, root });
  const found = errors.map((error) => atVariable(error, env));
  return err(found.sort((a, b) => line(a) - line(b)));
}

/**
 * Checks the text of a `firma.toml`, in which variables of `env` go before keys of
 * `[authority]`. All faults are reported, each with its place; codes are
 * `TOML_SYNTAX` and `CONFIG_INVALID`.
 */
export function parseConfig(
  text: string,
  file: string,
  defaults: ConfigDefaults,
  env: Environment = {},
): Result<FirmaConfig, readonly FirmaError[]> {
  const checked = checkKeys(text, file, env);
  if (!checked.ok) return checked;
  return ok(assemble(checked.value.root, file, defaults));
}

function assemble(
  { action_classes, authority, sidecar, run }: RootTable,
  file: string,
  defaults: ConfigDefaults,
): FirmaConfig {
  const keyFile = authority.key_file ?? defaults.authorityKey;
  // A file of an Authority alone has nothing there.
  const { agentId, remote } = sidecar.authority;
  return {
    file,
    directory: dirname(file),
    actionClasses: action_classes,
    authority: {
      policyDir: authority.policy_dir,
      issuancePolicyDir: authority.issuance_policy_dir,
      revocationFile: resolve(defaults.projectDataDir, authority.revocation_file),
      maxTtlMs: authority.max_ttl,
      bundleTtlMs: authority.bundle_ttl,
      keyFile,
      identity: identityConfig(
        authority.identity,
        join(dirname(defaults.authorityKey), "identity.json"),
      ),
      listens: authority.listen_addr !== undefined,
      otherFiles: otherFiles(authority),
    },
    sidecar: {
      mode: sidecar.mode,
      authority: {
        agentId,
        remote: remote && { ...remote, publicKeyPath: remote.publicKeyPath ?? `${keyFile}.pub` },
      },
      capabilityValidation: {
        clockSkewToleranceMs: sidecar.capability_validation.clock_skew_tolerance ??
          (remote ? USUAL_SKEW_MS : 0),
      },
      localExec: {
        rulesPaths: sidecar.local_exec.rules_paths,
        defaultAction: sidecar.local_exec.default_action,
        allowedExecutables: sidecar.local_exec.allowed_executables,
      },
      mapping: {
        rulesPaths: sidecar.mapping.rules_paths,
        defaultProtected: sidecar.mapping.default_protected,
      },
      interceptor: {
        mode: sidecar.interceptor.mode,
        listenAddr: sidecar.interceptor.listen_addr,
        maxRequestBodySize: sidecar.interceptor.max_request_body_size,
        maxDecompressedBodySize: sidecar.interceptor.max_decompressed_body_size,
        httpsMitm: { bypassHosts: sidecar.interceptor.https_mitm.bypass_hosts },
      },
      connector: {
        connectTimeoutMs: sidecar.connector.connect_timeout,
        headersTimeoutMs: sidecar.connector.headers_timeout,
        idleTimeoutMs: sidecar.connector.idle_timeout,
        hosts: sidecar.connector.hosts,
      },
      credentials: sidecar.credentials,
      approvals: approvalsConfig(sidecar.approvals),
      httpSecretProviders: sidecar.http_secret_providers,
      cliSecretProviders: sidecar.cli_secret_providers,
      audit: auditConfig(sidecar.audit, defaults.auditFile),
    },
    run: {
      localExec: {
        gate: run.sidecar_local_exec.gate,
        timeoutMs: run.sidecar_local_exec.timeout,
      },
      deleteWatch: {
        enabled: run.delete_watch.enabled,
        exclude: run.delete_watch.exclude,
        maxFileSize: run.delete_watch.max_file_size,
        maxTotalSize: run.delete_watch.max_total_size,
        keep: run.delete_watch.keep,
        keepMs: run.delete_watch.keep_for,
      },
      profile: run.profile,
      envPassthrough: run.env_passthrough,
      limits: limitsOf(run.limits),
      seccomp: { deny: run.seccomp.deny, policyPath: run.seccomp.policy },
      profiles: Object.fromEntries([...run.profiles].map(([id, profile]) => [id, {
        commands: profile.commands,
        envPassthrough: profile.env_passthrough,
        homeWrite: profile.home_write,
        homeRead: profile.home_read,
        governed: profile.governed,
        limits: limitsOf(profile.limits),
      }])),
    },
  };
}

function limitsOf(table: LimitsTable): LimitsConfig {
  const { processes, memory, cpus, cpu_time, open_files } = table;
  return {
    ...(processes !== undefined && { processes }),
    ...(memory !== undefined && { memoryBytes: memory }),
    ...(cpus !== undefined && { cpus }),
    ...(cpu_time !== undefined && { cpuTimeMs: cpu_time }),
    ...(open_files !== undefined && { openFiles: open_files }),
  };
}
