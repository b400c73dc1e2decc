import { Command, Option } from "commander";
import { DECISIONS, decisionWord } from "../../core/decision.ts";
import type { EventFilter } from "../../audit/search/event_filter.ts";
import { searchLog } from "../../audit/search/search_log.ts";
import type { FirmaError, Result } from "../../core/result.ts";
import { err, ok } from "../../core/result.ts";
import { parseSince } from "../../monitor/source/event_filter.ts";
import { auditLogInForce } from "../audit_log.ts";
import { print, printError } from "../output.ts";
import { textTable } from "../policy/table.ts";
import { withGlobals } from "../with_globals.ts";
import { collectedAt } from "./collected.ts";

interface Flags {
  readonly config?: string;
  readonly agent?: string;
  readonly action?: string;
  readonly decision?: string;
  readonly host?: string;
  readonly session?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: string;
  readonly json?: boolean;
  readonly authority?: string | true;
}

interface FoundEvent {
  /** Who sent it; absent in this user's own log. */
  readonly sidecar?: string;
  readonly line: string;
}

const FAILED = 2;
const MOST = 10_000;

async function search(path: string | undefined, flags: Flags): Promise<number> {
  const filter = filterOf(flags);
  const limit = limitOf(flags.limit);
  if (!filter.ok || !limit.ok) return refuse([filter, limit]);
  const found = flags.authority === undefined
    ? await searchHere(path, flags.config, filter.value, limit.value)
    : await searchThere(flags, filter.value, limit.value);
  if (!found.ok) {
    found.error.forEach(printError);
    return FAILED;
  }
  if (flags.json) { for (const { line } of found.value) print(`${line}\n`); }
  else print(found.value.length === 0 ? "no event fits\n" : table(found.value));
  return 0;
}

function refuse(results: readonly Result<unknown>[]): number {
  for (const result of results) if (!result.ok) printError(result.error);
  return FAILED;
}

type Found = Result<readonly FoundEvent[], readonly FirmaError[]>;

async function searchHere(
  path: string | undefined,
  config: string | undefined,
  filter: EventFilter,
  limit: number,
): Promise<Found> {
  const file = path === undefined ? auditLogInForce(config) : ok(path);
  if (!file.ok) return file;
  const found = await searchLog(file.value, filter, limit);
  return found.ok ? found : err([found.error]);
}

async function searchThere(flags: Flags, filter: EventFilter, limit: number): Promise<Found> {
  const url = flags.authority === true ? undefined : flags.authority;
  const options = await collectedAt(url, flags.config);
  if (!options.ok) return options;
  const { searchCollected } = await import("../../authority/client/search_client.ts");
  const found = await searchCollected(options.value, filter, limit);
  return found.ok ? found : err([found.error]);
}

function filterOf(flags: Flags): Result<EventFilter> {
  const [since, until] = [flags.since, flags.until].map((text) =>
    text === undefined ? undefined : parseSince(text, Date.now())
  );
  if (since?.ok === false) return since;
  if (until?.ok === false) return until;
  return ok({
    agent: flags.agent,
    action: flags.action,
    decision: flags.decision?.toUpperCase().replaceAll("-", "_"),
    host: flags.host?.toLowerCase(),
    session: flags.session,
    sinceMs: since?.value,
    untilMs: until?.value,
  });
}

function limitOf(text: string): Result<number> {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST) return ok(limit);
  const message = `Cannot use --limit "${text}": it is not a whole number from 1 to ${MOST}`;
  return err({ code: "USAGE", message });
}

function table(events: readonly FoundEvent[]): string {
  const areCollected = events.some(({ sidecar }) => sidecar !== undefined);
  const rows = events.map(({ sidecar, line }) => {
    const event: Readonly<Record<string, unknown>> = JSON.parse(line);
    const text = (name: string) => String(event[name] ?? "");
    return [
      text("timestamp").replace(/\.\d+Z$/, "Z"),
      ...(areCollected ? [sidecar ?? ""] : []),
      text("decision") || text("kind"),
      text("action_class") || text("change") || text("phase") || text("finding") || "-",
      text("agent_id") || "-",
      text("resource") || text("detail") || text("command") || "-",
    ];
  });
  const head = ["TIME", ...(areCollected ? ["SIDECAR"] : []), "DECISION", "ACTION", "AGENT"];
  return textTable([[...head, "RESOURCE"], ...rows]);
}

const HELP = `
Without a path, the log in force here is searched, with the files that it was rotated to. What is
found is not verified: firma audit verify does that. Exit status: 0, or 2 when nothing can be
searched.

Examples:
  firma audit search --decision deny --since 1d
  firma audit search --host '*.github.com' --action 'code.*' --json
  firma audit search --authority --agent agt_01jd8xk5w7e0v9c3b2n4m6q8rs --limit 1000
`;

/** `firma audit search [path]` */
export function searchCommand(): Command {
  return new Command("search")
    .description("Find events in an audit log, or in what an Authority has collected.")
    .argument("[path]", "the log, or its directory (default: the one in force here)")
    .option("-c, --config <path>", "configuration file")
    .option("--agent <id>", "of this agent")
    .option("--action <class>", "of this action class; code.* for all below it")
    .addOption(
      new Option("--decision <word>", "decided so").choices(DECISIONS.map(decisionWord)),
    )
    .option("--host <host>", "calls to this host; *.example.com for all below it")
    .option("--session <id>", "of this session")
    .option("--since <time>", "not before this: 15m, 2h, 1d, or RFC 3339")
    .option("--until <time>", "before this")
    .option("--limit <count>", `the last so many, at most ${MOST}`, "100")
    .option("--json", "print the lines as they stand in the log")
    .option("--authority [url]", "search what the Authority has collected (default: of --config)")
    .addHelpText("after", HELP)
    .action(async (path: string | undefined, _flags: Flags, command: Command) => {
      Deno.exitCode = await search(path, withGlobals<Flags>(command));
    });
}
