import { Command } from "commander";
import { escapeForTerminal } from "../../core/escape.ts";
import { type ApprovalRow, listApprovals, listAt } from "../../daemon/approvals.ts";
import { examples } from "../examples.ts";
import { print, printError } from "../output.ts";
import { withGlobals } from "../with_globals.ts";
import { chosenSockets, type TokenFlags, withTokenFlags } from "./flags.ts";

const STATUS = { fine: 0, failed: 1 } as const;

const MINUTE_MS = 60_000;

interface ListFlags extends TokenFlags {
  readonly json?: boolean;
}

/** `firma token list` */
export function listCommand(): Command {
  return withTokenFlags(new Command("list"))
    .description("List what waits for a person, and what was approved or denied and holds.")
    .option("--json", "print a JSON array")
    .addHelpText("after", examples("firma token list", "firma token list --json"))
    .action(async (_flags: unknown, command: Command) => {
      Deno.exitCode = await list(withGlobals<ListFlags>(command));
    });
}

async function list(flags: ListFlags): Promise<number> {
  const sockets = chosenSockets(flags);
  if (flags.socket !== undefined) {
    // Whoever names one wants to know when it does not answer.
    const named = await listAt(sockets[0]!);
    if (!named.ok) {
      printError(named.error);
      return STATUS.failed;
    }
  }
  const rows = await listApprovals(sockets);
  if (flags.json) print(`${JSON.stringify(rows, null, 2)}\n`);
  else print(rows.length === 0 ? "nothing waits for approval\n" : rows.map(describe).join("\n"));
  return STATUS.fine;
}

/** An approval in a few lines: what it is called and how it stands, then all there is to see. */
export function describe(row: ApprovalRow): string {
  const shown = row.shown === "" ? row.summary : row.shown;
  const lines = shown.split("\n").map((line) => `  ${escapeForTerminal(line)}\n`);
  return `${escapeForTerminal(row.approval_id)}  ${escapeForTerminal(standing(row))}\n${
    lines.join("")
  }`;
}

function standing({ state, grant, until }: ApprovalRow): string {
  const end = until === null ? "until the session ends" : `until ${left(until)}`;
  if (state === "approved") return `approved ${grant === "once" ? "once, " : ""}${end}`;
  return state === "pending" ? `waits ${end}` : `${state} ${end}`;
}

function left(until: string): string {
  const at = new Date(until);
  if (Number.isNaN(at.getTime())) return until;
  const minutes = Math.max(0, Math.ceil((at.getTime() - Date.now()) / MINUTE_MS));
  return `${at.toISOString()} (${minutes} min)`;
}
