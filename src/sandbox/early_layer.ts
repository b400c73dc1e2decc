import { ensurePrivateDirectory } from "../config/paths.ts";
import { canBuildView, firstView } from "./first_view.ts";
import { join } from "../core/path.ts";
import { HANDOFF_SOCKET } from "./handoff.ts";
import { type OuterLayer, startOuterLayer } from "./outer_layer.ts";
import { initProgram } from "./program.ts";

/** An outer layer that starts before it is known what it is to run, or whether anything. */
export interface EarlyLayer extends AsyncDisposable {
  readonly layer: OuterLayer;
  /** What it was started with. */
  readonly bwrap: string;
  /** Ends it, and resolves when nothing of it is left. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Where a run keeps what only the outer layer may see, and meets it. */
export function handoffPlace(
  runDir: string,
): { readonly directory: string; readonly socket: string } {
  const directory = join(runDir, "private");
  return { directory, socket: join(directory, "handoff.sock") };
}

/**
 * Starts the outer layer of a run in `runDir`, shielded from what the terminal sends, with a gate;
 * `undefined` where it depends on more how that starts.
 *
 * @throws where it cannot be started.
 */
export function startEarlyLayer(bwrap: string, runDir: string): EarlyLayer | undefined {
  if (!canBuildView()) return undefined;
  const { directory, socket } = handoffPlace(runDir);
  if (!ensurePrivateDirectory(directory).ok) return undefined;
  const init = initProgram();
  const layer = startOuterLayer({
    bwrap,
    mounts: firstView(init.mounts, { kind: "bind", source: socket, target: HANDOFF_SOCKET }),
    init,
    shielded: true,
    hasGate: true,
    handoffSocket: socket,
  });
  return {
    layer,
    bwrap,
    async [Symbol.asyncDispose]() {
      layer.child.kill();
      await layer.child.ended;
    },
  };
}
