import { after } from "../core/after.ts";

/** Options of {@linkcode ChangeLoop.start}. */
export interface ChangeLoopOptions {
  /** Directories whose entries are watched; they may come and go. */
  readonly directories: readonly string[];
  /** Milliseconds after which to look even when nothing was heard. */
  readonly pollMs: number;
  /** Looks at what is there now. Never called twice at once. */
  readonly look: (signal: AbortSignal) => Promise<void>;
}

interface Watch {
  readonly identity: string;
  readonly watcher: Deno.FsWatcher;
}

/**
 * Calls `look` soon after something changes in some directories. The kernel's
 * notifications make it quick; looking every so often makes it certain, because
 * notifications get lost (full queues, network file systems, a directory that
 * was replaced).
 */
export class ChangeLoop {
  readonly #options: ChangeLoopOptions;
  readonly #closing = new AbortController();
  readonly #watches = new Map<string, Watch>();
  #pending = false;
  #wake = () => {};
  #running: Promise<void> = Promise.resolve();

  private constructor(options: ChangeLoopOptions) {
    this.#options = options;
  }

  /** Starts to watch; ends with {@linkcode ChangeLoop.close}. */
  static start(options: ChangeLoopOptions): ChangeLoop {
    const loop = new ChangeLoop(options);
    loop.#arm();
    loop.#running = loop.#run();
    return loop;
  }

  /** Has it look at once. */
  poke(): void {
    this.#pending = true;
    this.#wake();
  }

  /** Stops, and resolves when nothing of it runs any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    for (const directory of [...this.#watches.keys()]) this.#disarm(directory);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#nextPoke();
      if (signal.aborted) return;
      this.#arm();
      await this.#options.look(signal);
    }
  }

  async #nextPoke(): Promise<void> {
    if (!this.#pending) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const callOff = after(this.#options.pollMs, resolve);
      await promise;
      callOff();
    }
    this.#pending = false;
  }

  #arm(): void {
    for (const directory of this.#options.directories) {
      const identity = directoryIdentity(directory);
      if (this.#watches.get(directory)?.identity === identity) continue;
      this.#disarm(directory);
      if (identity === undefined) continue;
      try {
        const watcher = Deno.watchFs(directory, { recursive: false });
        this.#watches.set(directory, { identity, watcher });
        this.#listen(watcher);
      } catch {
        // Gone again, or out of watches: looking every so often has to do.
      }
    }
  }

  #disarm(directory: string): void {
    this.#watches.get(directory)?.watcher.close();
    this.#watches.delete(directory);
  }

  async #listen(watcher: Deno.FsWatcher): Promise<void> {
    try {
      for await (const { kind } of watcher) {
        if (kind === "access") continue; // our own reading
        this.poke();
      }
    } catch {
      // A watcher that fails is like one that hears nothing.
    }
  }
}

/** What tells a directory from another that took its place. */
function directoryIdentity(directory: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(directory);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
