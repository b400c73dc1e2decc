import { err, ok, type Result } from "../core/result.ts";
import { readUpTo, stopChild } from "./child_output.ts";
import type { ProcessNotice } from "./process_watch.ts";

/** A program, what it may know, and what it may use. */
export interface ProgramCall {
  /** Absolute. */
  readonly program: string;
  readonly args: readonly string[];
  /** All that it sees of an environment. */
  readonly env: Readonly<Record<string, string>>;
  /** More output than this is a fault, of either kind; bytes. */
  readonly maxOutput: number;
  readonly timeoutMs: number;
  /** Hears of its process group: has it ended with all that the program started. */
  readonly notify: (notice: ProcessNotice) => void;
}

/** What a program has printed, whole. */
export interface ProgramOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program in `/` to its end, without any input or terminal, and gives all that it printed. The
 * error says why there is nothing, in words of ours. What is ended is ended with all that it started,
 * but for what made itself a session of its own, as agents of gpg do.
 */
export async function runProgram(
  { program, args, env, maxOutput, timeoutMs, notify }: ProgramCall,
): Promise<Result<ProgramOutput, string>> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args: [...args],
      env: { ...env },
      clearEnv: true,
      cwd: "/",
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
  } catch (cause) {
    return err(cause instanceof Deno.errors.NotFound ? "its program does not exist" : CANNOT);
  }
  const leader = child.pid;
  notify({ type: "group-started", leader });
  const readers = [child.stdout.getReader(), child.stderr.getReader()] as const;
  let fault: string | undefined;
  const stop = (why: string) => {
    fault ??= why;
    notify({ type: "end-group", leader });
    stopChild(child, readers);
  };
  const timer = setTimeout(
    () => stop(`its program took more than ${timeoutMs / 1000} s`),
    timeoutMs,
  );
  const read = async (reader: ReadableStreamDefaultReader<Uint8Array>) => {
    const output = await readUpTo(reader, maxOutput);
    if (output === undefined) stop(`its program printed more than ${maxOutput} bytes`);
    return output;
  };
  try {
    const [stdout, stderr] = await Promise.all(readers.map(read));
    const { code, signal } = await child.status;
    if (fault !== undefined) return err(fault);
    if (signal !== null) return err(`its program was ended by ${signal}`);
    return ok({ code, stdout: decode(stdout!), stderr: decode(stderr!) });
  } catch {
    stop(CANNOT);
    return err("what its program printed is not text");
  } finally {
    clearTimeout(timer);
    notify({ type: "group-ended", leader });
  }
}

const CANNOT = "its program cannot be run";

/** @throws {TypeError} for what is no UTF-8. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}
