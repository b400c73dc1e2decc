import { basename, join, relative } from "../core/path.ts";
import { CONFIG_DIRECTORY } from "../config/discover.ts";
import type { SandboxFinding } from "../core/event.ts";
import { ok, type Result } from "../core/result.ts";
import type { DeleteWatch } from "../restore/delete_watch.ts";
import type { LossReport } from "../restore/messages.ts";
import { SEALED_PLACES } from "../sandbox/seals/places.ts";
import { SEAL_RECORD } from "../sandbox/seals/record.ts";
import type { ConfinedProcess } from "../sandbox/launch.ts";
import { LossGuard } from "./loss_guard.ts";
import type { RunInterface, RunOptions } from "./options.ts";
import type { PreparedConfig } from "./prepare.ts";
import type { SessionHost } from "./session_host.ts";

/** The posture that brings a watch. */
const POSTURE = "dev-with-delete-watch.cedar";

/** From then on it is told how far it has got, in milliseconds; and how often. */
const PROGRESS_MS = 1_000;

/** What watching the workspace of a run needs. */
export interface WorkspaceWatchOptions {
  readonly prepared: PreparedConfig;
  readonly run: RunOptions;
  readonly sandboxId: string;
  /** Directories that the agent does not see. */
  readonly sealedDirs: readonly string[];
  readonly ui: RunInterface;
}

/** What the watch of a run works on, once the agent runs. */
export interface Watched {
  /** Paths that firma has made and takes away again. */
  readonly placeholders: readonly string[];
  readonly sessionId: string;
  readonly host: Pick<SessionHost, "weigh">;
  readonly agent: Pick<ConfinedProcess, "suspend" | "resume" | "kill">;
  /** Puts on record what is lost. */
  readonly report: (finding: SandboxFinding) => void;
}

/** The watch of a run over what its agent deletes. */
export interface WorkspaceWatch extends AsyncDisposable {
  /** Settles when the agent may start. */
  readonly taken: Promise<Result<void>>;
  /** The agent starts now. */
  begin(watched: Watched): void;
  /** The agent has ended: finds out what is lost, and tells. */
  finish(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Whether a configuration wants what its agents delete to be watched. */
export function wantsDeleteWatch({ config, files }: PreparedConfig): boolean {
  return config.run.deleteWatch.enabled ??
    files.some(({ kind, path }) => kind === "policy" && basename(path) === POSTURE);
}

/** Begins to take the snapshot of a run, where its configuration wants one. */
export async function openWorkspaceWatch(
  options: WorkspaceWatchOptions,
): Promise<WorkspaceWatch | undefined> {
  if (!wantsDeleteWatch(options.prepared)) return undefined;
  const { prepared, run, sandboxId, sealedDirs, ui } = options;
  const { deleteWatch } = prepared.config.run;
  // Loaded only where there is something to watch.
  const [{ startDeleteWatch }, { describeSnapshot }] = await Promise.all([
    import("../restore/delete_watch.ts"),
    import("../restore/describe_snapshot.ts"),
  ]);
  const workspace = Deno.realPathSync(run.workspace);
  let toldMs = performance.now();
  const watch = startDeleteWatch({
    order: {
      env: run.env,
      workspace,
      id: sandboxId,
      exclude: deleteWatch.exclude,
      hidden: sealedDirs,
      placeholders: [CONFIG_DIRECTORY, ...SEALED_PLACES.map(({ path }) => path)],
      maxFileSize: deleteWatch.maxFileSize,
      maxTotalSize: deleteWatch.maxTotalSize,
      keepCount: deleteWatch.keep,
      keepMs: deleteWatch.keepMs,
    },
    onProgress(count) {
      if (performance.now() - toldMs < PROGRESS_MS) return;
      toldMs = performance.now();
      ui.tell("info", `taking a snapshot of the workspace: ${count.toLocaleString("en")} files`);
    },
  });
  const taken = watch.taken.then((header): Result<void> => {
    if (!header.ok) return header;
    ui.tell("info", describeSnapshot(header.value));
    return ok(undefined);
  });
  return new RunningWatch(watch, taken, workspace, sandboxId, ui);
}

class RunningWatch implements WorkspaceWatch {
  readonly taken: Promise<Result<void>>;
  readonly #watch: DeleteWatch;
  readonly #workspace: string;
  readonly #sandboxId: string;
  readonly #ui: RunInterface;
  #report: ((finding: SandboxFinding) => void) | undefined;
  #guard: LossGuard | undefined;
  #told = { deleted: 0, changed: 0 };

  constructor(
    watch: DeleteWatch,
    taken: Promise<Result<void>>,
    workspace: string,
    sandboxId: string,
    ui: RunInterface,
  ) {
    this.#watch = watch;
    this.taken = taken;
    this.#workspace = workspace;
    this.#sandboxId = sandboxId;
    this.#ui = ui;
  }

  begin(watched: Watched): void {
    this.#report = watched.report;
    const guard = this.#guard = new LossGuard({
      ...watched,
      ui: this.#ui,
      look: () => this.#watch.look(),
    });
    const ignored = watched.placeholders.map((path) => relative(this.#workspace, path));
    this.#watch.watch(ignored, (losses) => {
      void this.#record(losses, false);
      guard.add(losses);
    });
  }

  async finish(): Promise<void> {
    this.#guard?.end();
    const losses = await this.#watch.finish();
    if (losses === undefined) {
      const cure = `firma restore ${this.#sandboxId} --dry-run`;
      this.#ui.tell(
        "error",
        `The watch over the workspace ended early; to see what is lost: ${cure}`,
      );
      return;
    }
    await this.#record(losses, true);
    if (losses.deleted === 0) return;
    const { files } = await import("../restore/loss_findings.ts");
    const changed = losses.changed === 0
      ? ""
      : ` and changed ${losses.changed.toLocaleString("en")}`;
    this.#ui.tell(
      "warn",
      `this run deleted ${files(losses.deleted)}${changed}; what is gone comes back with: ` +
        `firma restore ${this.#sandboxId}`,
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#watch[Symbol.asyncDispose]();
  }

  async #record(losses: LossReport, isFinal: boolean): Promise<void> {
    const told = this.#told;
    this.#told = losses;
    const { lossFindings } = await import("../restore/loss_findings.ts");
    for (const finding of lossFindings(losses, told, isFinal)) this.#report?.(finding);
  }
}

/** Paths that firma has made in a workspace for the time of a run, by its record. */
export function placeholdersOf(runDirectory: string): string[] {
  try {
    const { placeholders } = JSON.parse(Deno.readTextFileSync(join(runDirectory, SEAL_RECORD)));
    return placeholders.map(({ path }: { readonly path: string }) => path);
  } catch {
    return []; // it sealed nothing
  }
}
