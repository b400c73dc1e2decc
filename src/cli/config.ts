import { Command } from "commander";
import { showCommand } from "./config/show.ts";
import { validateCommand } from "./config/validate.ts";
import { examples } from "./examples.ts";

/** `firma config show | validate` */
export function command(): Command {
  return new Command("config")
    .description("See and check configurations.")
    .helpCommand(false)
    .addHelpText("after", examples("firma config show", "firma config validate"))
    .addCommand(showCommand())
    .addCommand(validateCommand());
}
