import { spawnHelper } from "../daemon/helper_process.ts";

/** The process of a Sidecar that nobody has told yet what to serve. It has done nothing. */
export type SpareSidecar = Deno.ChildProcess;

/** Starts the process of a Sidecar, which loads while somebody finds out what it is to serve. */
export function spawnSidecar(program?: readonly [string, ...string[]]): SpareSidecar {
  return spawnHelper("__sidecar", program);
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
