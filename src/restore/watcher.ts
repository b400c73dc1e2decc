import type { LossReport } from "./messages.ts";
import { Losses } from "./losses.ts";
import { withRoot } from "./open_path.ts";
import type { Taken } from "./snapshot_now.ts";
import { StoredContent } from "./stored_content.ts";
import { TreeWatch } from "./tree_watch.ts";

/** How often it is asked what happened, in milliseconds. */
const EVERY_MS = 100;
/** How long a program that is at it is not looked after, so that a file may come back. */
const SETTLE_MS = 200;
/** How often everything is looked at where the kernel does not tell of all. */
const LOOK_ALL_MS = 2_000;
/** Looking takes at most a fifth of the time. */
const REST = 4;
/** How many paths a report names. */
const MOST_NAMED = 20;

/** Follows what a workspace loses while a run goes on. */
export class Watcher {
  readonly #workspace: string;
  readonly #losses: Losses;
  readonly #content: StoredContent;
  readonly #onLoss: (report: LossReport) => void;
  #tree: TreeWatch | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #stirred: Set<string> | "all" = new Set();
  #notBefore = 0;
  #lookedAllAt = 0;
  #told = { deleted: 0, changed: 0 };
  #named = new Set<string>();

  constructor(
    { manifest, store }: Taken,
    ignored: readonly string[],
    onLoss: (report: LossReport) => void,
  ) {
    this.#workspace = manifest.header.workspace;
    this.#content = new StoredContent(store, manifest.header);
    this.#losses = new Losses(manifest, this.#content, ignored);
    this.#onLoss = onLoss;
  }

  /** Begins to watch. */
  start(): void {
    try {
      this.#tree = new TreeWatch(this.#workspace);
      for (const path of this.#losses.directories()) this.#tree.add(path);
    } catch {
      this.#tree = undefined; // then everything is looked at now and then
    }
    this.#timer = setInterval(() => this.#tick(), EVERY_MS);
  }

  /** Looks at everything once more. */
  look(): LossReport {
    this.#lookAtAll();
    return this.#report();
  }

  /** Looks at everything once more, which is the truth whatever was heard, and ends. */
  finish(): LossReport {
    clearInterval(this.#timer);
    try {
      this.#lookAtAll();
      return this.#report();
    } finally {
      this.#tree?.[Symbol.dispose]();
      this.#content[Symbol.dispose]();
    }
  }

  #tick(): void {
    const now = performance.now();
    this.#hear(now);
    const isQuiet = this.#stirred !== "all" && this.#stirred.size === 0;
    if (isQuiet || now < this.#notBefore) return;
    const stirred = this.#stirred;
    this.#stirred = new Set();
    if (stirred === "all") this.#lookAtAll();
    else {
      withRoot(this.#workspace, (root) => {
        for (const path of stirred) {
          this.#losses.lookAt(root, path);
          // One that went and came back is another one to the kernel.
          this.#tree?.add(path);
        }
      });
    }
    this.#notBefore = now + SETTLE_MS + REST * (performance.now() - now);
    this.#tell();
  }

  #hear(now: number): void {
    const heard = this.#tree?.read() ?? new Set<string>();
    if (heard === "all") this.#stirred = "all";
    if (this.#tree?.isWhole !== true && now - this.#lookedAllAt > LOOK_ALL_MS) {
      this.#stirred = "all";
    }
    if (heard === "all" || this.#stirred === "all") return;
    if (this.#stirred.size === 0 && heard.size > 0) {
      this.#notBefore = Math.max(this.#notBefore, now + SETTLE_MS);
    }
    for (const path of heard) this.#stirred.add(path);
  }

  #lookAtAll(): void {
    withRoot(this.#workspace, (root) => this.#losses.lookAtAll(root));
    this.#lookedAllAt = performance.now();
  }

  #tell(): void {
    const { deleted, changed } = this.#losses;
    if (deleted === this.#told.deleted && changed === this.#told.changed) return;
    this.#onLoss(this.#report());
  }

  #report(): LossReport {
    const { deleted, changed } = this.#losses;
    this.#told = { deleted, changed };
    return {
      deleted,
      changed,
      newlyDeleted: this.#unnamed("deleted"),
      newlyChanged: this.#unnamed("changed"),
    };
  }

  /** The first paths of a fate that no report has named. */
  #unnamed(fate: "deleted" | "changed"): string[] {
    const paths = this.#losses.paths(fate, this.#named.size + MOST_NAMED)
      .filter((path) => !this.#named.has(`${fate} ${path}`))
      .slice(0, MOST_NAMED);
    for (const path of paths) this.#named.add(`${fate} ${path}`);
    return paths;
  }
}
