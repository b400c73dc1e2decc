import { spawnHelper } from "../daemon/helper_process.ts";

/** The process of a Sidecar that nobody has told yet what to serve. It has done nothing. */
export type SpareSidecar = Deno.ChildProcess;

/** Starts the process of a Sidecar, which loads while somebody finds out what it is to serve. */
export function spawnSidecar(program?: readonly [string, ...string[]]): SpareSidecar {
  return spawnHelper("__sidecar", program);
}
