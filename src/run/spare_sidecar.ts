import { selfCommand } from "../config/self_command.ts";

/** The process of a Sidecar that nobody has told yet what to serve. It has done nothing. */
export type SpareSidecar = Deno.ChildProcess;

/**
 * Starts the process of a Sidecar, which loads while somebody finds out what it is to serve.
 * It runs in a process group of its own, so that Ctrl-C at the terminal reaches the agent
 * alone; its standard input stays open, and it ends when that closes, however this process dies.
 */
export function spawnSidecar(
  program: readonly [string, ...string[]] = selfCommand(),
): SpareSidecar {
  const [executable, ...prefix] = program;
  return new Deno.Command(executable, {
    args: [...prefix, "__sidecar"],
    // Without the first, only Mozilla's roots count, and a company's own CA does not.
    env: { DENO_TLS_CA_STORE: "system,mozilla", NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
}

/** Ends a spare that turned out not to be needed. */
export async function dismissSpare(spare: SpareSidecar): Promise<void> {
  try {
    spare.kill("SIGKILL");
  } catch {
    // It is gone already.
  }
  await Promise.all([spare.stdin.abort(), spare.stdout.cancel(), spare.stderr.cancel()])
    .catch(() => {});
  await spare.status;
}
