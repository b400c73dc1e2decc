import {
  type GateMessage,
  LONGEST_MESSAGE,
  type SidecarMessage,
} from "../../../core/local_exec.ts";
import { proxyHeader } from "../proxy_header.ts";
import { ERRNO, errno, libc } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0x80000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

const encoder = new TextEncoder();

/** The connection to the Sidecar. Nothing here waits: the gate waits for all its descriptors. */
export class Wire {
  readonly descriptor: number;
  readonly #incoming = new Uint8Array(64 * 1024);
  readonly #decoder = new TextDecoder();
  #pending = "";
  #outgoing: Uint8Array<ArrayBuffer>[] = [];
  #unsent = 0;

  private constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  /** Connects to the session's socket; `undefined` where nobody listens. */
  static open(path: string): Wire | undefined {
    const descriptor = libc.socket(AF_UNIX, SOCK_STREAM_CLOEXEC, 0);
    if (descriptor < 0) return undefined;
    const name = encoder.encode(path);
    const socketAddress = new Uint8Array(2 + name.length + 1);
    socketAddress[0] = AF_UNIX;
    socketAddress.set(name, 2);
    const wire = new Wire(descriptor);
    const header = proxyHeader({ clientPort: 0, address: "127.0.0.1", port: 0, via: "exec" });
    const isOpen = libc.connect(descriptor, socketAddress, socketAddress.length) === 0 &&
      wire.#queue(header);
    if (isOpen) return wire;
    wire.close();
    return undefined;
  }

  /** Bytes that the Sidecar has not taken yet. */
  get unsent(): number {
    return this.#unsent;
  }

  /** Sends messages, as much of them as goes at once. `false` when the connection has ended. */
  send(messages: readonly GateMessage[]): boolean {
    let lines = "";
    for (const message of messages) lines += `${JSON.stringify(message)}\n`;
    return this.#queue(encoder.encode(lines));
  }

  #queue(bytes: Uint8Array<ArrayBuffer>): boolean {
    this.#outgoing.push(bytes);
    this.#unsent += bytes.length;
    return this.flush();
  }

  /** Sends what is left. `false` when the connection has ended. */
  flush(): boolean {
    while (this.#outgoing.length > 0) {
      const [first] = this.#outgoing as [Uint8Array<ArrayBuffer>];
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      const count = Number(libc.send(this.descriptor, first, BigInt(first.length), flags));
      if (count < 0) return errno() === ERRNO.EAGAIN || errno() === ERRNO.EINTR;
      this.#unsent -= count;
      if (count === first.length) this.#outgoing.shift();
      else this.#outgoing[0] = first.subarray(count);
    }
    return true;
  }

  /** What has come; `undefined` when the connection has ended or says what it may not. */
  receive(): SidecarMessage[] | undefined {
    const bytes = this.#incoming;
    const size = BigInt(bytes.length);
    const count = Number(libc.recv(this.descriptor, bytes, size, MSG_DONTWAIT));
    if (count === 0) return undefined;
    if (count < 0) return errno() === ERRNO.EAGAIN || errno() === ERRNO.EINTR ? [] : undefined;
    this.#pending += this.#decoder.decode(bytes.subarray(0, count), { stream: true });
    const lines = this.#pending.split("\n");
    this.#pending = lines.pop()!;
    if (this.#pending.length > LONGEST_MESSAGE) return undefined;
    try {
      const messages: unknown[] = lines.map((line) => JSON.parse(line));
      if (!messages.every((message) => typeof message === "object" && message !== null)) return;
      return messages as SidecarMessage[];
    } catch {
      return undefined;
    }
  }

  close(): void {
    libc.close(this.descriptor);
  }
}
