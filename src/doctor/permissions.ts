import { GIVEN_UP, MONITOR_GIVES_UP, SCREEN_GIVES_UP } from "../config/permissions.ts";
import { brokerPermissions } from "../broker/permissions.ts";
import type { CredentialConfig } from "../config/keys/credentials/credential.ts";
import type { Environment } from "../config/paths.ts";
import type { CliSecretProvider } from "../secrets/cli/provider.ts";
import { watchPermissions } from "../restore/permissions.ts";
import { type Reach, workerPermissions } from "../sidecar/worker/permissions.ts";

/** What a part of firma may do, in the words of Deno's permissions. */
export interface PartPermissions {
  readonly part: string;
  readonly granted: readonly string[];
  /** Permissions that it never had, or has given up for good. */
  readonly withheld: readonly string[];
}

const ALL = ["net", "read", "write", "env", "run", "ffi", "sys", "import"] as const;

function without(withheld: readonly string[]): string[] {
  return ALL.filter((name) => !withheld.includes(name));
}

/** What decides which hosts the data plane can reach. */
export interface PlaneReach extends Pick<Reach, "defaultProtected" | "mayObserve" | "httpProxy"> {
  /** Those that the mapping names. */
  readonly hosts: readonly string[];
}

/**
 * What each part of firma may do. Unmapped hosts that may be called, too, take away the limit of
 * the data plane (`defaultProtected` is `false`), and so does monitor mode where it is permitted.
 */
export function permissionTable(
  reach: PlaneReach,
  env: Environment,
  credentials: readonly CredentialConfig[] = [],
  stores: readonly CliSecretProvider[] = [],
): readonly PartPermissions[] {
  return [
    { part: "command line", granted: [...ALL], withheld: [] },
    {
      part: "__init, inside the outer layer of the sandbox, which bounds it",
      granted: [...ALL],
      withheld: [],
    },
    { part: "Sidecar, once it has started", granted: without(GIVEN_UP), withheld: [...GIVEN_UP] },
    worker(reach),
    broker(credentials, stores),
    { part: "Authority, once it has started", granted: without(GIVEN_UP), withheld: [...GIVEN_UP] },
    { part: "watch over deletions", ...listed(watchPermissions(env)) },
    // Whether a process still runs is told from /proc, which Deno opens only to who may do all.
    {
      part: "supervisor of a daemon, which sees no byte of an agent",
      granted: [...ALL],
      withheld: [],
    },
    {
      part: "monitor and its page, on loopback alone, once it has started",
      granted: without(MONITOR_GIVES_UP),
      withheld: [...MONITOR_GIVES_UP],
    },
    {
      part: "monitor on a full screen, once it has started",
      granted: without(SCREEN_GIVES_UP),
      withheld: [...SCREEN_GIVES_UP],
    },
    {
      part: "monitor's worker, which asks daemons and sees no log",
      granted: [...ALL],
      withheld: [],
    },
  ];
}

function broker(
  credentials: readonly CredentialConfig[],
  stores: readonly CliSecretProvider[],
): PartPermissions {
  return { part: "credential broker", ...listed(brokerPermissions(credentials, stores)) };
}

function worker({ hosts, ...reach }: PlaneReach): PartPermissions {
  const permissions = workerPermissions({
    mappedHosts: hosts,
    connectors: [],
    ...reach,
    socketDir: "its socket directory",
    sockets: [],
  });
  const { net } = permissions;
  const named = Array.isArray(net) ? [...net, "its sockets"] : net;
  return { part: "data-plane worker", ...listed({ ...permissions, ...named && { net: named } }) };
}

function listed(
  permissions: Deno.PermissionOptionsObject,
): Pick<PartPermissions, "granted" | "withheld"> {
  const all = Object.entries(permissions);
  return {
    granted: all.filter(([, value]) => value !== false).map(([name, value]) =>
      value === true ? `${name}: everything` : `${name}: ${[...value as string[]].join(", ")}`
    ),
    withheld: all.filter(([, value]) => value === false).map(([name]) => name),
  };
}
