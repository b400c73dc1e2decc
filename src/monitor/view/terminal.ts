import process from "node:process";
import type { Size } from "./scene.ts";

/** A terminal that a view may take over. */
export interface Terminal {
  readonly colours: boolean;
  size(): Size;
  /** Resolves when the terminal took all of it; rejects when there is none any more. */
  write(text: string): Promise<void>;
  /** Writes before it returns, for when there is no later; never throws. */
  writeNow(text: string): void;
  /** What was typed; `null` when nobody can type any more. */
  read(): Promise<Uint8Array | null>;
  /** Every key as it is pressed, without an echo. */
  setRaw(isRaw: boolean): void;
  /** Asks this job, all of it, to stop. */
  askToStop(): void;
  /** Stops this process until the shell lets it go on. */
  stop(): void;
  /** Calls back with each signal; returns how to end that. */
  on(signal: "resize" | "continue" | "stop", callback: () => void): () => void;
}

const encoder = new TextEncoder();

const SIGNALS = { resize: "SIGWINCH", continue: "SIGCONT", stop: "SIGTSTP" } as const;

/** How long to wait for a terminal that takes nothing now, in milliseconds. */
const BUSY_MS = 10;

/** The terminal of this process; `print` writes all of a text before it returns. */
export function ownTerminal(colours: boolean, print: (text: string) => void): Terminal {
  const buffer = new Uint8Array(1_024);
  return {
    colours,
    size() {
      try {
        return Deno.consoleSize();
      } catch {
        return { columns: 80, rows: 24 }; // it is going away
      }
    },
    async write(text) {
      let bytes = encoder.encode(text);
      while (bytes.length > 0) {
        try {
          bytes = bytes.subarray(await Deno.stdout.write(bytes));
        } catch (cause) {
          // Another program on this terminal may have set it not to block.
          if (!(cause instanceof Deno.errors.WouldBlock)) throw cause;
          await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
        }
      }
    },
    writeNow(text) {
      try {
        print(text);
      } catch {
        // it has gone away
      }
    },
    async read() {
      const length = await Deno.stdin.read(buffer).catch(() => null);
      return length === null ? null : buffer.slice(0, length);
    },
    setRaw(isRaw) {
      try {
        Deno.stdin.setRaw(isRaw);
      } catch {
        // it has gone away
      }
    },
    askToStop() {
      process.kill(0, SIGNALS.stop);
    },
    stop() {
      Deno.kill(Deno.pid, "SIGSTOP");
    },
    on(signal, callback) {
      Deno.addSignalListener(SIGNALS[signal], callback);
      return () => Deno.removeSignalListener(SIGNALS[signal], callback);
    },
  };
}
