import { GIVEN_UP } from "../config/permissions.ts";
import { workerPermissions } from "../sidecar/worker/permissions.ts";

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

/**
 * What each part of firma may do. `hosts` are those that the mapping names; unmapped hosts that
 * may be called, too, take away the limit (`defaultProtected` is `false`).
 */
export function permissionTable(
  { hosts, defaultProtected }: {
    readonly hosts: readonly string[];
    readonly defaultProtected: boolean;
  },
): readonly PartPermissions[] {
  return [
    { part: "command line", granted: [...ALL], withheld: [] },
    {
      part: "__init, inside the outer layer of the sandbox, which bounds it",
      granted: [...ALL],
      withheld: [],
    },
    { part: "Sidecar, once it has started", granted: without(GIVEN_UP), withheld: [...GIVEN_UP] },
    worker(hosts, defaultProtected),
    { part: "Authority, once it has started", granted: without(GIVEN_UP), withheld: [...GIVEN_UP] },
  ];
}

function worker(hosts: readonly string[], defaultProtected: boolean): PartPermissions {
  const permissions = Object.entries(workerPermissions({
    mappedHosts: hosts,
    connectors: [],
    defaultProtected,
    socketDir: "its socket directory",
    sockets: [],
  }));
  return {
    part: "data-plane worker",
    granted: permissions.filter(([, value]) => value !== false).map(([name, value]) => {
      if (value === true) return `${name}: everything`;
      const list = [...value as string[], ...(name === "net" ? ["its sockets"] : [])];
      return `${name}: ${list.join(", ")}`;
    }),
    withheld: permissions.filter(([, value]) => value === false).map(([name]) => name),
  };
}
