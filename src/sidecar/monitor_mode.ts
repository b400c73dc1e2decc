import type { Environment } from "../config/paths.ts";
import type { Notify } from "./notices.ts";

/** Whether what policies deny is held back (`enforce`) or recorded alone (`monitor`). */
export type Mode = "enforce" | "monitor";

/** The variable whose owner takes it on himself that nothing is enforced. */
const VARIABLE = "FIRMA_ALLOW_MONITOR_MODE";

/** Whether this Sidecar may leave sessions unenforced: a file that anybody edits is not enough. */
export function isMonitorAllowed(env: Environment): boolean {
  return env[VARIABLE] === "1";
}

/**
 * The mode that holds where `wanted` is asked for. Says loudly that nothing is enforced, or that
 * everything is although somebody wanted otherwise; `what` is who is told of.
 */
export function effectiveMode(
  wanted: Mode,
  isAllowed: boolean,
  notify: Notify,
  sessionId?: string,
): Mode {
  if (wanted === "enforce") return "enforce";
  if (!isAllowed) {
    const text = `Monitor mode is refused and policies are enforced: ${VARIABLE} is not 1 in the ` +
      "environment of the Sidecar";
    notify("error", text, sessionId);
    return "enforce";
  }
  notify("warn", MONITOR_NOTICE, sessionId);
  return "monitor";
}

/** What everybody hears who starts something that is not enforced. */
export const MONITOR_NOTICE =
  "MONITOR MODE: policies are NOT ENFORCED. What they deny is recorded and goes out " +
  "all the same";
