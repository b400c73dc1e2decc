import { Command, InvalidArgumentError } from "commander";
import { escapeForTerminal } from "../core/escape.ts";
import type { Check } from "../doctor/check.ts";
import { CHECKS } from "../doctor/checks.ts";
import { examine } from "../doctor/examine.ts";
import type { NamedFinding, Status } from "../doctor/finding.ts";
import { machine } from "../doctor/machine.ts";
import { readProject } from "../doctor/project.ts";
import { exitCode, jsonReport, reportLines } from "../doctor/report.ts";
import { environment } from "./environment.ts";
import { print, printNotice, printToStderr } from "./output.ts";
import { bold, hasColours, red, yellow } from "./style.ts";
import { withGlobals } from "./with_globals.ts";

interface Flags {
  readonly config?: string;
  readonly json?: boolean;
  readonly stateDir?: string;
  readonly timeoutMs: number;
  readonly fix?: boolean;
  readonly permissions?: boolean;
}

/** When checks that are still at work are named, in milliseconds. */
const PATIENCE_MS = 1_000;
const LONGEST_MS = 60_000;

function milliseconds(text: string): number {
  const value = Number(text);
  if (/^\d{1,5}$/.test(text) && value >= 1 && value <= LONGEST_MS) return value;
  throw new InvalidArgumentError(`It is not a number of milliseconds from 1 to ${LONGEST_MS}.`);
}

/** Names on the terminal what is still at work, once that takes long. */
function progressLine(): { update(pending: readonly string[]): void; clear(): void } {
  if (!Deno.stderr.isTerminal()) return { update() {}, clear() {} };
  let pending: readonly string[] = CHECKS.map(({ category }) => category);
  let shown = false;
  const show = () => {
    shown = true;
    printToStderr(`\r\x1b[K${`checking: ${pending.join(", ")}`.slice(0, 79)}`);
  };
  const timer = setTimeout(show, PATIENCE_MS);
  return {
    update(now) {
      pending = now;
      if (shown && now.length > 0) show();
    },
    clear() {
      clearTimeout(timer);
      if (shown) printToStderr("\r\x1b[K");
    },
  };
}

async function findings(flags: Flags, checks: readonly Check[]): Promise<NamedFinding[]> {
  const env = environment(flags);
  const stop = new AbortController();
  const progress = progressLine();
  const world = machine({
    env,
    cwd: Deno.cwd(),
    configFlag: flags.config,
    timeoutMs: flags.timeoutMs,
    signal: stop.signal,
  });
  try {
    return await examine(checks, world, { onProgress: progress.update });
  } finally {
    stop.abort();
    progress.clear();
  }
}

/** Makes the repairs that there are, tells of each, and finds out what is left. */
async function mend(found: readonly NamedFinding[], flags: Flags): Promise<NamedFinding[]> {
  const mended = new Set<string>();
  for (const { category, repair } of found) {
    if (repair === undefined) continue;
    mended.add(category);
    try {
      const told = repair.apply() ?? [];
      printNotice("info", repair.done);
      for (const text of told) printNotice("warn", text);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      printNotice("error", `not ${repair.done}: ${reason}`);
    }
  }
  const again = await findings(flags, CHECKS.filter(({ category }) => mended.has(category)));
  return CHECKS.flatMap((check) =>
    (mended.has(check.category) ? again : found).filter(({ category }) =>
      category === check.category
    )
  );
}

function emphasise(text: string, status: Status): string {
  const colours = hasColours(Deno.stdout);
  if (status === "fail") return red(text, colours);
  return status === "warn" ? yellow(text, colours) : bold(text, colours);
}

async function act(flags: Flags): Promise<number> {
  if (flags.permissions) return await printPermissions(flags);
  const before = await findings(flags, CHECKS);
  const found = flags.fix ? await mend(before, flags) : before;
  if (flags.json) print(`${JSON.stringify(jsonReport(found))}\n`);
  else print(`${reportLines(found, emphasise).join("\n")}\n`);
  return exitCode(found);
}

async function printPermissions(flags: Flags): Promise<number> {
  const { permissionTable } = await import("../doctor/permissions.ts");
  const { readTable } = await import("../doctor/checks/mappings.ts");
  const project = readProject({ flag: flags.config, env: Deno.env.toObject(), cwd: Deno.cwd() });
  const loaded = project.kind === "loaded" ? project : undefined;
  const mapping = loaded && await readTable(loaded.files);
  const { isMonitorAllowed } = await import("../sidecar/monitor_mode.ts");
  const { interceptor } = loaded?.config.sidecar ?? {};
  const { hostname: host = "", port = 0 } = interceptor?.listenAddr ?? {};
  const table = permissionTable(
    {
      hosts: mapping?.ok ? mapping.value.hosts : ["the hosts of the mapping"],
      defaultProtected: loaded?.config.sidecar.mapping.defaultProtected ?? true,
      mayObserve: isMonitorAllowed(Deno.env.toObject()),
      httpProxy: interceptor?.mode === "http_proxy" ? { host, port } : undefined,
    },
    Deno.env.toObject(),
    loaded?.config.sidecar.credentials,
    loaded?.config.sidecar.cliSecretProviders,
  );
  if (flags.json) print(`${JSON.stringify({ parts: table })}\n`);
  else {
    for (const { part, granted, withheld } of table) {
      print(`${bold(part, hasColours(Deno.stdout))}\n`);
      print(`  may  ${escapeForTerminal(granted.join("; ") || "do nothing by itself")}\n`);
      if (withheld.length > 0) print(`  not  ${withheld.join(", ")}\n`);
    }
  }
  return 0;
}

const HELP = `
Changes nothing unless --fix is there; then sockets nobody listens at, directories of runs that are
gone and permissions that are too wide are mended, and each is listed. Exit status: 0 all is well,
1 something deserves a look, 2 something fails. A check that ends late says so.

Examples:
  firma doctor
  firma doctor --fix
  firma doctor --json | jq -r '.checks[] | select(.cure) | .cure'
`;

/** `firma doctor [--json] [--fix]` */
export function command(): Command {
  return new Command("doctor")
    .description("Find out why something does not work here, and what to type to cure it.")
    .option("-c, --config <path>", "configuration file (default: nearest .firma/firma.toml)")
    .option("--json", "print the findings as a JSON object")
    .option("--state-dir <directory>", "look here for what runs (default: FIRMA_STATE_DIR)")
    .option("--timeout-ms <n>", "how long an answer from the network may take", milliseconds, 500)
    .option("--fix", "mend what can be mended without loss")
    .option("--permissions", "print what each part of firma may do, instead")
    .addHelpText("after", HELP)
    .action(async (_flags: Flags, command: Command) => {
      Deno.exitCode = await act(withGlobals<Flags>(command));
    });
}
