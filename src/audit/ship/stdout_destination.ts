import { ok } from "../../core/result.ts";
import type { Destination, LogLine, Outcome } from "./destination.ts";

const NEWLINE = Uint8Array.of(0x0a);

/** Standard output, for whoever collects what processes say. Lines come as they stand in the log. */
export class StdoutDestination implements Destination {
  readonly name = "standard output";
  readonly most = { lines: 1_024, bytes: 1_048_576 };
  readonly #write: (bytes: Uint8Array) => Promise<number>;

  /** `write` is given another place by tests. */
  constructor(write = (bytes: Uint8Array) => Deno.stdout.write(bytes)) {
    this.#write = write;
  }

  async deliver(lines: readonly LogLine[], signal: AbortSignal): Promise<Outcome<number>> {
    for (const { bytes } of lines) {
      await this.#writeAll(bytes);
      await this.#writeAll(NEWLINE);
      // Whoever reads no more gets the rest later, and the line that was begun once more.
      if (signal.aborted) return { ok: false, error: { reason: "nobody reads it" } };
    }
    return ok(lines.at(-1)!.seq);
  }

  close(): void {}

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#write(bytes.subarray(at));
  }
}
