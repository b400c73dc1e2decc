import { Command } from "commander";
import { stateDir } from "../config/paths.ts";
import { giveUpPermissions, MONITOR_GIVES_UP, SCREEN_GIVES_UP } from "../config/permissions.ts";
import { resolve } from "../core/path.ts";
import { type FirmaError, FirmaException } from "../core/result.ts";
import { monitorLogs } from "../monitor/monitor.ts";
import { auditLogInForce } from "./audit_log.ts";
import {
  addMonitorOptions,
  contradiction,
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
const REMEMBERED = 3_000;

const STOPPING = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

async function act(flags: MonitorFlags): Promise<number> {
  const wrong = contradiction(flags);
  if (wrong !== undefined) return refuse({ code: "USAGE", message: wrong });
  const found = flags.file === undefined ? auditLogInForce(flags.config) : undefined;
  if (found?.ok === false) return refuse(...found.error);
  const file = found?.value ?? flags.file!;
  const follow = flags.follow ?? (flags.web || Deno.stdout.isTerminal());
  const isFull = follow && (flags.web || wantsScreen(flags));
  if (wantsAudit(flags) && !exists(file)) {
    if (!follow && flags.source === "audit") {
      return refuse({
        code: "AUDIT_LOG_MISSING",
        message: `Cannot read the audit log "${file}": there is no such file`,
        cure: "firma run writes it; --follow waits for it",
      });
    }
    if (follow && !isFull) printNotice("info", `waiting for the first event in "${file}"`);
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
    ...tailOf(flags, follow, isFull ? REMEMBERED : FIRST_LINES),
  };
  return await untilStopped(async (signal) => {
    if (!isFull) {
      await giveUpPermissions(MONITOR_GIVES_UP);
      return await monitorLogs({ ...logs, ...formOf(flags), follow }, printLine, signal);
    }
    const { Live } = await import("../monitor/live.ts");
    const { DaemonsWorker } = await import("../monitor/standing/daemons.ts");
    using daemons = new DaemonsWorker(env);
    const live = new Live({ ...logs, scope: scopeOf(flags), env, daemons, directory: Deno.cwd() });
    await daemons.ready;
    if (flags.web) {
      const { serveMonitor } = await import("./monitor_web.ts");
      return await serveMonitor(live, flags, signal);
    }
    await giveUpPermissions(SCREEN_GIVES_UP);
    const { runView } = await import("../monitor/view/app.ts");
    const { ownTerminal } = await import("../monitor/view/terminal.ts");
    await runView(live, ownTerminal(hasColours(Deno.stdout), print), signal);
  });
}

function formOf(flags: MonitorFlags) {
  return {
    json: flags.json ?? flags.format === "json",
    terminal: Deno.stdout.isTerminal(),
    colour: hasColours(Deno.stdout),
  };
}

function printLine(line: string): void {
  print(`${line}\n`);
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
    if (cause instanceof FirmaException) return refuse(cause.error);
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

function tailOf(flags: MonitorFlags, follow: boolean, first: number): { tail?: number } {
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
On a terminal it shows everything on one screen that is kept up to date (? there lists the keys);
into a pipe it prints lines. Ctrl-C or q ends it with status 0; status 2: the log cannot be read.

Examples:
  firma monitor                           live: what runs, what was decided, and why
  firma monitor --web                     the same in a browser, on this machine alone
  firma monitor --plain --only-deny       denials as lines, as they are made
  firma monitor --since 1h --no-follow    the last hour
  firma monitor --source all --plain      what the Sidecar and the Authority say besides
  firma monitor --json --no-follow | jq .resource
`;

/** `firma monitor [options]` */
export function command(): Command {
  return addMonitorOptions(new Command("monitor"))
    .description("Show what runs, what is decided and why, as it happens.")
    .addHelpText("after", HELP)
    .action(async (_flags: MonitorFlags, command: Command) => {
      Deno.exitCode = await act(withGlobals<MonitorFlags>(command));
    });
}
