import { HAS_GATE, SHIELDED_SIGNALS } from "./handoff.ts";
import { spawn, type Spawned } from "./posix_spawn.ts";
import type { InitProgram } from "./program.ts";

/** What the outer layer is started from. */
export interface LayerOptions {
  /** Path of bubblewrap. */
  readonly bwrap: string;
  /** The file system that it starts in, as options of bwrap. */
  readonly mounts: readonly string[];
  readonly init: InitProgram;
  /** Whether the layers around the command ignore what the terminal sends. */
  readonly shielded: boolean;
  /** The `cgroup.procs` to join, where the sandbox has a cgroup. */
  readonly cgroupProcs?: string | undefined;
  /** Whether programs are held until they are decided. */
  readonly hasGate: boolean;
  /** Where to meet `__init`; nothing is there yet. */
  readonly handoffSocket: string;
}

/** The outer layer, with `__init` starting in it. */
export interface OuterLayer {
  readonly child: Spawned;
  /** The connection of `__init`; `undefined` where the layer ended before it came. */
  readonly met: Promise<Deno.Conn | undefined>;
}

// "$@" begins with the name of the program, so nothing in it is read as shell.
const SHIELDED = `trap "" ${Object.keys(SHIELDED_SIGNALS).join(" ")}; exec "$@"`;

const JOIN_CGROUP = `echo 0 >"$1" || exit 1; shift; `;

/** Starts the outer layer. It waits for what it is to run, and ends with this process. */
export function startOuterLayer(options: LayerOptions): OuterLayer {
  const listener = Deno.listen({ transport: "unix", path: options.handoffSocket });
  const child = spawnLayer(options);
  const met = Promise.race([listener.accept(), child.ended.then(() => undefined)])
    .finally(() => listener.close());
  met.catch(() => {}); // told where it is awaited
  return { child, met };
}

function spawnLayer(options: LayerOptions): Spawned {
  const { bwrap, mounts, init, shielded, hasGate, cgroupProcs } = options;
  const script = shielded ? SHIELDED : 'exec "$@"';
  return spawn({
    program: "/bin/sh",
    args: [
      ...(cgroupProcs === undefined
        ? ["-c", script, "sh"]
        : ["-c", JOIN_CGROUP + script, "sh", cgroupProcs]),
      ...[bwrap, "--die-with-parent"],
      // Root inside, which on the host is still this user: __init sets up the network.
      ...["--unshare-all", "--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL"],
      ...mounts,
      ...["--chdir", "/", "--", ...init.command],
    ],
    env: { ...init.environment, ...(hasGate && { [HAS_GATE]: "1" }) },
  });
}

/**
 * Moves a layer that has started, with all of its processes, into a cgroup.
 *
 * @throws where the kernel refuses that.
 */
export function moveLayer({ child }: OuterLayer, cgroupProcs: string): void {
  for (const pid of withDescendants(child.pid)) Deno.writeTextFileSync(cgroupProcs, String(pid));
}

function withDescendants(pid: number): number[] {
  const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
  return [pid, ...children.split(" ").filter(Boolean).map(Number).flatMap(withDescendants)];
}
