import type { LimitsConfig } from "../../config/schema.ts";
import type { HeldLimit, Means } from "./plan.ts";

/** How an operator writes each limit. */
export const LIMIT_KEYS: Readonly<Record<keyof LimitsConfig, string>> = {
  processes: "run.limits.processes",
  memoryBytes: "run.limits.memory",
  cpus: "run.limits.cpus",
  cpuTimeMs: "run.limits.cpu_time",
  openFiles: "run.limits.open_files",
};

const MEANS: Readonly<Record<Means, string>> = {
  cgroup: "a cgroup of the sandbox's own",
  rlimit: "resource limits (rlimits), which each process inherits",
  numbers: "the process numbers that the sandbox has",
  nothing: "nothing: it takes a cgroup here, and none can be made",
};

/** A limit as a person reads it. */
export interface DescribedLimit {
  readonly limit: string;
  readonly value: string;
  readonly held_by: string;
}

/** Says what each limit is, and what holds it. */
export function describeLimits(held: readonly HeldLimit[]): DescribedLimit[] {
  return held.map(({ name, value, means }) => ({
    limit: LIMIT_KEYS[name].replace("run.limits.", ""),
    value: valueText(name, value),
    held_by: means === "rlimit" && name === "memoryBytes"
      ? "a resource limit (rlimit) of each process by itself"
      : MEANS[means],
  }));
}

/** The value of a limit with its unit. */
export function valueText(name: keyof LimitsConfig, value: number): string {
  if (name === "memoryBytes") return sizeText(value);
  return name === "cpuTimeMs" ? `${value / 1000} s` : String(value);
}

function sizeText(bytes: number): string {
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]] as const) {
    if (bytes >= size) return `${Math.round(bytes / size * 100) / 100} ${unit}`;
  }
  return `${bytes} B`;
}
