import { Buffer } from "node:buffer";
import { type ByteSource, ProtocolViolation } from "../../net/byte_source.ts";

const INITIAL = 65_536;
const MOST = 262_144;

/** Reads a {@linkcode Deno.Conn} as a {@linkcode ByteSource} through one buffer. */
export class ConnReader implements ByteSource {
  buffered: Buffer;
  readonly #conn: Deno.Conn;
  #space = Buffer.allocUnsafeSlow(INITIAL);
  #start = 0;
  #end = 0;
  #pending: Promise<boolean> | undefined;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
    this.buffered = this.#space.subarray(0, 0);
  }

  consume(count: number): void {
    this.#start += count;
    this.buffered = this.#space.subarray(this.#start, this.#end);
  }

  /** A second call before the first has settled waits for the same bytes. */
  fill(): Promise<boolean> {
    return this.#pending ??= this.#read();
  }

  /** Resolves when no read is under way any more. */
  async settled(): Promise<void> {
    await this.#pending?.catch(() => {});
  }

  async #read(): Promise<boolean> {
    try {
      if (this.#start === this.#end) this.#start = this.#end = 0;
      else if (this.#end === this.#space.length) this.#makeRoom();
      const count = await this.#conn.read(this.#space.subarray(this.#end));
      if (count === null) return false;
      this.#end += count;
      this.buffered = this.#space.subarray(this.#start, this.#end);
      return true;
    } finally {
      this.#pending = undefined;
    }
  }

  #makeRoom(): void {
    const held = this.#end - this.#start;
    if (this.#start === 0) {
      if (held >= MOST) throw new ProtocolViolation("unfinished line is too long");
      const larger = Buffer.allocUnsafeSlow(this.#space.length * 2);
      this.#space.copy(larger, 0, 0, held);
      this.#space = larger;
    } else {
      this.#space.copyWithin(0, this.#start, this.#end);
    }
    this.#start = 0;
    this.#end = held;
  }
}
