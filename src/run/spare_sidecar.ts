import { spawnHelper } from "../daemon/helper_process.ts";

/** The process of a Sidecar that nobody has told yet what to serve. It has done nothing. */
export type SpareSidecar = Deno.ChildProcess;

/** What a Sidecar will probably be told, so that it can load more than itself until then. */
export interface LikelyOrder {
  readonly configFile: string;
  readonly runDirectory: string;
}

/** Starts the process of a Sidecar, which loads while somebody finds out what it is to serve. */
export function spawnSidecar(
  program?: readonly [string, ...string[]],
  likely?: LikelyOrder,
): SpareSidecar {
  return spawnHelper("__sidecar", program, likely && [likely.configFile, likely.runDirectory]);
}
