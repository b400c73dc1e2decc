import { Command } from "commander";
import { parseDuration } from "../../config/units.ts";
import { ruleApproval, type Verdict } from "../../daemon/approvals.ts";
import { examples } from "../examples.ts";
import { print, printError } from "../output.ts";
import { withGlobals } from "../with_globals.ts";
import { chosenSockets, type TokenFlags, withTokenFlags } from "./flags.ts";
import { describe } from "./list.ts";

const STATUS = { fine: 0, failed: 1, usage: 2 } as const;

const ID = "apr_01jd8xk5w7e0v9c3b2n4m6q8rs";

interface RuleFlags extends TokenFlags {
  readonly reason?: string;
  readonly for?: string;
  readonly session?: boolean;
}

/** `firma token approve` */
export function approveCommand(): Command {
  return ruleCommand("approve", "Let what an agent asked for happen, once unless said otherwise.")
    .option("--for <duration>", "as often as it is asked within this time")
    .option("--session", "as often as it is asked while the session lasts")
    .addHelpText(
      "after",
      examples(`firma token approve ${ID}`, `firma token approve ${ID} --for 10m`),
    );
}

/** `firma token deny` */
export function denyCommand(): Command {
  return ruleCommand("deny", "Refuse what an agent asked for; asking again is no use for a while.")
    .addHelpText("after", examples(`firma token deny ${ID} --reason 'not on a Friday'`));
}

/** `firma token revoke` */
export function revokeCommand(): Command {
  return ruleCommand("revoke", "Take an approval or a denial back, or what waits off the list.")
    .addHelpText("after", examples(`firma token revoke ${ID}`));
}

function ruleCommand(verb: Verdict["verb"], description: string): Command {
  return withTokenFlags(new Command(verb))
    .description(description)
    .argument("<approval>", "its identifier, apr_…")
    .option("--reason <text>", "for the audit log; the agent is not told")
    .action(async (id: string, _flags: unknown, command: Command) => {
      Deno.exitCode = await rule(verb, id, withGlobals<RuleFlags>(command));
    });
}

async function rule(verb: Verdict["verb"], id: string, flags: RuleFlags): Promise<number> {
  const { reason, session } = flags;
  const period = flags.for === undefined ? undefined : parseDuration(flags.for);
  if (period?.ok === false) return misused(`--for: ${period.error}`);
  if (period !== undefined && session) return misused("--for and --session at once");
  const ruled = await ruleApproval(chosenSockets(flags), id, {
    verb,
    via: "cli",
    ...(reason !== undefined && { reason }),
    ...(session && { session }),
    ...(period && { forMs: period.value }),
  });
  if (!ruled.ok) {
    printError(ruled.error);
    return STATUS.failed;
  }
  print(describe(ruled.value));
  return STATUS.fine;
}

function misused(what: string): number {
  printError({ code: "USAGE", message: `Cannot use ${what}` });
  return STATUS.usage;
}
