import { closeQuietly } from "../../net/close_quietly.ts";
import { writeAll } from "../../net/write_all.ts";

/** The connection with an execution gate, as those who answer it need it. */
export interface GateConnection {
  /** What has come and is not consumed. */
  readonly buffered: Uint8Array;
  /** Waits for more; `false`: there will be none. Rejects when the connection breaks. */
  fill(): Promise<boolean>;
  consume(count: number): void;
  readonly socket: {
    write(text: string): unknown;
    destroy(): unknown;
  };
}

const READ_BYTES = 65_536;
const EMPTY = new Uint8Array();

/**
 * The same over a connection of Deno's, without Node's streams: the first program of an agent waits
 * for what this loads.
 */
export class ConnGateConnection implements GateConnection {
  buffered: Uint8Array;
  readonly #conn: Deno.Conn;
  readonly #encoder = new TextEncoder();
  #waiting: Uint8Array[] = [];
  #isWriting = false;

  /** `unread`: what has been read of the connection and belongs to the gate. */
  constructor(conn: Deno.Conn, unread: Uint8Array) {
    this.#conn = conn;
    this.buffered = unread;
  }

  async fill(): Promise<boolean> {
    const space = new Uint8Array(READ_BYTES);
    const count = await this.#conn.read(space);
    if (count === null) return false;
    const { buffered } = this;
    const joined = new Uint8Array(buffered.length + count);
    joined.set(buffered);
    joined.set(space.subarray(0, count), buffered.length);
    this.buffered = joined;
    return true;
  }

  consume(count: number): void {
    this.buffered = count >= this.buffered.length ? EMPTY : this.buffered.subarray(count);
  }

  readonly socket = {
    write: (text: string): void => {
      this.#waiting.push(this.#encoder.encode(text));
      if (!this.#isWriting) void this.#writeOn();
    },
    destroy: (): void => closeQuietly(this.#conn),
  };

  /** Never rejects: a gate that is gone is heard of by whoever reads. */
  async #writeOn(): Promise<void> {
    this.#isWriting = true;
    try {
      for (let bytes = this.#waiting.shift(); bytes; bytes = this.#waiting.shift()) {
        await writeAll(this.#conn, bytes);
      }
    } catch {
      this.#waiting = [];
      closeQuietly(this.#conn);
    }
    this.#isWriting = false;
  }
}
