import type { Environment } from "../config/paths.ts";
import type { Id } from "../core/id.ts";
import { type EarlyLayer, startEarlyLayer } from "../sandbox/early_layer.ts";
import { rememberedBwrap } from "../sandbox/known_tools.ts";
import { createRunDirectory, type RunDirectory } from "./run_directory.ts";
import { RunSignals } from "./signals.ts";

/** The sandbox of a run of which nothing is known yet but that there will probably be one. */
export interface EarlySandbox extends AsyncDisposable {
  readonly sandboxId: Id<"sbx">;
  readonly signals: RunSignals;
  readonly directory: RunDirectory;
  readonly layer: EarlyLayer;
  /** Ends it and removes the directory. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts the outer layer of a run, which boots while the run finds out what it is to start. From
 * then on signals are taken, so that whatever ends the run, nothing is left behind. `undefined`
 * where the layer is better started later: by whoever finds out why, and says so.
 */
export function startEarlySandbox(
  sandboxId: Id<"sbx">,
  env: Environment,
): EarlySandbox | undefined {
  using begun = new DisposableStack();
  try {
    const bwrap = rememberedBwrap(env);
    if (bwrap === undefined) return undefined;
    const signals = begun.use(new RunSignals());
    const made = createRunDirectory(sandboxId, env);
    if (!made.ok) return undefined;
    const directory = begun.use(made.value);
    const layer = startEarlyLayer(bwrap, directory.path);
    if (layer === undefined) return undefined;
    const held = begun.move();
    return {
      sandboxId,
      signals,
      directory,
      layer,
      async [Symbol.asyncDispose]() {
        await layer[Symbol.asyncDispose]();
        held.dispose();
      },
    };
  } catch {
    return undefined;
  }
}
