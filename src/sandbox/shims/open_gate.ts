import { PROXY_SOCKET } from "../handoff.ts";
import { GateUnavailable } from "../init/gate/listener.ts";
import type { GateThread } from "../init/gate/start.ts";

/** What is to be decided, and by which of the two ways it may be. */
export interface GateWishes {
  /** What firma executes before the agent's command: in the outer layer, and in the inner one. */
  readonly own: { readonly outer: readonly string[]; readonly inner: readonly string[] };
  /** The agent's `PATH`. */
  readonly path: string;
  /** How long an answer may take, in milliseconds. */
  readonly timeoutMs: number;
  /** The only programs that are decided, by name or absolute path. */
  readonly only: readonly string[] | undefined;
  /** Whether shims may do where the kernel does not ask. */
  readonly mayUseShims: boolean;
  /** Hears that shims do, and why; nothing is started before. */
  readonly onShims: (reason: string) => Promise<unknown>;
}

/**
 * Has programs decided from now on: by the kernel's questions, else by shims. Returns the mounts that
 * the inner layer needs for that, as options of bwrap.
 *
 * @throws {GateUnavailable} when neither can be, or may be.
 */
export async function openGate(gate: GateThread, wishes: GateWishes): Promise<string[]> {
  const { own, path, timeoutMs, only, mayUseShims, onShims } = wishes;
  const orders = { socket: PROXY_SOCKET, path, timeoutMs, only };
  try {
    const builders = own.outer.length;
    await gate.open({ ...orders, own: [...own.outer, ...own.inner], builders });
    return [];
  } catch (cause) {
    if (!(cause instanceof GateUnavailable) || !mayUseShims) throw cause;
    // Loaded where it is needed, which is on few machines.
    const { SHIM_PLACES, shimMounts } = await import("./places.ts");
    const shims = await gate.openShims({ ...orders, places: SHIM_PLACES, own: own.inner });
    await onShims(cause.message);
    return shimMounts(SHIM_PLACES, shims);
  }
}
