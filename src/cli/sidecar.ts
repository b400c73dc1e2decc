import { Command } from "commander";
import { environment } from "./environment.ts";
import { refuse, type SidecarFlags, sidecarProject } from "./sidecar/project.ts";
import { serve } from "./sidecar/serve.ts";
import { sessionCommand } from "./sidecar/session.ts";
import { startCommand } from "./sidecar/start.ts";
import { statusCommand } from "./sidecar/status.ts";
import { stopCommand } from "./sidecar/stop.ts";
import { unitCommand } from "./sidecar/unit.ts";
import { withGlobals } from "./with_globals.ts";

const FAILED = 1;

const HELP = `
Without a subcommand it serves in the foreground until SIGINT or SIGTERM, with an Authority of its
own unless [sidecar.authority] names another, and ends when its Sidecar does. Runs with the same
configuration join it. Exit status: 0 when it was asked to end, 1 when it failed.

Examples:
  firma sidecar start --detach     keep a Sidecar running; firma run joins it
  firma sidecar status             what runs, and for whom
  firma sidecar stop
  firma sidecar                    one in the foreground, for systemd or a container
`;

/** `firma sidecar` and its subcommands. */
export function command(): Command {
  return new Command("sidecar")
    .description("Run a Sidecar that outlives single runs, and that any number of them join.")
    .helpCommand(false)
    .option("-c, --config <path>", "configuration file (default: nearest .firma/firma.toml)")
    .option("--trust", "use the configuration whatever is in it, for CI")
    .option("--state-dir <path>", "directory of running processes (default: FIRMA_STATE_DIR)")
    .addHelpText("after", HELP)
    .addCommand(startCommand())
    .addCommand(stopCommand())
    .addCommand(statusCommand())
    .addCommand(sessionCommand())
    .addCommand(unitCommand())
    .action(async (_flags: unknown, command: Command) => {
      const flags = withGlobals<SidecarFlags>(command);
      const env = environment(flags);
      const config = sidecarProject(flags, env);
      Deno.exitCode = config.ok
        ? await serve({
          env,
          config: { ...config.value, withAuthority: false },
          restarts: false,
          startFailed: FAILED,
        })
        : refuse(config.error, FAILED);
    });
}
