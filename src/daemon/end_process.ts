import { processStart } from "./process_start.ts";

/** How often it is looked whether a process has ended, in milliseconds. */
const LOOK_MS = 10;

/** One process for good, whoever gets its number next. */
export interface ProcessId {
  readonly pid: number;
  readonly pid_start: number;
}

/** Whether it still runs. */
export function isRunning({ pid, pid_start }: ProcessId): boolean {
  return processStart(pid) === pid_start;
}

/** Waits until it has ended, at most so many milliseconds; tells whether it has. */
export async function hasEnded(process: ProcessId, milliseconds: number): Promise<boolean> {
  const until = performance.now() + milliseconds;
  while (isRunning(process)) {
    if (performance.now() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return true;
}

/** Sends a signal to it, unless it has ended. */
export function signal(process: ProcessId, name: Deno.Signal): void {
  if (!isRunning(process)) return;
  try {
    Deno.kill(process.pid, name);
  } catch {
    // It has ended just now.
  }
}

/** How long a process that was killed may take to be gone, in milliseconds. */
const KILL_MS = 5_000;

/** Ends it: asks, waits, and kills it then. Tells whether it is gone. */
export async function endProcess(process: ProcessId, graceMs: number): Promise<boolean> {
  signal(process, "SIGTERM");
  if (await hasEnded(process, graceMs)) return true;
  signal(process, "SIGKILL");
  return await hasEnded(process, KILL_MS);
}
