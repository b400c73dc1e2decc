import type { LimitsConfig } from "../../config/schema.ts";
import { USUAL_PROCESSES } from "../../config/keys/usual_limits.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { Cgroup } from "./cgroup.ts";
import { cgroupPlace } from "./own_cgroup.ts";
import {
  type HeldLimit,
  kernelVersion,
  type LimitPlan,
  planLimits,
  type Rlimits,
  wantedControllers,
} from "./plan.ts";
import { LIMIT_KEYS } from "./say.ts";

/** What holds where nobody says otherwise. */
export const USUAL_LIMITS = { processes: USUAL_PROCESSES } as const;

/** The limits of one sandbox, ready to be joined. */
export interface HeldLimits {
  readonly plan: LimitPlan;
  /** Made for it; whoever asked removes it. */
  readonly cgroup?: Cgroup;
}

/**
 * Prepares what holds the limits of the sandbox `name`: a cgroup where one may be made, else what
 * processes inherit. Fails with `LIMIT_UNAVAILABLE` when nothing here can hold one that an
 * operator asked for; the number of processes that nobody asked for may stay open.
 */
export function holdLimits(
  limits: LimitsConfig,
  name: string,
): Result<HeldLimits> {
  const cgroup = makeCgroup(limits, name);
  const machine = { uid: Deno.uid()!, kernel: kernelVersion(Deno.osRelease()) };
  const plan = planLimits(limits, { ...machine, controllers: cgroup?.controllers ?? [] });
  const missing = plan.held.find(({ name, value, means }) =>
    means === "nothing" && !(name === "processes" && value === USUAL_LIMITS.processes)
  );
  if (missing !== undefined) {
    void cgroup?.remove();
    return err({
      code: "LIMIT_UNAVAILABLE",
      message:
        `Cannot hold the limit "${LIMIT_KEYS[missing.name]}": this machine lets firma make ` +
        "no cgroup with a controller for it",
      cure: "start firma in a scope of its own: systemd-run --user --scope -p Delegate=yes " +
        "firma run ..., or take the limit out",
    });
  }
  try {
    cgroup?.set(plan.cgroup);
  } catch (cause) {
    void cgroup?.remove();
    return err({
      code: "LIMIT_UNAVAILABLE",
      message: `Cannot hold the limits: the kernel does not take them for "${cgroup!.path}"`,
      cause,
    });
  }
  const rlimits = withinOwn(plan.rlimits);
  return ok({ plan: { ...plan, rlimits }, ...(cgroup && { cgroup }) });
}

/** One of each limit that not every machine can hold. */
const EVERYTHING: LimitsConfig = { ...USUAL_LIMITS, memoryBytes: 2 ** 40, cpus: 1 };

/** What would hold each limit of a sandbox here; asks the kernel for a cgroup that goes at once. */
export function probeLimits(): readonly HeldLimit[] {
  const cgroup = makeCgroup(EVERYTHING, `probe-${Deno.pid}`);
  void cgroup?.remove();
  return planLimits(EVERYTHING, {
    uid: Deno.uid()!,
    kernel: kernelVersion(Deno.osRelease()),
    controllers: cgroup?.controllers ?? [],
  }).held;
}

function makeCgroup(limits: LimitsConfig, name: string): Cgroup | undefined {
  const wanted = wantedControllers(limits);
  const place = cgroupPlace(readOwn("cgroup"), readOwn("mountinfo"));
  if (place === undefined || wanted.length === 0) return undefined;
  Cgroup.removeAbandoned(place.parent);
  return Cgroup.make(place.parent, name, wanted);
}

const ROWS: readonly [keyof Rlimits, row: string][] = [
  ["processes", "Max processes"],
  ["dataBytes", "Max data size"],
  ["cpuSeconds", "Max cpu time"],
  ["openFiles", "Max open files"],
];

/** Nobody may raise a limit that this process has itself. */
function withinOwn(rlimits: Rlimits): Rlimits {
  const text = readOwn("limits");
  return Object.fromEntries(ROWS.flatMap(([name, row]) => {
    const wanted = rlimits[name];
    if (wanted === undefined) return [];
    const hard = new RegExp(`^${row}\\s+\\S+\\s+(\\d+)`, "m").exec(text)?.[1];
    return [[name, Math.min(wanted, Number(hard ?? Infinity))]];
  }));
}

function readOwn(name: string): string {
  try {
    return Deno.readTextFileSync(`/proc/self/${name}`);
  } catch {
    return "";
  }
}
