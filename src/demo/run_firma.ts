import type { Stage } from "./stage.ts";

/** The words that start a program. */
export type Words = readonly [string, ...string[]];

/** How a command of firma ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How long what was interrupted may take to put away what it started, in milliseconds. */
const END_PATIENCE_MS = 10_000;

/** Runs firma on the stage of a demo to its end; an abort ends it, and what it started. */
export async function runFirma(
  args: readonly string[],
  { self, stage, signal }: {
    readonly self: Words;
    readonly stage: Stage;
    readonly signal: AbortSignal;
  },
): Promise<Ended> {
  if (signal.aborted) return { code: 1, stdout: "", stderr: "" };
  const [program, ...words] = self;
  const child = new Deno.Command(program, {
    args: [...words, ...args],
    cwd: stage.workspace,
    clearEnv: true,
    env: { ...stage.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let patience: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    kill(child, "SIGTERM");
    patience = setTimeout(() => kill(child, "SIGKILL"), END_PATIENCE_MS);
  };
  signal.addEventListener("abort", end, { once: true });
  try {
    const { code, stdout, stderr } = await child.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  } finally {
    signal.removeEventListener("abort", end);
    clearTimeout(patience);
  }
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause; // it has ended already
  }
}
