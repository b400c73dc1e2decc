import { Command } from "commander";
import { checkProofCommand } from "./audit/check_proof.ts";
import { keysCommand } from "./audit/keys.ts";
import { proveCommand } from "./audit/prove.ts";
import { searchCommand } from "./audit/search.ts";
import { verifyCommand } from "./audit/verify.ts";
import { examples } from "./examples.ts";

/** `firma audit` */
export function command(): Command {
  return new Command("audit")
    .description("Examine the audit log.")
    .helpCommand(false)
    .addHelpText("after", examples("firma audit verify"))
    .addCommand(verifyCommand())
    .addCommand(proveCommand())
    .addCommand(checkProofCommand())
    .addCommand(keysCommand())
    .addCommand(searchCommand());
}
