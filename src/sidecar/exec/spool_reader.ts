import { join } from "../../core/path.ts";
import { type Execution, SPOOL_NAME } from "../../core/local_exec.ts";

const NEWLINE = 0x0a;
/** A gate lets nothing run before so much of what it wrote has been taken. */
const MOST_AT_ONCE = 8 * 1024 * 1024;

/** Reads what the gate of a session has written down of programs before they ran. */
export class SpoolReader {
  readonly #file: Deno.FsFile;
  #position: number;
  /** How far the gate has said that it wrote. */
  #told: number;

  /**
   * Begins `from` so many bytes. `directory` is that of the session's socket.
   *
   * @throws {Error} where there is no such file.
   */
  constructor(directory: string, from: number) {
    this.#file = Deno.openSync(join(directory, SPOOL_NAME), { read: true });
    this.#position = this.#told = from;
  }

  /** How many bytes have been taken. */
  get position(): number {
    return this.#position;
  }

  /**
   * The next executions, up to `to` bytes from the beginning.
   *
   * @throws {Error} where they are not there, or not what a gate writes.
   */
  take(to: number): Execution[] {
    const size = Math.max(0, to - this.#position);
    if (!(to >= this.#told && size <= MOST_AT_ONCE)) {
      throw new Error("the gate says what it may not");
    }
    const bytes = this.#read(size);
    if (bytes.length < size) throw new Error("records of executions are missing");
    this.#told = to;
    this.#position += size;
    return parse(bytes);
  }

  /** All that has been written, whether the gate has said so or not; a line that is not whole is left. */
  takeWritten(): Execution[] {
    const size = this.#file.statSync().size - this.#position;
    if (size <= 0) return [];
    const bytes = this.#read(Math.min(size, MOST_AT_ONCE));
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
