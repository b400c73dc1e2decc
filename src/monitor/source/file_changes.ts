import { dirname } from "../../core/path.ts";

/** However the file system reports changes, look again after this long, in milliseconds. */
const POLL_MS = 500;

/**
 * Waits for changes of a file, which need not exist yet. Changes that fall
 * between two calls of {@linkcode next} are not lost.
 */
export class FileChanges {
  readonly #path: string;
  #watcher: Deno.FsWatcher | undefined;
  #changed = false;
  #wake: (() => void) | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Resolves when the file may have changed, after half a second at the latest, or on abort. */
  async next(signal: AbortSignal): Promise<void> {
    this.#watch();
    if (!this.#changed && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => resolve();
      this.#wake = wake;
      const timer = setTimeout(wake, POLL_MS);
      signal.addEventListener("abort", wake, { once: true });
      await promise;
      signal.removeEventListener("abort", wake);
      clearTimeout(timer);
      this.#wake = undefined;
    }
    this.#changed = false;
  }

  close(): void {
    this.#watcher?.close();
  }

  #watch(): void {
    if (this.#watcher !== undefined) return;
    try {
      this.#watcher = Deno.watchFs(dirname(this.#path), { recursive: false });
    } catch {
      return; // no such directory yet, or no watches left: polling goes on
    }
    this.#listen(this.#watcher);
  }

  async #listen(watcher: Deno.FsWatcher): Promise<void> {
    try {
      for await (const _ of watcher) {
        this.#changed = true;
        this.#wake?.();
      }
    } catch {
      // the watcher broke: polling goes on
    }
  }
}
