import { Command } from "commander";
import { stopDaemon } from "../../daemon/stop.ts";
import { parseDuration } from "../../config/units.ts";
import { ok } from "../../core/result.ts";
import { printNotice } from "../output.ts";
import { withGlobals } from "../with_globals.ts";
import { environment } from "../environment.ts";
import { refuse, type SidecarFlags } from "./project.ts";

const FAILED = 2;

const HELP = `
Calls that are on their way may take until the time-out to end; what is left then is ended.
Sandboxes that had joined have no way out any more. Exit status: 0, or 2 when something stays.

Examples:
  firma sidecar stop
  firma sidecar stop --timeout 30s
`;

/** `firma sidecar stop` */
export function stopCommand(): Command {
  return new Command("stop")
    .description("End the Sidecar that firma sidecar start has started, and its Authority.")
    .option("--timeout <duration>", "how long calls may take to end", "2s")
    .option("-c, --config <path>", "ignored: one Sidecar belongs to a state directory")
    .option("--state-dir <path>", "directory of running processes (default: FIRMA_STATE_DIR)")
    .addHelpText("after", HELP)
    .action(async (_flags: unknown, command: Command) => {
      Deno.exitCode = await stop(withGlobals(command));
    });
}

async function stop(flags: SidecarFlags & { timeout: string }): Promise<number> {
  const timeout = flags.timeout === "0" ? ok(0) : parseDuration(flags.timeout);
  if (!timeout.ok) {
    const message = `Cannot use --timeout: ${timeout.error}`;
    return refuse([{ code: "USAGE", message }], FAILED);
  }
  const stopped = await stopDaemon(environment(flags), timeout.value);
  if (!stopped.ok) return refuse([stopped.error], FAILED);
  if (stopped.value === "absent") printNotice("info", "no Sidecar runs");
  if (stopped.value === "ended") printNotice("info", "Sidecar ended");
  if (stopped.value === "killed") {
    printNotice("warn", "Sidecar killed: the last records may be missing");
  }
  return 0;
}
