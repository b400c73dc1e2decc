import { exitName } from "../../daemon/helper_process.ts";
import { takeStopRequest } from "../../daemon/stop_request.ts";
import { type DaemonConfig, Supervisor } from "../../daemon/supervisor.ts";
import { printNotice } from "../output.ts";
import { refuse } from "./project.ts";

/** How a Sidecar in the foreground behaves. */
export interface ServeOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly config: DaemonConfig;
  /** Whether what ends by itself is started again, or ends this process too. */
  readonly restarts: boolean;
  /** The exit status when it cannot start. */
  readonly startFailed: number;
}

/** How long the last lines of the log may take, where nobody may be reading them. */
const LAST_LINES_MS = 2_000;

/** Has the audit log go to standard output, which is a process of its own's business: not the Sidecar's. */
async function printLog(logPath: string) {
  const { Shipper } = await import("../../audit/ship/shipper.ts");
  const { StdoutDestination } = await import("../../audit/ship/stdout_destination.ts");
  const destination = new StdoutDestination();
  return new Shipper({ logPath, sink: "stdout", destination, notify: printNotice });
}

/** Serves in the foreground until a signal asks to end. */
export async function serve({ startFailed, ...options }: ServeOptions): Promise<number> {
  const { promise: asked, resolve: end } = Promise.withResolvers<void>();
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, end);
  const supervisor = await Supervisor.start({ ...options, onNotice: printNotice });
  if (!supervisor.ok) return refuse([supervisor.error], startFailed);
  printNotice("info", `Sidecar ready: ${options.config.file}`);
  const { printedLog } = options.config;
  const printing = printedLog === undefined ? undefined : await printLog(printedLog);
  const exit = await Promise.race([asked, supervisor.value.ended]);
  const whole = await supervisor.value.stop(takeStopRequest(supervisor.value.paths));
  // Last, for the Sidecar has just written down that it ended.
  await printing?.close(LAST_LINES_MS);
  for (const signal of signals) Deno.removeSignalListener(signal, end);
  if (exit) {
    printNotice("error", `the Sidecar ended by itself (${exitName(exit)})`);
    return 1;
  }
  if (!whole) printNotice("error", "the last records may be missing");
  printNotice("info", "Sidecar ended");
  return whole ? 0 : 1;
}
