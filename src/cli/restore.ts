import { Command } from "commander";
import { escapeForTerminal } from "../core/escape.ts";
import type { FirmaError } from "../core/result.ts";
import { describeOne, size } from "../restore/describe_snapshot.ts";
import { files } from "../restore/loss_findings.ts";
import type { SnapshotHeader } from "../restore/manifest.ts";
import { type Restored, restoreSnapshot } from "../restore/restore_snapshot.ts";
import { allSnapshots } from "../restore/store.ts";
import { environment } from "./environment.ts";
import { examples } from "./examples.ts";
import { print, printError, printNotice } from "./output.ts";

const STATUS = { fine: 0, failed: 1 } as const;

/** How often it is told how far it has got, in milliseconds. */
const PROGRESS_MS = 1_000;
/** How many of the paths that did not come back are named. */
const MOST_NAMED = 10;

const HELP = `
With the posture dev-with-delete-watch, firma run takes a snapshot of the workspace before the agent
starts. Without arguments, the snapshots are listed. With the identifier of a run, what the agent
deleted comes back; what was overwritten only with --force, for somebody may have gone on with it.
Nothing that is new is removed. Exit status: 0 when everything that was asked for is back, 1 when
not.
${
  examples(
    "firma restore",
    "firma restore last --dry-run",
    "firma restore sbx_01jd8xk5w7e0v9c3b2n4m6q8rs",
    "firma restore sbx_01jd8xk5w7e0v9c3b2n4m6q8rs src docs/notes.md --force",
  )
}`;

interface RestoreFlags {
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `firma restore [sandbox-id] [paths...]` */
export function command(): Command {
  return new Command("restore")
    .description("Bring back what an agent deleted or overwrote.")
    .argument("[sandbox-id]", "run whose snapshot is to be used, or last: the last one here")
    .argument("[paths...]", "files and directories to bring back (default: all)")
    .option("--dry-run", "tell what would be done, and do nothing")
    .option("--force", "replace what is not what it was, too")
    .option("--json", "print one JSON object")
    .addHelpText("after", HELP)
    .action((id: string | undefined, paths: string[], flags: RestoreFlags) => {
      Deno.exitCode = Deno.build.os !== "linux"
        ? failed(notHere())
        : id === undefined
        ? list(flags)
        : restore(id, paths, flags);
    });
}

function notHere(): FirmaError {
  return {
    code: "NO_SNAPSHOT",
    message: "Cannot restore: snapshots are taken of workspaces in a sandbox, which only Linux has",
  };
}

function failed(error: FirmaError): number {
  printError(error);
  return STATUS.failed;
}

function list({ json }: RestoreFlags): number {
  const headers = allSnapshots(environment({})).map(({ header }) => header);
  if (json) print(printable({ snapshots: headers.map(headerRow) }));
  else print(headers.length === 0 ? "there is no snapshot\n" : headers.map(headerLine).join(""));
  return STATUS.fine;
}

function headerLine(header: SnapshotHeader): string {
  const { id, takenMs, bytes, workspace, unprotectedCount } = header;
  const taken = new Date(takenMs).toISOString().replace(/\.\d+/, "");
  const not = unprotectedCount === 0 ? "" : `, ${unprotectedCount.toLocaleString("en")} not in it`;
  const line = `${id}  ${taken}  ${files(header.files + header.links)}, ${
    size(bytes)
  }${not}  ${workspace}`;
  return `${escapeForTerminal(line)}\n`;
}

function headerRow(header: SnapshotHeader): Readonly<Record<string, unknown>> {
  return {
    sandbox_id: header.id,
    workspace: header.workspace,
    taken_at: new Date(header.takenMs).toISOString(),
    files: header.files,
    directories: header.directories,
    links: header.links,
    bytes: header.bytes,
    unprotected: header.unprotected,
    unprotected_count: header.unprotectedCount,
  };
}

function restore(id: string, paths: readonly string[], flags: RestoreFlags): number {
  const { force = false, dryRun = false, json = false } = flags;
  let toldMs = performance.now();
  const restored = restoreSnapshot({
    env: environment({}),
    id,
    cwd: Deno.cwd(),
    paths,
    force,
    dryRun,
    onProgress(done, total) {
      if (performance.now() - toldMs < PROGRESS_MS) return;
      toldMs = performance.now();
      const [some, all] = [done, total].map((count) => count.toLocaleString("en"));
      printNotice("info", `bringing back: ${some} of ${all}`);
    },
  });
  if (!restored.ok) return failed(restored.error);
  if (json) {
    const { header, ...back } = restored.value;
    const { sandbox_id, workspace, taken_at } = headerRow(header);
    print(printable({ sandbox_id, workspace, taken_at, dry_run: dryRun, ...back }));
  } else tell(restored.value, dryRun);
  return restored.value.failed.length > 0 ? STATUS.failed : STATUS.fine;
}

function tell({ header, restored, replaced, changed, failed }: Restored, dryRun: boolean): void {
  if (dryRun) {
    for (const path of restored) print(line(`would bring back ${path}`));
    for (const path of replaced) print(line(`would replace ${path}`));
  } else if (restored.length + replaced.length > 0) {
    const over = replaced.length === 0 ? "" : `, replaced ${replaced.length.toLocaleString("en")}`;
    print(
      line(`brought back ${restored.length.toLocaleString("en")}${over} in ${header.workspace}`),
    );
  } else if (changed.length + failed.length === 0) print("nothing is lost\n");
  for (const path of changed.slice(0, MOST_NAMED)) print(line(`changed since: ${path}`));
  if (changed.length > MOST_NAMED) print(`and ${changed.length - MOST_NAMED} more\n`);
  if (changed.length > 0) print(`--force puts back what has changed as it was\n`);
  for (const { path, reason } of failed.slice(0, MOST_NAMED)) {
    printNotice("error", `Cannot bring back "${path}": ${reason}`);
  }
  if (failed.length > MOST_NAMED) {
    printNotice("error", `Cannot bring back ${failed.length - MOST_NAMED} more`);
  }
  const { unprotected, unprotectedCount } = header;
  if (dryRun && unprotectedCount > 0) {
    for (const one of unprotected) print(line(`not in the snapshot: ${describeOne(one)}`));
    const more = unprotectedCount - unprotected.length;
    if (more > 0) print(`and ${more} more\n`);
  }
}

function line(text: string): string {
  return `${escapeForTerminal(text)}\n`;
}

/** What JSON leaves as it is and a terminal would obey, as JSON may write it as well. */
const OBEYED = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function printable(value: unknown): string {
  const escaped = (character: string) =>
    `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return `${JSON.stringify(value, null, 2).replace(OBEYED, escaped)}\n`;
}
