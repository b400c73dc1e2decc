import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { writeAll } from "../conn_reader.ts";
import { closeQuietly } from "../dial.ts";

const READ_SIZE = 65_536;

/** A {@linkcode Deno.Conn} as the stream that `node:http2` wants to speak over. */
export class ConnDuplex extends Duplex {
  readonly #conn: Deno.Conn;
  readonly #space = new Uint8Array(READ_SIZE);
  #reading: Promise<void> = Promise.resolve();

  constructor(conn: Deno.Conn) {
    super({ highWaterMark: READ_SIZE });
    this.#conn = conn;
  }

  override _read(): void {
    this.#reading = this.#fill();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#send(chunk).then(() => done(), done);
  }

  override _writev(
    chunks: { readonly chunk: Uint8Array }[],
    done: (error?: Error) => void,
  ): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk))).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    closeQuietly(this.#conn);
    this.#reading.then(() => done(error));
  }

  async #fill(): Promise<void> {
    await notWithinNativeCode;
    try {
      const count = await this.#conn.read(this.#space);
      this.push(count === null ? null : Buffer.from(this.#space.subarray(0, count)));
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  async #send(bytes: Uint8Array): Promise<void> {
    await notWithinNativeCode;
    await writeAll(this.#conn, bytes);
  }
}

/**
 * The HTTP/2 code of Deno 2.9 calls streams while it holds the runtime's state. A read or write
 * that fails at once would want that state for its error, and the process would panic: an upstream
 * that hangs up at the right moment could end the Sidecar. Waiting for this comes back outside.
 */
const notWithinNativeCode: Promise<void> = Promise.resolve();
