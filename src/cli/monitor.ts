import { Command, InvalidArgumentError, Option } from "commander";
import { parseSince } from "../audit/monitor/event_filter.ts";
import { monitorLog } from "../audit/monitor/monitor.ts";
import { actionClasses, parseActionClass } from "../core/action_class.ts";
import { type Decision, DECISIONS } from "../core/decision.ts";
import { nearest } from "../core/nearest.ts";
import { useProjectClasses } from "./project_classes.ts";
import { auditLogInForce } from "./audit_log.ts";
import { print, printError, printNotice } from "./output.ts";
import { hasColours } from "./style.ts";
import { withGlobals } from "./with_globals.ts";

interface Flags {
  readonly config?: string;
  readonly file?: string;
  readonly decision?: string;
  readonly onlyDeny?: boolean;
  readonly actionClass?: string;
  readonly agent?: string;
  readonly sandboxId?: string;
  readonly since?: number;
  readonly tail?: number;
  readonly json?: boolean;
  readonly follow?: boolean;
}

const FAILED = 2;
/** With how many past events a monitor begins that goes on with new ones. */
const FIRST_LINES = 10;

function since(text: string): number {
  const at = parseSince(text, Date.now());
  if (!at.ok) throw new InvalidArgumentError(`${at.error.message}\n  cure: ${at.error.cure}`);
  return at.value;
}

function lineCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It is not a number of lines.");
  return Number(text);
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

function decisionWord(decision: Decision): string {
  return decision.toLowerCase().replace("_", "-");
}

async function act(flags: Flags): Promise<number> {
  const file = flags.file === undefined ? auditLogInForce(flags.config) : undefined;
  if (file?.ok === false) {
    file.error.forEach(printError);
    return FAILED;
  }
  const path = file?.value ?? flags.file!;
  const follow = flags.follow ?? Deno.stdout.isTerminal();
  if (!exists(path)) {
    if (!follow) {
      printError({
        code: "AUDIT_LOG_MISSING",
        message: `Cannot read the audit log "${path}": there is no such file`,
        cure: "firma run writes it; --follow waits for it",
      });
      return FAILED;
    }
    printNotice("info", `waiting for the first event in "${path}"`);
  }
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  Deno.addSignalListener("SIGINT", onSignal);
  Deno.addSignalListener("SIGTERM", onSignal);
  const decision = flags.onlyDeny
    ? "DENY"
    : DECISIONS.find((decision) => decisionWord(decision) === flags.decision);
  try {
    await monitorLog(
      {
        file: path,
        filter: {
          decision,
          actionClass: flags.actionClass,
          agentId: flags.agent,
          sandboxId: flags.sandboxId,
          sinceMs: flags.since,
        },
        json: flags.json ?? false,
        terminal: Deno.stdout.isTerminal(),
        colour: hasColours(Deno.stdout),
        tail: flags.tail ?? (follow && flags.since === undefined ? FIRST_LINES : undefined),
        follow,
      },
      (line) => print(`${line}\n`),
      stop.signal,
    );
    return 0;
  } catch (cause) {
    if (cause instanceof Deno.errors.BrokenPipe) return 0; // the reader has seen enough
    printError({
      code: "AUDIT_LOG_UNREADABLE",
      message: `Cannot read the audit log "${path}": ${
        cause instanceof Error ? cause.message : cause
      }`,
      cause,
    });
    return FAILED;
  } finally {
    Deno.removeSignalListener("SIGINT", onSignal);
    Deno.removeSignalListener("SIGTERM", onSignal);
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (cause) {
    return !(cause instanceof Deno.errors.NotFound);
  }
}

const HELP = `
Goes on with new events while it writes to a terminal. Ctrl-C ends it with status 0; status 2: the
log cannot be read.

Examples:
  firma monitor
  firma monitor --only-deny --since 1h
  firma monitor --json --no-follow | jq .resource
`;

/** `firma monitor [options]` */
export function command(): Command {
  return new Command("monitor")
    .description("Show decisions from the audit log as they are made, one a line.")
    .option("-c, --config <path>", "configuration file (default: nearest .firma/firma.toml)")
    .option("--file <path>", "read this log instead of the one in force here")
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
    .option("--json", "print the events as they are in the log")
    .option("--follow", "go on with new events though the output is not a terminal")
    .option("--no-follow", "end with the last event")
    .addHelpText("after", HELP)
    .action(async (_flags: Flags, command: Command) => {
      Deno.exitCode = await act(withGlobals<Flags>(command));
    });
}
