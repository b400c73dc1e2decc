import { Command } from "commander";
import { selfCommand } from "../../config/self_command.ts";
import { dirname } from "../../core/path.ts";
import { UNIT_NAME, unitFile, unitText } from "../../daemon/unit.ts";
import { print, printNotice } from "../output.ts";
import { withGlobals } from "../with_globals.ts";
import { environment } from "../environment.ts";
import { refuse, type SidecarFlags, sidecarProject } from "./project.ts";

const FAILED = 2;

const HELP = `
After --install, "systemctl --user daemon-reload" makes systemd read it, and
"systemctl --user enable --now ${UNIT_NAME}" starts it.

Examples:
  firma sidecar unit               print the unit
  firma sidecar unit --install     write it for this user
`;

/** `firma sidecar unit` */
export function unitCommand(): Command {
  return new Command("unit")
    .description("Print a user unit of systemd that runs the Sidecar of this project.")
    .option("-c, --config <path>", "configuration file (default: nearest .firma/firma.toml)")
    .option("--trust", "use the configuration whatever is in it, for CI")
    .option("--install", "write it to where systemd looks for units of this user")
    .addHelpText("after", HELP)
    .action(async (_flags: unknown, command: Command) => {
      Deno.exitCode = await unit(withGlobals(command));
    });
}

async function unit(flags: SidecarFlags & { install?: boolean }): Promise<number> {
  const env = environment(flags);
  const config = sidecarProject(flags, env);
  if (!config.ok) return refuse(config.error, FAILED);
  const text = unitText({ command: selfCommand(), configFile: config.value.file });
  if (!text.ok) return refuse([text.error], FAILED);
  if (!flags.install) {
    print(text.value);
    return 0;
  }
  const file = unitFile(env);
  if (!file.ok) return refuse([file.error], FAILED);
  await Deno.mkdir(dirname(file.value), { recursive: true });
  await Deno.writeTextFile(file.value, text.value);
  printNotice("info", `wrote ${file.value}; systemctl --user enable --now ${UNIT_NAME} starts it`);
  return 0;
}
