import { SHIELDED_SIGNALS } from "./handoff.ts";

/** `env` of GNU coreutils; busybox has another. */
const ENV = "/usr/bin/env";

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

/** Which of the ignored signals the agent takes as usual: not those that were ignored before (nohup). */
export function signalsToReset(processStatus: string): string[] {
  const ignored = BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)$/m.exec(processStatus)?.[1] ?? "0"}`);
  return Object.entries(SHIELDED_SIGNALS)
    .filter(([, number]) => (ignored >> BigInt(number - 1) & 1n) === 0n)
    .map(([name]) => name);
}
