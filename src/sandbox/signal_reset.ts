import { SHIELDED_SIGNALS } from "./handoff.ts";
import { type EndingSignal, ignoredSignals } from "./ignored_signals.ts";

/** `env` of GNU coreutils; busybox has another. */
export const ENV = "/usr/bin/env";

/**
 * Tells whether the layers around the agent may ignore signals: only if `env` can set them back
 * for the agent (`--default-signal`, GNU coreutils 8.31).
 */
export async function canResetSignals(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(ENV, {
      args: ["--default-signal=INT", ENV, "--version"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}

/** Which of the signals that the layers ignore the agent takes as usual. */
export function signalsToReset(): EndingSignal[] {
  const ignored = ignoredSignals();
  return (Object.keys(SHIELDED_SIGNALS) as EndingSignal[]).filter((name) => !ignored.has(name));
}
