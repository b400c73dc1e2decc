import { SHIELDED_SIGNALS } from "./handoff.ts";

/** A signal that ends a program which does not handle it. */
export type EndingSignal = keyof typeof SHIELDED_SIGNALS;

let atStart: ReadonlySet<EndingSignal> | undefined;

/**
 * The signals that this process was told to ignore when it was started, by `nohup` for instance;
 * what it starts is to ignore them too. To be asked for the first time before anything listens to
 * a signal: Deno takes several over then.
 */
export function ignoredSignals(): ReadonlySet<EndingSignal> {
  // Only Linux has a sandbox to hand this on to, and a file that tells.
  atStart ??= ignoredIn(
    Deno.build.os === "linux" ? Deno.readTextFileSync("/proc/self/status") : "",
  );
  return atStart;
}

/** The ignored ones of these signals, from the text of `/proc/<pid>/status`. */
export function ignoredIn(processStatus: string): ReadonlySet<EndingSignal> {
  const mask = BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)$/m.exec(processStatus)?.[1] ?? "0"}`);
  const names = Object.keys(SHIELDED_SIGNALS) as EndingSignal[];
  return new Set(names.filter((name) => (mask >> BigInt(SHIELDED_SIGNALS[name] - 1) & 1n) === 1n));
}
