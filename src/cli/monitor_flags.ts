import { type Command, InvalidArgumentError, Option } from "commander";
import { actionClasses, parseActionClass } from "../core/action_class.ts";
import { DECISIONS, decisionWord } from "../core/decision.ts";
import { nearest } from "../core/nearest.ts";
import { type EventFilter, parseSince } from "../monitor/source/event_filter.ts";
import type { ComponentSource } from "../monitor/source/entry.ts";
import { useProjectClasses } from "./project_classes.ts";

/** What `firma monitor` was asked for. */
export interface MonitorFlags {
  readonly config?: string;
  readonly file?: string;
  readonly stateDir?: string;
  readonly source: Source;
  readonly decision?: string;
  readonly onlyDeny?: boolean;
  readonly actionClass?: string;
  readonly agent?: string;
  readonly sandboxId?: string;
  readonly since?: number;
  readonly tail?: number;
  readonly json?: boolean;
  readonly format?: "pretty" | "json";
  readonly plain?: boolean;
  readonly follow?: boolean;
  readonly web?: boolean;
  readonly port?: number;
  /** `--no-open` */
  readonly open?: boolean;
}

const SOURCES = ["audit", "authority", "sidecar", "all"] as const;
type Source = typeof SOURCES[number];

const COMPONENTS: Readonly<Record<Source, readonly ComponentSource[]>> = {
  audit: [],
  authority: ["authority"],
  sidecar: ["sidecar"],
  all: ["sidecar", "authority", "supervisor"],
};

/** The components whose logs are asked for. */
export function wantedComponents({ source }: MonitorFlags): ReadonlySet<ComponentSource> {
  return new Set(COMPONENTS[source]);
}

/** Whether the audit log is asked for. */
export function wantsAudit({ source }: MonitorFlags): boolean {
  return source === "audit" || source === "all";
}

/** The filter that the flags describe. */
export function filterOf(flags: MonitorFlags): EventFilter {
  const decision = flags.onlyDeny
    ? "DENY"
    : DECISIONS.find((decision) => decisionWord(decision) === flags.decision);
  return {
    ...(decision !== undefined && { decision }),
    ...(flags.actionClass !== undefined && { actionClass: flags.actionClass }),
    ...(flags.agent !== undefined && { agentId: flags.agent }),
    ...(flags.sandboxId !== undefined && { sandboxId: flags.sandboxId }),
    ...(flags.since !== undefined && { sinceMs: flags.since }),
  };
}

/** What the flags leave of the logs, in words; `""`: everything of the audit log. */
export function scopeOf(flags: MonitorFlags): string {
  const parts = [
    flags.source === "audit" ? "" : `--source ${flags.source}`,
    flags.onlyDeny ? "--only-deny" : "",
    flags.decision === undefined ? "" : `--decision ${flags.decision}`,
    flags.actionClass === undefined ? "" : `--action-class ${flags.actionClass}`,
    flags.agent === undefined ? "" : `--agent ${flags.agent}`,
    flags.sandboxId === undefined ? "" : `--sandbox-id ${flags.sandboxId}`,
    flags.since === undefined ? "" : `--since ${new Date(flags.since).toISOString()}`,
  ];
  return parts.filter((part) => part !== "").join(" ");
}

/** Why flags do not go together, beyond what the parser knows; `undefined` when they do. */
export function contradiction(flags: MonitorFlags): string | undefined {
  if (flags.tail !== undefined && flags.follow === false) {
    return "Cannot use --tail together with --no-follow: one of them asks for the whole " +
      "log; into a pipe, --tail ends by itself";
  }
  if (flags.web && flags.follow === false) {
    return "Cannot use --web together with --no-follow: a page is live";
  }
  if (!flags.web && (flags.port !== undefined || flags.open === false)) {
    return "Cannot use --port or --no-open without --web: there is no page";
  }
}

function since(text: string): number {
  const at = parseSince(text, Date.now());
  if (!at.ok) throw new InvalidArgumentError(`${at.error.message}\n  cure: ${at.error.cure}`);
  return at.value;
}

function lineCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It is not a number of lines.");
  return Number(text);
}

function port(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= 65_535) return number;
  throw new InvalidArgumentError("It is not a port.");
}

function actionClass(text: string): string {
  // Calls that no mapping rule names have classes of this form.
  if (parseActionClass(text) || /^(raw\.http\.[A-Z]+|network\.connect)$/.test(text)) return text;
  // What a project defines is in its log; a configuration that cannot be read names nothing.
  if (useProjectClasses(undefined).ok && parseActionClass(text)) return text;
  const meant = nearest(text, actionClasses().map(({ name }) => name));
  throw new InvalidArgumentError(
    `There is no such action class.${meant ? ` (Did you mean ${meant}?)` : ""}`,
  );
}

/** Adds what chooses lines and their form. */
export function addMonitorOptions(command: Command): Command {
  return command
    .option("-c, --config <path>", "configuration file (default: nearest .firma/firma.toml)")
    .addOption(
      new Option("--source <name>", "whose log: the record of decisions, or a component's own")
        .choices(SOURCES).default("audit"),
    )
    .option("--file <path>", "read this audit log instead of the one in force here")
    .option("--state-dir <path>", "where the components that run keep their state")
    .addOption(
      new Option("--decision <word>", "only calls decided so")
        .choices(DECISIONS.map(decisionWord)).conflicts("onlyDeny"),
    )
    .option("--only-deny", "only denied calls")
    .option("--action-class <name>", "only calls of this class, such as code.write", actionClass)
    .option("--agent <id>", "only events of this agent")
    .option("--sandbox-id <id>", "only events of this sandbox")
    .option("--since <time>", "only events since then: 15m, 2h, 1d or RFC 3339", since)
    .option("--tail <lines>", "begin with so many of the last events", lineCount)
    .addOption(
      new Option("--format <form>", "lines to read, or the lines of the log")
        .choices(["pretty", "json"]).conflicts("json"),
    )
    .option("--json", "the same as --format json")
    .option("--plain", "lines, on a terminal too")
    .option("--follow", "go on with new events though the output is not a terminal")
    .option("--no-follow", "end with the last event")
    .addOption(
      new Option("--web", "show it in a browser on this machine")
        .conflicts(["json", "format", "plain", "tail"]),
    )
    .option("--port <number>", "of the page (default: one that is free)", port)
    .option("--no-open", "do not open a browser, only print the address");
}
