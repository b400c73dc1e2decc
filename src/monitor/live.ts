import type { Environment } from "../config/paths.ts";
import type { Result } from "../core/result.ts";
import type { ApprovalRow } from "../daemon/approvals.ts";
import { RowExplainer } from "./explainer.ts";
import { followEntries, type FollowOptions } from "./follow.ts";
import { Board } from "./model/board.ts";
import { matchesEntry } from "./source/entry_filter.ts";
import type { EventFilter } from "./source/event_filter.ts";
import type { Daemons } from "./standing/daemons.ts";
import { NOTHING_RUNS, type Standing } from "./standing/standing.ts";

/** How often to look at what runs, in milliseconds. */
const LOOK_MS = 1_000;

/** What to watch. */
export interface LiveOptions extends Omit<FollowOptions, "isShown" | "follow"> {
  readonly filter: EventFilter;
  /** Says what the filter leaves; `""`: everything. */
  readonly scope: string;
  readonly env: Environment;
  readonly daemons: Daemons;
  /** Where policies are looked for when a session does not say. */
  readonly directory: string;
}

/** What a view needs of what is watched. */
export interface Watched {
  readonly board: Board;
  /** What runs, as of the last look. */
  readonly standing: Standing;
  readonly explainer: Pick<RowExplainer, "explain" | "refresh" | "knownPolicies">;
  readonly options: Pick<LiveOptions, "scope" | "directory" | "env">;
  /** Says for whoever looks what becomes of something that waits. */
  rule(
    id: string,
    verb: "approve" | "deny",
    via: "monitor" | "web",
  ): Promise<Result<ApprovalRow>>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back after each change; returns how to end that. */
  onChange(listener: () => void): () => void;
}

/** What the logs and the components say, kept up to date. */
export class Live implements Watched {
  readonly board = new Board();
  readonly explainer: RowExplainer;
  readonly options: LiveOptions;
  readonly #listeners = new Set<() => void>();
  #standing: Standing = NOTHING_RUNS;

  constructor(options: LiveOptions) {
    this.options = options;
    this.explainer = new RowExplainer(options.env, options.directory);
  }

  get standing(): Standing {
    return this.#standing;
  }

  async rule(
    id: string,
    verb: "approve" | "deny",
    via: "monitor" | "web",
  ): Promise<Result<ApprovalRow>> {
    const { daemons } = this.options;
    const ruled = await daemons.rule(id, { verb, via });
    this.#standing = await daemons.look();
    this.#tell();
    return ruled;
  }

  now(): number {
    return Date.now();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keeps up to date until `signal` aborts. Rejects when a log cannot be read. */
  async run(signal: AbortSignal): Promise<void> {
    const { filter } = this.options;
    const looking = this.#lookAgainAndAgain(signal);
    await followEntries(
      {
        ...this.options,
        sinceMs: filter.sinceMs,
        isShown: (entry) => matchesEntry(filter, entry),
        follow: true,
      },
      (entry) => {
        if (!matchesEntry(filter, entry)) return;
        this.board.add(entry);
        this.#tell();
      },
      signal,
    );
    await looking;
  }

  async #lookAgainAndAgain(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#standing = await this.options.daemons.look();
      this.#tell();
      await waitUnless(signal, LOOK_MS);
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Waits so long, or until `signal` aborts. */
export async function waitUnless(signal: AbortSignal, milliseconds: number): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  const timer = setTimeout(end, milliseconds);
  signal.addEventListener("abort", end, { once: true });
  await promise;
  signal.removeEventListener("abort", end);
  clearTimeout(timer);
}
