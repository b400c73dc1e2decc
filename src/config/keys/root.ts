import { key, type Section, section, sectionMap, type ValueOf } from "../key.ts";
import { fault } from "../reader.ts";
import { HOME_PATH, list, NOT_EMPTY, VARIABLE } from "../value_type.ts";
import { ACTION_CLASS_LIST } from "./action_classes.ts";
import { AUTHORITY } from "./authority.ts";
import { patternsMeet } from "./host_pattern.ts";
import { credentialFaults } from "./credentials/conflicts.ts";
import { reachOf } from "./credentials/reach.ts";
import { RUN_DELETE_WATCH } from "./delete_watch.ts";
import { RUN_LOCAL_EXEC } from "./local_exec.ts";
import { LIMITS, PROFILE_LIMITS } from "./run_limits.ts";
import { SECCOMP } from "./run_seccomp.ts";
import { SIDECAR, type SidecarTable } from "./sidecar.ts";

const PROFILE = section("What an operator adds to a profile, or a profile of the operator's own", {
  commands: key(list(NOT_EMPTY, "list of names"), {
    about: "Names of programs that the profile is chosen for, beside those that it has",
    default: [],
    example: ["my-agent"],
    applies: "next run",
  }),
  env_passthrough: key(list(VARIABLE, "list of names"), {
    about: "Variables of your environment that the agent sees, beside those that the profile has",
    default: [],
    example: ["MY_AGENT_KEY"],
    applies: "next run",
  }),
  home_write: key(list(HOME_PATH, "list of paths"), {
    about: "Files and directories below your home that the agent may write, where they exist",
    default: [],
    example: [".config/my-agent"],
    applies: "next run",
  }),
  home_read: key(list(HOME_PATH, "list of paths"), {
    about: "Files and directories below your home that the agent may read, where they exist",
    default: [],
    example: [".config/gh/hosts.yml"],
    applies: "next run",
  }),
  governed: key(list(NOT_EMPTY, "list of names and paths"), {
    about: "The only programs that are decided and recorded, by name or path; copies of them too",
    otherwise: "every program",
    example: ["git", "rm", "/opt/tools/deploy"],
    applies: "next run",
  }),
  limits: PROFILE_LIMITS,
});

const RUN = section("What `firma run` prepares for an agent", {
  profile: key(NOT_EMPTY, {
    about: "One of `generic`, `claude-code`, `codex`, `copilot`, `gemini`, `opencode`, or of " +
      "`[run.profiles]`",
    otherwise: "chosen by the command",
    example: "claude-code",
    applies: "next run",
  }),
  env_passthrough: key(list(VARIABLE, "list of names"), {
    about: "Variables of your environment that the agent sees, beside those of its profile",
    default: [],
    example: ["LANG"],
    applies: "next run",
  }),
  limits: LIMITS,
  profiles: sectionMap("<id>", PROFILE),
  seccomp: SECCOMP,
  sidecar_local_exec: RUN_LOCAL_EXEC,
  delete_watch: RUN_DELETE_WATCH,
});

/** Tells whether a file is that of an Authority alone, which has no agent. */
function standsAlone(root: Readonly<Record<string, unknown>>): boolean {
  return Object.hasOwn(root, "authority") && !Object.hasOwn(root, "sidecar");
}

const SIDECAR_UNLESS_ALONE: Section<SidecarTable> = {
  ...SIDECAR,
  read: (value, path, context) =>
    SIDECAR.read(
      value,
      path,
      standsAlone(context.document.root) ? { ...context, errors: [] } : context,
    ),
};

const TABLE = section("What agents may do, and how it is enforced", {
  action_classes: ACTION_CLASS_LIST,
  authority: AUTHORITY,
  sidecar: SIDECAR_UNLESS_ALONE,
  run: RUN,
});

/** A `firma.toml` as it stands there, defaults filled in. */
export type RootTable = ValueOf<typeof TABLE>;

/** Variables that hold what no agent may see, with what that is. */
function secretVariables(
  { authority, credentials, cli_secret_providers: providers }: SidecarTable,
): ReadonlyMap<string, string> {
  const key = authority.remote?.credentials?.key;
  return new Map([
    ...credentials.flatMap((credential) =>
      reachOf(credential).secretEnv.map((name) =>
        [name, `a secret of the credential "${credential.label}"`] as const
      )
    ),
    ...providers.flatMap(({ id, envPassthrough }) =>
      envPassthrough.map((name) => [name, `what the secret store "${id}" is opened with`] as const)
    ),
    ...(key?.from === "environment" ? [[key.variable, "the pre-shared key"] as const] : []),
  ]);
}

/** All of a `firma.toml`. */
export const ROOT: Section<RootTable> & Pick<typeof TABLE, "keys"> = {
  ...TABLE,
  read(value, path, context) {
    const before = context.errors.length;
    const root = TABLE.read(value, path, context);
    if (context.errors.length > before) return root;
    for (
      const { label, key, state, cure } of credentialFaults(root.sidecar.credentials, {
        actionClasses: root.action_classes,
        bypassHosts: root.sidecar.interceptor.https_mitm.bypass_hosts,
      })
    ) fault(context, [...path, "sidecar", "credentials", label, key], state, cure);
    const { bypass_hosts: bypassed } = root.sidecar.interceptor.https_mitm;
    root.sidecar.http_secret_providers.forEach(({ host }, index) => {
      if (!bypassed.some((pattern) => patternsMeet(pattern, host))) return;
      const place = [...path, "sidecar", "http_secret_providers", index, "host"];
      const state = `TLS of "${host}" is not opened, so that nothing could be replaced`;
      fault(context, place, state, "take the host out of bypass_hosts");
    });
    const ids = root.sidecar.http_secret_providers.map(({ id }) => id);
    root.sidecar.cli_secret_providers.forEach(({ id }, index) => {
      if (!ids.includes(id)) return;
      const place = [...path, "sidecar", "cli_secret_providers", index, "provider_id"];
      fault(context, place, `"${id}" is there already`);
    });
    const secrets = secretVariables(root.sidecar);
    const passed = [
      { names: root.run.env_passthrough, at: ["run", "env_passthrough"] },
      ...[...root.run.profiles].map(([id, { env_passthrough: names }]) => ({
        names,
        at: ["run", "profiles", id, "env_passthrough"],
      })),
    ];
    for (const { names, at } of passed) {
      names.forEach((name, index) => {
        const what = secrets.get(name);
        const place = [...path, ...at, index];
        if (what !== undefined) fault(context, place, `the agent would see ${what} in "${name}"`);
      });
    }
    return root;
  },
};
