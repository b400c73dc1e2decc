import { Command } from "commander";
import { stateDir } from "../config/paths.ts";
import { resolve } from "../core/path.ts";
import type { FirmaError } from "../core/result.ts";
import { monitorLogs } from "../monitor/monitor.ts";
import { auditLogInForce } from "./audit_log.ts";
import {
  addMonitorOptions,
  filterOf,
  type MonitorFlags,
  scopeOf,
  wantedComponents,
  wantsAudit,
} from "./monitor_flags.ts";
import { print, printError, printNotice } from "./output.ts";
import { hasColours } from "./style.ts";
import { withGlobals } from "./with_globals.ts";

const FAILED = 2;
/** With how many past events a monitor begins that goes on with new ones. */
const FIRST_LINES = 10;
/** With how many a screen begins, on which one can go back. */
const REMEMBERED = 5_000;

const STOPPING = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

async function act(flags: MonitorFlags): Promise<number> {
  if (flags.tail !== undefined && flags.follow === false) {
    return refuse({
      code: "USAGE",
      message: "Cannot use --tail together with --no-follow: one of them asks for the whole log",
      cure: "leave out --no-follow and pipe the output, or use --since",
    });
  }
  const found = flags.file === undefined ? auditLogInForce(flags.config) : undefined;
  if (found?.ok === false) return refuse(...found.error);
  const file = found?.value ?? flags.file!;
  const follow = flags.follow ?? Deno.stdout.isTerminal();
  if (wantsAudit(flags) && !exists(file)) {
    if (!follow && flags.source === "audit") {
      return refuse({
        code: "AUDIT_LOG_MISSING",
        message: `Cannot read the audit log "${file}": there is no such file`,
        cure: "firma run writes it; --follow waits for it",
      });
    }
    if (follow && !wantsScreen(flags)) {
      printNotice("info", `waiting for the first event in "${file}"`);
    }
  }
  const env = {
    ...Deno.env.toObject(),
    ...(flags.stateDir !== undefined && { FIRMA_STATE_DIR: resolve(flags.stateDir) }),
  };
  const logs = {
    ...(wantsAudit(flags) && { auditFile: file }),
    components: wantedComponents(flags),
    stateDir: stateDir(env),
    filter: filterOf(flags),
  };
  return await untilStopped(async (signal) => {
    if (follow && wantsScreen(flags)) {
      const { runView } = await import("../monitor/view/app.ts");
      const { ownTerminal } = await import("../monitor/view/terminal.ts");
      const terminal = ownTerminal(hasColours(Deno.stdout), print);
      const options = {
        ...logs,
        ...tailOf(flags, follow, REMEMBERED),
        scope: scopeOf(flags),
        env,
        directory: Deno.cwd(),
      };
      return await runView(options, terminal, signal);
    }
    await monitorLogs(
      {
        ...logs,
        json: flags.json ?? flags.format === "json",
        terminal: Deno.stdout.isTerminal(),
        colour: hasColours(Deno.stdout),
        ...tailOf(flags, follow),
        follow,
      },
      (line) => print(`${line}\n`),
      signal,
    );
  });
}

/** Runs `body` until it ends or a signal asks it to; returns the exit status. */
async function untilStopped(body: (signal: AbortSignal) => Promise<void>): Promise<number> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const name of STOPPING) Deno.addSignalListener(name, onSignal);
  try {
    await body(stop.signal);
    return 0;
  } catch (cause) {
    if (cause instanceof Deno.errors.BrokenPipe) return 0; // the reader has seen enough
    return refuse({
      code: "LOG_UNREADABLE",
      message: `Cannot read the logs: ${cause instanceof Error ? cause.message : cause}`,
      cause,
    });
  } finally {
    for (const name of STOPPING) Deno.removeSignalListener(name, onSignal);
  }
}

/** The full screen takes a terminal on both ends that can be written to anywhere. */
function wantsScreen(flags: MonitorFlags): boolean {
  if (flags.plain || flags.json || flags.format !== undefined) return false;
  return Deno.stdout.isTerminal() && Deno.stdin.isTerminal() && Deno.env.get("TERM") !== "dumb";
}

function tailOf(flags: MonitorFlags, follow: boolean, first = FIRST_LINES): { tail?: number } {
  if (flags.tail !== undefined) return { tail: flags.tail };
  return follow && flags.since === undefined ? { tail: first } : {};
}

function refuse(...errors: readonly FirmaError[]): number {
  errors.forEach(printError);
  return FAILED;
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
  firma monitor --source all --follow     what the Sidecar and the Authority say besides
  firma monitor --json --no-follow | jq .resource
`;

/** `firma monitor [options]` */
export function command(): Command {
  return addMonitorOptions(new Command("monitor"))
    .description("Show decisions as they are made, one a line.")
    .addHelpText("after", HELP)
    .action(async (_flags: MonitorFlags, command: Command) => {
      Deno.exitCode = await act(withGlobals<MonitorFlags>(command));
    });
}
