import { Command } from "commander";
import { addCommand } from "./credentials/add.ts";
import { listCommand } from "./credentials/list.ts";
import { removeCommand } from "./credentials/remove.ts";
import { testCommand } from "./credentials/test.ts";
import { examples } from "./examples.ts";

/** `firma credentials add | list | test | remove` */
export function command(): Command {
  return new Command("credentials")
    .description("Give calls credentials that agents never hold.")
    .helpCommand(false)
    .addHelpText("after", examples("firma credentials add github", "firma credentials test"))
    .addCommand(addCommand())
    .addCommand(listCommand())
    .addCommand(testCommand())
    .addCommand(removeCommand());
}
