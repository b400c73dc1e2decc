import { Command } from "commander";
import { showCommand } from "./config/show.ts";
import { validateCommand } from "./config/validate.ts";

/** `firma config show | validate` */
export function command(): Command {
  return new Command("config")
    .description("See and check configurations.")
    .helpCommand(false)
    .addCommand(showCommand())
    .addCommand(validateCommand());
}
