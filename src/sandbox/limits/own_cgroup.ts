import { dirname, join } from "../../core/path.ts";

/** Where a cgroup of ours may be made, and what it takes to get there. */
export interface CgroupPlace {
  /** The directory that the new one is made in. */
  readonly parent: string;
}

/**
 * Where a cgroup beside that of a process may lie, from the texts of its `/proc/<pid>/cgroup` and
 * `/proc/<pid>/mountinfo`; `undefined` where it has none of version 2. Beside it and not in it:
 * a cgroup that hands controllers down must hold no process itself. Only the root may.
 */
export function cgroupPlace(cgroup: string, mountinfo: string): CgroupPlace | undefined {
  const own = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  if (own === undefined) return undefined;
  for (const line of mountinfo.split("\n")) {
    const [fields = "", source = ""] = line.split(" - ");
    if (!source.startsWith("cgroup2 ")) continue;
    const [, , , root = "/", mountPoint] = fields.split(" ");
    if (mountPoint === undefined) continue;
    const above = dirname(own);
    if (above === root) return { parent: mountPoint };
    if (root === "/") return { parent: join(mountPoint, above) };
    if (above.startsWith(`${root}/`)) {
      return { parent: join(mountPoint, above.slice(root.length)) };
    }
  }
  return undefined;
}
