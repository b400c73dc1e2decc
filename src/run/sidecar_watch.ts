import { join } from "../core/path.ts";
import type { RunInterface } from "./options.ts";
import type { RunDirectory } from "./run_directory.ts";
import type { SessionHost } from "./session_host.ts";

/** Watches over a Sidecar while an agent depends on it. */
export interface SidecarWatch extends Disposable {
  /** From now on an agent depends on `sidecar`. */
  attach(sidecar: SessionHost): void;
  /** From now on it may end. */
  detach(): void;
  [Symbol.dispose](): void;
  /** Whether it ended while an agent depended on it. */
  readonly died: boolean;
}

/** Keeps the log of a Sidecar that died, for the run directory goes away; returns where. */
function keepLog({ logFile }: SessionHost, directory: RunDirectory): string | undefined {
  if (logFile === undefined) return undefined;
  const kept = join(directory.path, "../../sidecar-crash.log");
  try {
    Deno.renameSync(logFile, kept);
    return Deno.realPathSync(kept);
  } catch {
    return undefined;
  }
}

/**
 * Tells the operator when the Sidecar ends before the agent does. The agent
 * goes on, without any way out: its socket leads nowhere now.
 */
export function watchSidecar(directory: RunDirectory, ui: RunInterface): SidecarWatch {
  let attached = false;
  let died = false;
  const hearEnd = (sidecar: SessionHost, exit: string) => {
    if (!attached) return;
    died = true;
    const log = keepLog(sidecar, directory);
    ui.tell(
      "error",
      `the Sidecar ended (${exit}): every call of the agent fails from now on; ` +
        `end the agent and start it again${log ? `; its log is ${log}` : ""}`,
    );
  };
  const detach = () => {
    attached = false;
  };
  return {
    attach(sidecar) {
      attached = true;
      void sidecar.exited.then((exit) => hearEnd(sidecar, exit));
    },
    detach,
    [Symbol.dispose]: detach,
    get died() {
      return died;
    },
  };
}
