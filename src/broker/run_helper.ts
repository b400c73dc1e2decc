import { err, ok, type Result } from "../core/result.ts";
import { readUpTo, stopChild } from "./child_output.ts";
import type { ProcessNotice } from "./process_watch.ts";

/** A helper program and what it may know. */
export interface HelperCall {
  /** Absolute. */
  readonly program: string;
  readonly args: readonly string[];
  /** All that it sees of an environment. */
  readonly env: Readonly<Record<string, string>>;
  /** More output than this is a fault; bytes. */
  readonly maxOutput: number;
  /**
   * Hears of its process group: has it ended with all that the helper started. @default {it has no
   * group of its own, and only the helper is ended}
   */
  readonly notify?: ((notice: ProcessNotice) => void) | undefined;
}

/**
 * Runs a helper and gives what it printed. The error says why there is nothing, in words of ours:
 * what a helper writes on standard error may hold secrets, and nobody reads it.
 */
export async function runHelper(
  { program, args, env, maxOutput, notify }: HelperCall,
  signal: AbortSignal,
): Promise<Result<string, string>> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args: [...args],
      env: { ...env },
      clearEnv: true,
      cwd: "/",
      stdin: "null",
      stdout: "piped",
      stderr: "null",
      detached: notify !== undefined,
    }).spawn();
  } catch (cause) {
    return err(`"${program}" ${whyNot(cause)}`);
  }
  const leader = child.pid;
  notify?.({ type: "group-started", leader });
  const reader = child.stdout.getReader();
  const stop = () => {
    notify?.({ type: "end-group", leader });
    stopChild(child, [reader]);
  };
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    const output = await readUpTo(reader, maxOutput);
    if (output === undefined) stop();
    const { success, code } = await child.status;
    if (signal.aborted) return err(`"${program}" took too long`);
    if (output === undefined) return err(`"${program}" printed more than ${maxOutput} bytes`);
    if (!success) return err(`"${program}" ended with exit code ${code}`);
    return ok(new TextDecoder("utf-8", { fatal: true }).decode(output));
  } catch {
    stop();
    return err(`the output of "${program}" is not text`);
  } finally {
    signal.removeEventListener("abort", stop);
    notify?.({ type: "group-ended", leader });
  }
}

function whyNot(cause: unknown): string {
  if (cause instanceof Deno.errors.NotFound) return "does not exist";
  if (cause instanceof Deno.errors.PermissionDenied) return "may not be run";
  if (cause instanceof Deno.errors.NotCapable) return "may not be run by the broker";
  return "cannot be run";
}
