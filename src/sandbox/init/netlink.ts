import { checked, libc } from "./libc.ts";

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0x80000;

/** A netlink socket (RFC 3549): one request, one answer. */
export class NetlinkSocket {
  readonly #descriptor: number;
  readonly #answer = new Uint8Array(8192);

  /** @throws {SystemCallError} */
  constructor(protocol: number) {
    this.#descriptor = checked(
      "open a netlink socket",
      libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol),
    );
  }

  /**
   * Sends a message and returns the first message of the answer, header included; valid until
   * the next call.
   *
   * @throws {SystemCallError}
   */
  exchange(message: Uint8Array<ArrayBuffer>): DataView {
    checked("send to netlink", libc.send(this.#descriptor, message, BigInt(message.length), 0));
    const length = checked(
      "receive from netlink",
      libc.recv(this.#descriptor, this.#answer, BigInt(this.#answer.length), 0),
    );
    return new DataView(this.#answer.buffer, 0, length);
  }

  close(): void {
    libc.close(this.#descriptor);
  }
}

/** `struct nlmsghdr` followed by `body`. */
export function netlinkMessage(
  type: number,
  flags: number,
  body: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(16 + body.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  message.set(body, 16);
  return message;
}

/** The type of a message, and its error number when it is an acknowledgement. */
export function acknowledgement(message: DataView): { type: number; error: number } {
  const type = message.getUint16(4, true);
  return { type, error: type === NLMSG_ERROR ? -message.getInt32(16, true) : 0 };
}

/** The type of an answer that says how a request went. */
export const NLMSG_ERROR = 2;
