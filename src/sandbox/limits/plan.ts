import type { LimitsConfig } from "../../config/schema.ts";

/** A controller of cgroup v2. */
export type Controller = "pids" | "memory" | "cpu";

/** What holds a limit. `numbers`: the namespace of the sandbox has only so many process numbers. */
export type Means = "cgroup" | "rlimit" | "numbers" | "nothing";

/** What of a machine decides which means there are. */
export interface LimitMachine {
  /** Of a cgroup that is made for the sandbox; empty without one. */
  readonly controllers: readonly Controller[];
  readonly uid: number;
  /** Major and minor version. */
  readonly kernel: readonly [number, number];
}

/** Resource limits that each process of the agent inherits (getrlimit(2)). */
export interface Rlimits {
  readonly processes?: number;
  /** Of data: what is only reserved, as JavaScript, Java and Go do in terabytes, does not count. */
  readonly dataBytes?: number;
  readonly cpuSeconds?: number;
  readonly openFiles?: number;
}

/** A limit, and what holds it. */
export interface HeldLimit {
  readonly name: keyof LimitsConfig;
  readonly value: number;
  readonly means: Means;
}

/** How the limits of a sandbox are held. */
export interface LimitPlan {
  readonly held: readonly HeldLimit[];
  /** Files of the cgroup and what is written there. */
  readonly cgroup: Readonly<Record<string, string>>;
  readonly rlimits: Rlimits;
  /** The process numbers that the sandbox has. */
  readonly numbers?: number;
}

/** What firma runs in the sandbox beside the agent: threads of `__init`, both layers. */
const OWN_PROCESSES = 64;
/** Numbers below are not given out again once the counter has gone around. */
const RESERVED_NUMBERS = 300;
/** Quota and period of `cpu.max`, in microseconds. */
const PERIOD = 100_000;

/** The controllers that these limits are best held with. */
export function wantedControllers(limits: LimitsConfig): Controller[] {
  return [
    ...(limits.processes !== undefined ? ["pids" as const] : []),
    ...(limits.memoryBytes !== undefined ? ["memory" as const] : []),
    ...(limits.cpus !== undefined ? ["cpu" as const] : []),
  ];
}

/** Decides what holds each limit. */
export function planLimits(limits: LimitsConfig, machine: LimitMachine): LimitPlan {
  const { processes, memoryBytes, cpus, cpuTimeMs, openFiles } = limits;
  const held: HeldLimit[] = [];
  const cgroup: Record<string, string> = {};
  const rlimits: { -readonly [K in keyof Rlimits]: Rlimits[K] } = {};
  let numbers: number | undefined;
  const hold = (name: HeldLimit["name"], value: number, means: Means) => {
    held.push({ name, value, means });
    return means;
  };
  const has = (controller: Controller) => machine.controllers.includes(controller);

  if (processes !== undefined) {
    const most = processes + OWN_PROCESSES;
    const means = has("pids") ? "cgroup" : processMeans(machine);
    if (hold("processes", processes, means) === "cgroup") cgroup["pids.max"] = String(most);
    else if (means === "rlimit") rlimits.processes = most;
    else if (means === "numbers") numbers = most + RESERVED_NUMBERS;
  }
  if (memoryBytes !== undefined) {
    if (hold("memoryBytes", memoryBytes, has("memory") ? "cgroup" : "rlimit") === "cgroup") {
      cgroup["memory.max"] = String(memoryBytes);
      cgroup["memory.swap.max"] = "0";
    } else rlimits.dataBytes = memoryBytes;
  }
  if (cpus !== undefined) {
    if (hold("cpus", cpus, has("cpu") ? "cgroup" : "nothing") === "cgroup") {
      cgroup["cpu.max"] = `${Math.max(1_000, Math.round(cpus * PERIOD))} ${PERIOD}`;
    }
  }
  if (cpuTimeMs !== undefined) {
    hold("cpuTimeMs", cpuTimeMs, "rlimit");
    rlimits.cpuSeconds = Math.max(1, Math.ceil(cpuTimeMs / 1000));
  }
  if (openFiles !== undefined) {
    hold("openFiles", openFiles, "rlimit");
    rlimits.openFiles = openFiles;
  }
  return { held, cgroup, rlimits, ...(numbers !== undefined && { numbers }) };
}

/** What holds the number of processes without a cgroup. */
function processMeans({ uid, kernel }: LimitMachine): Means {
  // The kernel never counts for root, in whatever namespace. Since 5.14 it counts for each user
  // namespace by itself; before, what the user runs elsewhere would count as well.
  if (uid !== 0 && isSince(kernel, 5, 14)) return "rlimit";
  return isSince(kernel, 6, 14) ? "numbers" : "nothing";
}

function isSince([major, minor]: readonly [number, number], a: number, b: number): boolean {
  return major > a || major === a && minor >= b;
}

/** The version in a release such as `6.1.0-18-amd64`. */
export function kernelVersion(release: string): [number, number] {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return [Number(major ?? 0), Number(minor ?? 0)];
}
