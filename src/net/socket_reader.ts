import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { type ByteSource, ConnectionEnded } from "./byte_source.ts";
import { countBuffer } from "./garbage.ts";

/** Stops and restarts what a socket reads from the kernel. */
export interface ReadControl {
  stop(): void;
  start(): void;
}

/**
 * How to stop a TLS socket from reading. Its own `pause()` does not reach what it reads from in
 * Deno 2.9 (an upload with a slow consumer is held in memory whole); pausing that does.
 */
export function readControlBelowTls(below: Duplex): ReadControl {
  return { stop: () => below.pause(), start: () => below.resume() };
}

const EMPTY = Buffer.alloc(0);

/** Reads a connection or a `node:tls` socket on top of one as a {@linkcode ByteSource} with bounded memory. */
export class SocketReader implements ByteSource {
  buffered: Buffer = EMPTY;
  /** Called once when the peer has closed its side or the connection broke. */
  onGone: (() => void) | undefined;
  readonly socket: Duplex;
  readonly #control: ReadControl;
  readonly #highWater: number;
  readonly #queue: Buffer[] = [];
  #held = 0;
  #stopped = false;
  #ended = false;
  #broken = false;
  #wake: (() => void) | undefined;

  constructor(socket: Duplex, control: ReadControl | undefined, highWater: number) {
    this.socket = socket;
    this.#control = control ?? { stop: () => socket.pause(), start: () => socket.resume() };
    this.#highWater = highWater;
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
  }

  /** Whether the peer has closed its side or the connection broke. */
  get ended(): boolean {
    return this.#ended;
  }

  consume(count: number): void {
    this.buffered = count >= this.buffered.length
      ? this.#queue.shift() ?? EMPTY
      : this.buffered.subarray(count);
    this.#held -= count;
    if (this.#stopped && this.#held <= this.#highWater / 4) {
      this.#stopped = false;
      this.#control.start();
    }
  }

  async fill(): Promise<boolean> {
    if (this.#queue.length === 0 && !this.#ended) {
      const before = this.buffered.length;
      await new Promise<void>((resolve) => this.#wake = resolve);
      if (this.buffered.length > before) return true;
    }
    if (this.#queue.length > 0) {
      this.buffered = Buffer.concat([this.buffered, ...this.#queue]);
      this.#queue.length = 0;
      return true;
    }
    if (this.#broken) throw new ConnectionEnded("connection broke");
    return false;
  }

  /** Ends a wait in {@linkcode fill} early, as if the peer had closed its side. */
  interrupt(): void {
    this.#notify();
  }

  /** Hands the socket back as if nothing had been read from it. */
  detach(): void {
    const { socket } = this;
    socket.off("data", this.#onData);
    socket.off("end", this.#onEnd);
    socket.off("error", this.#onError);
    socket.off("close", this.#onClose);
    socket.pause();
    const unread = this.#queue.length === 0
      ? this.buffered
      : Buffer.concat([this.buffered, ...this.#queue]);
    if (unread.length > 0) socket.unshift(unread);
  }

  readonly #onData = (data: Buffer): void => {
    countBuffer(data);
    this.#held += data.length;
    if (this.buffered.length === 0) this.buffered = data;
    else this.#queue.push(data);
    if (!this.#stopped && this.#held > this.#highWater) {
      this.#stopped = true;
      this.#control.stop();
    }
    this.#notify();
  };

  readonly #onEnd = (): void => this.#finish(false);

  readonly #onError = (): void => this.#finish(true);

  readonly #onClose = (): void => this.#finish(!this.#ended);

  #finish(broken: boolean): void {
    this.#broken ||= broken;
    if (this.#ended) return;
    this.#ended = true;
    this.#notify();
    this.onGone?.();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
