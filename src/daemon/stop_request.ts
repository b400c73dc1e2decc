import { join } from "../core/path.ts";
import type { DaemonPaths } from "./state.ts";

/** How long calls may take to end when nobody says otherwise, in milliseconds. */
export const DEFAULT_DRAIN_MS = 2_000;
/** Longer than anybody waits. */
const LONGEST_DRAIN_MS = 24 * 3_600_000;

function requestFile({ directory }: DaemonPaths): string {
  return join(directory, "stop-request");
}

/** Leaves for a supervisor how long calls may take to end; the signal to stop comes after. */
export function requestStop(paths: DaemonPaths, drainMs: number): void {
  Deno.writeTextFileSync(requestFile(paths), String(drainMs), { mode: 0o600 });
}

/** Takes what was left; the usual time where nothing was, or nothing that could be meant. */
export function takeStopRequest(paths: DaemonPaths): number {
  const file = requestFile(paths);
  try {
    const text = Deno.readTextFileSync(file);
    Deno.removeSync(file);
    const asked = Number(text);
    return text !== "" && asked >= 0 && asked <= LONGEST_DRAIN_MS ? asked : DEFAULT_DRAIN_MS;
  } catch {
    return DEFAULT_DRAIN_MS;
  }
}
