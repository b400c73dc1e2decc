/**
 * Keys that a `firma.toml` of OpenFirma may have and one of firma does not. None
 * is taken and ignored: whoever brings such a file is told what to write instead.
 */
import type { TomlPath } from "../toml_positions.ts";

const EVERY_HOST =
  "leave it out: every host is inspected, and one that cannot be is denied; name " +
  "the hosts that must not be in bypass_hosts";
const OWN_CA = "leave it out: each session has a certificate authority of its own, in memory";
const NO_LIMITS = "leave it out: there are no limits of this kind";
const NO_SECRETS = "leave it out: [sidecar.credentials.<label>] adds credentials to calls, and " +
  "run.env_passthrough names variables that the agent may see";
const SECRET_PROGRAMS = "write [[sidecar.cli_secret_providers]], with a preset for the program";
const WHOLE_MEMORY = "leave it out: each session keeps its own state as long as it lives";
const EXACT = "leave it out: revocations are kept exactly, however many there are";
const ONE_SANDBOX =
  "leave it out: there is one kind of sandbox, and nothing leaves it but through " +
  "the Sidecar";

/** By path, without the places in lists. */
const INSTEAD: Readonly<Record<string, string>> = {
  "authority.schema_path":
    "leave it out: policies are checked against the schema of firma, which " +
    "[[action_classes]] extends",
  "sidecar.interceptor.socket_path": "leave it out: each session has a socket of its own",
  "sidecar.interceptor.drain_timeout": "leave it out: firma sidecar stop --timeout says how long " +
    "calls under way may take",
  "sidecar.interceptor.max_decompressed_body_size": "write max_request_body_size, which bounds " +
    "what is read of a body, compressed or not",
  "sidecar.interceptor.total_body_budget":
    "leave it out: bodies are streamed; max_request_body_size " +
    "bounds the ones that are read",
  "sidecar.interceptor.connect_relay": "write connect_timeout and idle_timeout in " +
    "[sidecar.connector]; a connection that is in use may last",
  "sidecar.interceptor.https_mitm.enabled": EVERY_HOST,
  "sidecar.interceptor.https_mitm.intercept_hosts": EVERY_HOST,
  "sidecar.interceptor.https_mitm.strict_hosts": EVERY_HOST,
  "sidecar.interceptor.https_mitm.cert_ttl": OWN_CA,
  "sidecar.interceptor.https_mitm.cert_cache_capacity": OWN_CA,
  "sidecar.interceptor.https_mitm.ca_cert_path": OWN_CA,
  "sidecar.interceptor.https_mitm.ca_key_path": OWN_CA,
  "sidecar.policy": "write policy_dir in [authority]",
  "sidecar.ca": OWN_CA,
  "sidecar.credentials.mode": 'write provider = "environment" or provider = "file"',
  "sidecar.credentials.target_host": "write hosts, a list",
  "sidecar.credentials.transform": 'write basic_user = "x-access-token"',
  "sidecar.credentials.value_from_env": 'write provider = "environment" and variable',
  "sidecar.credentials.secret_path": 'write provider = "file" and path',
  "sidecar.mapping.rules_path": 'write rules_paths = ["mapping-rules.toml"]',
  "sidecar.constraint_enforcement": WHOLE_MEMORY,
  "sidecar.connector.default_timeout": "write connect_timeout, headers_timeout and idle_timeout: " +
    "a whole call may last as long as it moves",
  "sidecar.connector.hosts.rps": NO_LIMITS,
  "sidecar.connector.hosts.burst": NO_LIMITS,
  "sidecar.connector.hosts.timeout":
    "write headers_timeout and idle_timeout in [sidecar.connector]",
  "sidecar.authority.allow_insecure_remote_authority":
    "leave it out: an Authority is reached over " +
    "a socket or with mutual TLS",
  "sidecar.revocation": EXACT,
  "sidecar.capability_seed": "leave it out: firma run --capability-file names a token that was " +
    "issued beforehand",
  "sidecar.audit.sink": 'write sinks = ["file", "grpc"]: there may be several',
  "sidecar.audit.grpc_url": "write url in [sidecar.authority]: events go to the Authority",
  "sidecar.audit.wal_path":
    "leave it out: the log in file_path is written ahead of what is shipped",
  "sidecar.audit.wal_max_size": "write max_lag: how many lines may wait before it is told",
  "sidecar.local_exec.socket_path": "leave it out: programs are decided over the session's socket",
  "sidecar.local_exec.token_ttl": "write token_ttl in [sidecar.approvals]",
  "sidecar.local_exec.retry_after": "write retry_after in [sidecar.approvals]",
  "sidecar.tenancy": "leave it out: one Sidecar serves many agents, each apart from the others",
  "sidecar.http_secret_providers": NO_SECRETS,
  "sidecar.secret_gateway": NO_SECRETS,
  "run.backend": ONE_SANDBOX,
  "run.sidecar_endpoint": "give firma run --sidecar unix:///path of a control socket",
  "run.defaults": "write the keys into [run] itself",
  "run.env_set": "set it where firma run starts, and name it in env_passthrough",
  "run.mounts":
    "leave it out: the agent works in the directory that firma run starts in, and its " +
    "profile says what else it may write",
  "run.sidecar_local_exec.hitl_mode": "write hitl_mode in [sidecar.approvals]",
  "run.sidecar_local_exec.hitl_max_wait": "write hitl_max_wait in [sidecar.approvals]",
  "run.sidecar_local_exec.enforce_known_executables":
    "write allowed_executables in [sidecar.local_exec], which is enforced where it stands",
  "run.sidecar_local_exec.allowed_executables": "write it in [sidecar.local_exec]",
  "run.sidecar_local_exec.endpoint": "leave it out: it is the session's own socket",
  "run.use_http_proxy_sidecar": ONE_SANDBOX,
  "run.allow_non_structural": ONE_SANDBOX,
  "run.network": ONE_SANDBOX,
  "run.identity_mode": "leave it out: the agent runs as you, without any capability",
  "run.seccomp_policy": "write deny or policy in [run.seccomp], which add to the built-in filter",
  "run.mask_home_paths": "leave it out: of your home, the agent sees what its profile names alone",
  "run.ca_trust_mode":
    "leave it out: the agent trusts the session's certificate authority beside " +
    "the system's roots",
  "run.capability": "write nothing: firma run asks the Authority, or takes --capability-file",
  "run.executable_policies": "leave it out: pass the options to the program itself",
  "run.secret_gateway_addr": NO_SECRETS,
  "run.secret_providers": SECRET_PROGRAMS,
};

/** What to write instead of a key that firma does not have and OpenFirma does. */
export function insteadOf(path: TomlPath): string | undefined {
  const names = path.filter((part) => typeof part === "string");
  // There, a profile may have what [run] has.
  if (names[0] === "run" && names[1] === "profiles") names.splice(1, 2);
  if (names[0] === "sidecar" && names[1] === "credentials") names.splice(2, 1);
  const name = names.join(".");
  return Object.hasOwn(INSTEAD, name) ? INSTEAD[name] : undefined;
}
