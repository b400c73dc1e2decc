import { Command } from "commander";
import { isId } from "../../core/id.ts";
import { waitingText } from "../../audit/ship/backlog.ts";
import { escapeLinesForTerminal } from "../../core/escape.ts";
import { daemonRow, runRows, type SidecarRow } from "../../run/list_sidecars.ts";
import { print } from "../output.ts";
import { textTable } from "../policy/table.ts";
import { withGlobals } from "../with_globals.ts";
import { environment } from "../environment.ts";
import { refuse, type SidecarFlags } from "./project.ts";

const STATUS = { fine: 0, unwell: 1, failed: 2 } as const;

/** States in which nothing is wrong. */
const WELL: readonly string[] = ["running", "starting", "draining"];

const HELP = `
Exit status: 0 when all that is there is well or there is none, 1 when one is not, 2 when that
cannot be found out.

Examples:
  firma sidecar status
  firma sidecar status --daemon --json
`;

interface StatusFlags extends SidecarFlags {
  readonly json?: boolean;
  readonly daemon?: boolean;
  readonly sandboxId?: string;
}

/** `firma sidecar status` */
export function statusCommand(): Command {
  return new Command("status")
    .description("List the Sidecars that run, and the sessions that they serve.")
    .option("--json", "print a list of JSON objects, one for each Sidecar")
    .option("--daemon", "only the one that firma sidecar start has started")
    .option("--sandbox-id <id>", "only the one that serves this sandbox")
    .option("--state-dir <path>", "directory of running processes (default: FIRMA_STATE_DIR)")
    .addHelpText("after", HELP)
    .action(async (_flags: unknown, command: Command) => {
      Deno.exitCode = await status(withGlobals(command));
    });
}

async function status(flags: StatusFlags): Promise<number> {
  const { sandboxId } = flags;
  if (sandboxId !== undefined && !isId("sbx", sandboxId)) {
    const message = `Cannot use --sandbox-id "${sandboxId}": it is not a sandbox id`;
    return refuse([{ code: "USAGE", message }], STATUS.failed);
  }
  const env = environment(flags);
  const daemon = await daemonRow(env);
  if (!daemon.ok) return refuse([daemon.error], STATUS.failed);
  const runs = flags.daemon ? [] : await runRows(env);
  const rows = [...daemon.value ? [daemon.value] : [], ...runs]
    .filter((row) => sandboxId === undefined || serves(row, sandboxId));
  print(flags.json ? `${JSON.stringify(rows, null, 2)}\n` : table(rows) + sinkLines(rows));
  return rows.every(isWell) ? STATUS.fine : STATUS.unwell;
}

function serves(row: SidecarRow, sandboxId: string): boolean {
  return row.sandbox_id === sandboxId ||
    row.sessions.some((session) => session.sandbox_id === sandboxId);
}

function isWell({ state, authority, audit }: SidecarRow): boolean {
  return WELL.includes(state) && (authority === null || WELL.includes(authority.state)) &&
    !sinksOf(audit).some(({ behind }) => behind === true);
}

/** What a Sidecar says of where its audit log is shipped; nothing in it is checked. */
function sinksOf(audit: unknown): readonly Readonly<Record<string, unknown>>[] {
  const { sinks } = (audit ?? {}) as { readonly sinks?: unknown };
  return Array.isArray(sinks) ? sinks.filter((sink) => typeof sink === "object" && sink) : [];
}

/** A line for each place that the audit log is shipped to. */
function sinkLines(rows: readonly SidecarRow[]): string {
  const lines = rows.flatMap(({ pid, audit }) =>
    sinksOf(audit).map(({ sink, destination, state, waiting, behind, error }) => {
      const backlog = waitingText(Number(waiting));
      const fault = error === undefined ? "" : `: ${error}`;
      return `audit log of ${pid ?? "-"} to the ${destination} (${sink}): ${state}, ${backlog}` +
        `${behind === true ? ", too many" : ""}${fault}\n`;
    })
  );
  return escapeLinesForTerminal(lines.join(""));
}

/** One line for each session, and for each Sidecar without one. */
function table(rows: readonly SidecarRow[]): string {
  if (rows.length === 0) return "no Sidecar runs\n";
  const lines = rows.flatMap((row) => {
    const common = [row.pid ?? "-", row.state, row.listen, uptime(row.uptime_secs)];
    const sessions = row.sessions.map(({ sandbox_id, agent_id }) => [sandbox_id, agent_id]);
    const ids = sessions.length > 0 ? sessions : [[row.sandbox_id, row.agent_id]];
    return ids.map(([sandbox, agent]) =>
      [sandbox ?? "-", agent ?? "-", row.kind, ...common].map(String)
    );
  });
  const head = ["SANDBOX_ID", "AGENT", "KIND", "PID", "STATE", "LISTEN", "UPTIME"];
  return escapeLinesForTerminal(textTable([head, ...lines]));
}

function uptime(seconds: number | null): string {
  if (seconds === null) return "-";
  const units = [[86_400, "d"], [3_600, "h"], [60, "m"], [1, "s"]] as const;
  const at = units.findIndex(([size]) => seconds >= size);
  const [first, second] = at < 0 ? [units[3]!] : units.slice(at, at + 2);
  const rest = seconds % first![0];
  return `${Math.floor(seconds / first![0])}${first![1]}` +
    (second ? `${Math.floor(rest / second[0])}${second[1]}` : "");
}
