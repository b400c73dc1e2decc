import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { ConnectionEnded } from "./byte_source.ts";

/** Pieces up to this size are copied, so that a slow socket does not hold up their source. */
const COPY_BELOW = 8_192;

/** Writes to a socket no faster than it takes. */
export class SocketWriter {
  readonly #socket: Duplex;
  #wake: (() => void) | undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on("close", this.#notify);
  }

  /** Writes bytes that belong to the socket from now on. Resolves when more may be written. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#socket.write(bytes)) return undefined;
    return this.#wait((wake) => this.#socket.once("drain", wake));
  }

  /** Writes bytes that the caller will reuse. Resolves when it may. */
  writeBorrowed(bytes: Uint8Array): Promise<void> | undefined {
    if (bytes.length <= COPY_BELOW) return this.write(Buffer.from(bytes));
    return this.#wait((wake) => this.#socket.write(bytes, wake));
  }

  async #wait(start: (wake: () => void) => void): Promise<void> {
    if (!this.#socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        start(this.#notify);
      });
    }
    if (this.#socket.destroyed) throw new ConnectionEnded("client went away");
  }

  readonly #notify = (): void => {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  };
}
