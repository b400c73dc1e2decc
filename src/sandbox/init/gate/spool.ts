import { type Execution, SPOOL_NAME } from "../../../core/local_exec.ts";
import { dirname, join } from "../../../core/path.ts";
import { cString, libc } from "./libc.ts";

const WRITE_NEW_CLOEXEC = 0o1 | 0o100 | 0o200 | 0o2000000;
const KEEP_SIZE_PUNCH_HOLE = 1 | 2;
/** Room is given back in pieces of so many bytes. */
const PIECE = 256 * 1024;
/** What the Sidecar has not taken may be so much, in bytes: it reads the rest of a gate that ended. */
const MOST_UNTAKEN = 1024 * 1024;

/** UTF-8 takes no more for a unit of UTF-16. */
const MOST_BYTES_A_UNIT = 3;

const encoder = new TextEncoder();

/**
 * Where the gate writes down what runs by standing answers, before its first instruction. It is in
 * the hands of the kernel from then on, whoever of gate and Sidecar ends, and costs no message: the
 * Sidecar reads many at once.
 */
export class Spool {
  readonly #descriptor: number;
  /** For one line: making a buffer for each costs more than filling it. */
  readonly #line = new Uint8Array(64 * 1024);
  #end = 0;
  #taken = 0;
  #freed = 0;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** A new one beside the session's socket; `undefined` where none can be. */
  static open(socket: string): Spool | undefined {
    const path = cString(join(dirname(socket), SPOOL_NAME));
    // That of a gate before this one may still be read.
    libc.unlink(path);
    const descriptor = libc.create(path, WRITE_NEW_CLOEXEC, 0o600);
    return descriptor < 0 ? undefined : new Spool(descriptor);
  }

  /** How many bytes have been written. */
  get end(): number {
    return this.#end;
  }

  /** How many of them the Sidecar has taken. */
  get taken(): number {
    return this.#taken;
  }

  get isFull(): boolean {
    return this.#end - this.#taken > MOST_UNTAKEN;
  }

  /** Writes one down. `false` where that failed: then it must not run. */
  add(execution: Execution): boolean {
    const text = `${JSON.stringify(execution)}\n`;
    const isLong = text.length * MOST_BYTES_A_UNIT > this.#line.length;
    const line = isLong ? encoder.encode(text) : this.#line;
    const size = isLong ? line.length : encoder.encodeInto(text, line).written;
    const at = BigInt(this.#end);
    if (Number(libc.pwrite(this.#descriptor, line, BigInt(size), at)) !== size) return false;
    this.#end += size;
    return true;
  }

  /** The Sidecar has taken what comes before `to`, and its room is free. */
  release(to: number): void {
    if (!(to > this.#taken && to <= this.#end)) return;
    this.#taken = to;
    const size = Math.floor((to - this.#freed) / PIECE) * PIECE;
    if (size === 0) return;
    // A file system that cannot do this keeps the room until the session ends.
    libc.fallocate(this.#descriptor, KEEP_SIZE_PUNCH_HOLE, BigInt(this.#freed), BigInt(size));
    this.#freed += size;
  }
}
