import { Command } from "commander";
import { examples } from "./examples.ts";
import { listCommand } from "./token/list.ts";
import { approveCommand, denyCommand, revokeCommand } from "./token/rule.ts";

const HELP = `
Policies with @step_up leave it to a person what an agent may do. What waits has an identifier,
apr_…, which firma run prints, the agent is told, and firma token list shows. Only who runs the
Sidecar can decide it: nothing of this is within an agent's reach.
${
  examples(
    "firma token list",
    "firma token approve apr_01jd8xk5w7e0v9c3b2n4m6q8rs",
    "firma token approve apr_01jd8xk5w7e0v9c3b2n4m6q8rs --for 10m --reason 'release day'",
    "firma token deny apr_01jd8xk5w7e0v9c3b2n4m6q8rs",
    "firma token revoke apr_01jd8xk5w7e0v9c3b2n4m6q8rs",
  )
}`;

/** `firma token` and its subcommands. */
export function command(): Command {
  return new Command("token")
    .description("Approve, deny or revoke what agents ask for.")
    .helpCommand(false)
    .addHelpText("after", HELP)
    .addCommand(listCommand())
    .addCommand(approveCommand())
    .addCommand(denyCommand())
    .addCommand(revokeCommand());
}
