import { join } from "../../core/path.ts";
import { type Execution, SPOOL_NAME } from "../../core/local_exec.ts";

const NEWLINE = 0x0a;
/** A gate lets nothing run before so much of what it wrote has been taken. */
const MOST_AT_ONCE = 8 * 1024 * 1024;

/** Reads what the gate of a session has written down of programs before they ran. */
export class SpoolReader {
  readonly #file: Deno.FsFile;
  #position: number;

  /**
   * Begins `from` so many bytes. `directory` is that of the session's socket.
   *
   * @throws {Error} where there is no such file.
   */
  constructor(directory: string, from: number) {
    this.#file = Deno.openSync(join(directory, SPOOL_NAME), { read: true });
    this.#position = from;
  }

  /**
   * The next executions, up to `to` bytes from the beginning.
   *
   * @throws {Error} where they are not there, or not what a gate writes.
   */
  take(to: number): Execution[] {
    const size = to - this.#position;
    if (!(size >= 0 && size <= MOST_AT_ONCE)) throw new Error("the gate says what it may not");
    const bytes = this.#read(size);
    if (bytes.length < size) throw new Error("records of executions are missing");
    this.#position = to;
    return parse(bytes);
  }

  /** All that is left, for a gate that has ended; the line on which it ended is left out. */
  takeRest(): Execution[] {
    const size = this.#file.statSync().size - this.#position;
    const bytes = this.#read(Math.min(Math.max(size, 0), MOST_AT_ONCE));
    const whole = bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
    this.#position += whole.length;
    return parse(whole);
  }

  close(): void {
    this.#file.close();
  }

  #read(size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    this.#file.seekSync(this.#position, Deno.SeekMode.Start);
    let length = 0;
    while (length < size) {
      const count = this.#file.readSync(bytes.subarray(length));
      if (count === null) break;
      length += count;
    }
    return bytes.subarray(0, length);
  }
}

function parse(bytes: Uint8Array): Execution[] {
  const lines = new TextDecoder().decode(bytes).split("\n");
  lines.pop();
  return lines.map((line) => JSON.parse(line) as Execution);
}
