import { Command } from "commander";
import { startDetached } from "../../daemon/start.ts";
import { printNotice } from "../output.ts";
import { withGlobals } from "../with_globals.ts";
import { environment } from "../environment.ts";
import { refuse, type SidecarFlags, sidecarProject } from "./project.ts";
import { serve } from "./serve.ts";

const FAILED = 2;

const HELP = `
What ends by itself is started again. Where [authority] says listen_addr, the Authority is started
too, as a process of its own. Exit status: 0, or 2 when it cannot start.

Examples:
  firma sidecar start --detach     and leave the terminal
  firma sidecar start              stay in the foreground, until Ctrl-C
`;

/** `firma sidecar start` */
export function startCommand(): Command {
  return new Command("start")
    .description("Start a Sidecar that any number of runs join, and keep it running.")
    .option("-c, --config <path>", "configuration file (default: nearest .firma/firma.toml)")
    .option("--detach", "run in the background, and return when it serves")
    .option("--trust", "use the configuration whatever is in it, for CI")
    .option("--state-dir <path>", "directory of running processes (default: FIRMA_STATE_DIR)")
    .addHelpText("after", HELP)
    .action(async (_flags: unknown, command: Command) => {
      Deno.exitCode = await start(withGlobals(command));
    });
}

async function start(flags: SidecarFlags & { detach?: boolean }): Promise<number> {
  const env = environment(flags);
  const config = sidecarProject(flags, env);
  if (!config.ok) return refuse(config.error, FAILED);
  if (!flags.detach) {
    return await serve({ env, config: config.value, restarts: true, startFailed: FAILED });
  }
  const started = await startDetached(env, config.value);
  if (!started.ok) return refuse([started.error], FAILED);
  printNotice("info", `Sidecar started, kept running by process ${started.value.pid}`);
  return 0;
}
