import { PROXY_PORT } from "./ports.ts";
import { PUBLIC_DIR } from "./handoff.ts";
import type { Profile } from "./profiles.ts";

/** All roots, for variables that replace a client's own. */
const CA_BUNDLE = `${PUBLIC_DIR}/ca-bundle.pem`;
/** Only what the system's roots lack, for variables that add to them: quicker to load. */
const CA_EXTRA = `${PUBLIC_DIR}/ca-extra.pem`;

const PROXY = `http://127.0.0.1:${PROXY_PORT}`;

/** What any program may know of its surroundings. None of these holds a secret. */
const PASSTHROUGH = [
  ...["PATH", "HOME", "USER", "LOGNAME", "SHELL"],
  ...["TERM", "COLORTERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "COLORFGBG", "COLUMNS", "LINES"],
  ...["LANG", "LANGUAGE", "LC_*", "TZ"],
  ...["EDITOR", "VISUAL", "PAGER", "LESS", "NO_COLOR", "FORCE_COLOR", "CLICOLOR*", "CI"],
  // Where toolchains are; the mount plan shows them read-only.
  ...["RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "PYENV_ROOT", "PYENV_VERSION", "VIRTUAL_ENV"],
  ...["CONDA_PREFIX", "GOROOT", "GOTOOLCHAIN", "JAVA_HOME", "NVM_DIR", "VOLTA_HOME"],
];

/** Variables of every common client that name a proxy; set in both cases. */
const PROXY_VARIABLES = [
  ...["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "GRPC_PROXY", "FTP_PROXY", "WS_PROXY", "WSS_PROXY"],
];
const OTHER_PROXY_VARIABLES = [
  ...["npm_config_proxy", "npm_config_https_proxy", "YARN_HTTP_PROXY", "YARN_HTTPS_PROXY"],
  ...["PIP_PROXY", "DOCKER_HTTP_PROXY", "DOCKER_HTTPS_PROXY"],
];

/** Variables that name a file of roots to trust besides the client's own. */
const ADDING_CA_VARIABLES = ["NODE_EXTRA_CA_CERTS", "DENO_CERT"] as const;
/** Variables that name a file of roots to trust instead of the client's own. */
const REPLACING_CA_VARIABLES = [
  "SSL_CERT_FILE", // OpenSSL, Go, rustls, Bun
  "CURL_CA_BUNDLE",
  "REQUESTS_CA_BUNDLE",
  "PIP_CERT",
  "GIT_SSL_CAINFO",
  "npm_config_cafile", // a global npmrc may set cafile, which hides NODE_EXTRA_CA_CERTS
  "CARGO_HTTP_CAINFO",
  "AWS_CA_BUNDLE",
  "HTTPLIB2_CA_CERTS",
  "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
  "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
  "NIX_SSL_CERT_FILE",
  "BUNDLE_SSL_CA_CERT",
  "CODEX_CA_CERTIFICATE",
] as const;

/** All variables that name a file of roots. */
export const CA_VARIABLES = [...REPLACING_CA_VARIABLES, ...ADDING_CA_VARIABLES];

/** What the agent's environment is made from. */
export interface EnvironmentOptions {
  readonly hostEnv: Readonly<Record<string, string>>;
  readonly profile: Profile;
  /** Further names that the operator lets through. */
  readonly passthrough: readonly string[];
  /** Home in the sandbox, and where programs are found there. */
  readonly home: string;
  readonly path: string;
  readonly sandboxId: string;
  readonly sessionId: string;
  /** Variables that hold placeholders of credentials. @default {{}} */
  readonly placeholders?: Readonly<Record<string, string>>;
  /** Whether the hooks of the workspace are sealed, so that nothing can install any. */
  readonly hooksSealed: boolean;
}

/** A variable of the agent's, and why it has it. */
export interface AgentVariable {
  readonly name: string;
  readonly value: string;
  readonly why: string;
  /** Whether the value is the host's, and may be a secret. */
  readonly ofHost: boolean;
}

/** The environment of the agent. */
export function agentEnvironment(options: EnvironmentOptions): Record<string, string> {
  return Object.fromEntries(agentVariables(options).map(({ name, value }) => [name, value]));
}

/**
 * Each variable of the agent once: what the profile passes, and over it everything that leads its
 * clients to the Sidecar and makes them trust the session's authority.
 */
export function agentVariables(options: EnvironmentOptions): AgentVariable[] {
  const variables = new Map<string, AgentVariable>();
  for (const [name, value] of Object.entries(options.hostEnv)) {
    const why = whyPassed(name, options);
    if (why !== undefined) variables.set(name, { name, value, why, ofHost: true });
  }
  for (const [why, values] of Object.entries(ownVariables(options))) {
    for (const [name, value] of Object.entries(values)) {
      variables.delete(name); // what is set last stands last
      variables.set(name, { name, value, why, ofHost: false });
    }
  }
  return [...variables.values()];
}

function whyPassed(name: string, options: EnvironmentOptions): string | undefined {
  const { profile, passthrough } = options;
  const isNamed = (patterns: readonly string[]) =>
    patterns.some((pattern) => matches(pattern, name));
  if (isNamed(PASSTHROUGH)) return "yours; it is no secret";
  if (isNamed(profile.passthrough)) return `yours; profile ${profile.id} names it`;
  return isNamed(passthrough) ? "yours; run.env_passthrough names it" : undefined;
}

/** What firma sets, by the reason for it. */
function ownVariables(options: EnvironmentOptions): Record<string, Record<string, string>> {
  const { profile, home, path, sandboxId, sessionId, hooksSealed, placeholders = {} } = options;
  return {
    "stands for a credential, which calls get on their way": { ...placeholders },
    "leads clients to the Sidecar, whose certificates they then trust": {
      ...clientVariables(PROXY, { bundle: CA_BUNDLE, extra: CA_EXTRA }),
      CLOUDSDK_PROXY_TYPE: "http",
      CLOUDSDK_PROXY_ADDRESS: "127.0.0.1",
      CLOUDSDK_PROXY_PORT: String(PROXY_PORT),
    },
    "says where things are in the sandbox": {
      HOME: home,
      PATH: path,
      GIT_CONFIG_SYSTEM: `${PUBLIC_DIR}/gitconfig`,
    },
    // `npm install` would fail where husky cannot write its hooks.
    "keeps programs from installing hooks, which are sealed": hooksSealed
      ? { HUSKY: "0", SKIP_INSTALL_SIMPLE_GIT_HOOKS: "1" }
      : {},
    "tells programs where they run": {
      FIRMA_RUN_SANDBOX_ID: sandboxId,
      FIRMA_RUN_SESSION_ID: sessionId,
      FIRMA_RUN_PROFILE: profile.id,
    },
  };
}

/** What leads clients to `proxy`, and makes them trust the roots in these two files. */
export function clientVariables(
  proxy: string,
  roots: { readonly bundle: string; readonly extra: string },
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const name of PROXY_VARIABLES) {
    variables[name] = proxy;
    variables[name.toLowerCase()] = proxy;
  }
  for (const name of OTHER_PROXY_VARIABLES) variables[name] = proxy;
  for (const name of REPLACING_CA_VARIABLES) variables[name] = roots.bundle;
  for (const name of ADDING_CA_VARIABLES) variables[name] = roots.extra;
  return {
    ...variables,
    // The agent's own servers. In a sandbox loopback is its own, so nothing gets out this way.
    NO_PROXY: LOOPBACK,
    no_proxy: LOOPBACK,
    npm_config_noproxy: LOOPBACK,
    NODE_USE_ENV_PROXY: "1",
    ELECTRON_GET_USE_PROXY: "1",
  };
}

const LOOPBACK = "localhost,127.0.0.1,::1";

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
