import { Command } from "commander";
import { explainCommand } from "./policy/explain.ts";
import { listCommand } from "./policy/list.ts";
import { replayCommand } from "./policy/replay.ts";
import { showCommand } from "./policy/show.ts";
import { suggestCommand } from "./policy/suggest.ts";
import { testCommand } from "./policy/test.ts";
import { validateCommand } from "./policy/validate.ts";
import { examples } from "./examples.ts";

/** `firma policy list | show | validate | test | explain | replay | suggest` */
export function command(): Command {
  return new Command("policy")
    .description("See, check, test and explain policies and mappings.")
    .helpCommand(false)
    .addHelpText("after", examples("firma policy list", "firma policy validate .firma/policies"))
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(validateCommand())
    .addCommand(testCommand())
    .addCommand(explainCommand())
    .addCommand(replayCommand())
    .addCommand(suggestCommand());
}
