import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { writeAll } from "../conn_reader.ts";

const READ_SIZE = 65_536;

/** A {@linkcode Deno.Conn} as the stream that `node:http2` wants to speak over. */
export class ConnDuplex extends Duplex {
  readonly #conn: Deno.Conn;
  readonly #space = new Uint8Array(READ_SIZE);

  constructor(conn: Deno.Conn) {
    super({ highWaterMark: READ_SIZE });
    this.#conn = conn;
  }

  override _read(): void {
    this.#conn.read(this.#space).then(
      (count) => this.push(count === null ? null : Buffer.from(this.#space.subarray(0, count))),
      (error) => this.destroy(error),
    );
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    writeAll(this.#conn, chunk).then(() => done(), done);
  }

  override _writev(
    chunks: { readonly chunk: Uint8Array }[],
    done: (error?: Error) => void,
  ): void {
    const all = Buffer.concat(chunks.map(({ chunk }) => chunk));
    writeAll(this.#conn, all).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    try {
      this.#conn.close();
    } catch { /* it broke before */ }
    done(error);
  }
}
