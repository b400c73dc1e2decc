import { createHash } from "node:crypto";
import { dirname } from "../core/path.ts";
import { ChangeLoop } from "./change_loop.ts";
import { delay } from "../core/delay.ts";

const SETTLE_MS = 100;
const POLL_MS = 500;

/** Tells when any of some files has changed, once two reads 100 ms apart agree. */
export class FileWatch {
  readonly #files: readonly string[];
  readonly #onChange: () => void | Promise<void>;
  #seen: string;
  #loop: ChangeLoop | undefined;

  private constructor(files: readonly string[], seen: string, onChange: () => void) {
    this.#files = files;
    this.#seen = seen;
    this.#onChange = onChange;
  }

  /** Starts to watch; `onChange` is never called while an earlier call runs. */
  static start(files: readonly string[], onChange: () => void | Promise<void>): FileWatch {
    const watch = new FileWatch(files, fingerprint(files), onChange);
    watch.#loop = ChangeLoop.start({
      directories: [...new Set(files.map((file) => dirname(file)))],
      pollMs: POLL_MS,
      look: (signal) => watch.#look(signal),
    });
    return watch;
  }

  /** Stops watching. */
  async close(): Promise<void> {
    await this.#loop?.close();
  }

  async #look(signal: AbortSignal): Promise<void> {
    let state = fingerprint(this.#files);
    while (state !== this.#seen) {
      await delay(SETTLE_MS, signal);
      if (signal.aborted) return;
      const again = fingerprint(this.#files);
      if (again === state) {
        this.#seen = state;
        return await this.#onChange();
      }
      state = again;
    }
  }
}

function fingerprint(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) {
    try {
      const bytes = Deno.readFileSync(file);
      hash.update(`${bytes.length}:`).update(bytes);
    } catch {
      hash.update("none:");
    }
  }
  return hash.digest("hex");
}
