import { SHIELDED_SIGNALS } from "./launch.ts";

/** `env` of GNU coreutils; busybox has another. */
const ENV = "/usr/bin/env";

const NUMBERS = { HUP: 1, INT: 2, QUIT: 3, TERM: 15 } as const;

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
  return SHIELDED_SIGNALS.filter((name) => (ignored >> BigInt(NUMBERS[name] - 1) & 1n) === 0n);
}
