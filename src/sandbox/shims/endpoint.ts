import { address, cString, ERRNO, errno, libc as gate } from "../init/gate/libc.ts";
import { openPath } from "../init/gate/file.ts";
import { libc } from "./libc.ts";
import { ALLOWED, DENIED, LONGEST_ANSWER } from "./protocol.ts";

/** Where shims ask. They say nothing: the kernel says which process it is that has connected. */

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK_CLOEXEC = 0x800 | 0x80000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const SO_PEERCRED = 17;
const MSG_PEEK = 2;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const BACKLOG = 4096;

const encoder = new TextEncoder();

/** A process that waits for an answer. */
export interface Asker {
  readonly descriptor: number;
  /** The process that connected, by its number here. */
  readonly pid: number;
}

/** The socket of the gate. Nothing here waits. */
export class Endpoint {
  readonly descriptor: number;

  private constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  /**
   * Listens at a path; whoever reaches it may ask.
   *
   * @throws {Error} when that cannot be.
   */
  static open(path: string): Endpoint {
    const descriptor = gate.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK_CLOEXEC, 0);
    const name = new Uint8Array([AF_UNIX, 0, ...encoder.encode(path), 0]);
    const isOpen = descriptor >= 0 && libc.bind(descriptor, name, name.length) === 0 &&
      libc.listen(descriptor, BACKLOG) === 0;
    if (!isOpen) throw new Error(`Cannot listen for shims: error number ${errno()}`);
    Deno.chmodSync(path, 0o666);
    return new Endpoint(descriptor);
  }

  /** Who asks next; `undefined` when nobody does, or nobody that can be seen from here. */
  accept(): Asker | undefined {
    const descriptor = libc.accept4(this.descriptor, null, null, SOCK_NONBLOCK_CLOEXEC);
    if (descriptor < 0) return undefined;
    const credentials = new Int32Array(3);
    const size = new Uint8Array(new Uint32Array([12]).buffer);
    const bytes = new Uint8Array(credentials.buffer);
    const isKnown = libc.getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, bytes, size) === 0;
    const pid = isKnown ? credentials[0]! : 0;
    if (pid > 0) return { descriptor, pid };
    gate.close(descriptor);
    return undefined;
  }

  close(): void {
    gate.close(this.descriptor);
  }
}

const peeked = new Uint8Array(1);

/** Whether somebody waits at the other end who has said nothing, as shims do. */
export function isWaiting({ descriptor }: Asker): boolean {
  const count = gate.recv(descriptor, peeked, 1n, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && errno() === ERRNO.EAGAIN;
}

/** Has a shim end, with a text for its standard error. */
export function deny({ descriptor }: Asker, text: string): void {
  const answer = new Uint8Array([DENIED, ...encoder.encode(text)]).subarray(0, LONGEST_ANSWER);
  gate.send(descriptor, answer, BigInt(answer.length), MSG_DONTWAIT | MSG_NOSIGNAL);
  gate.close(descriptor);
}

/**
 * Has a shim become the program at a path of ours, which it executes by `name`, a path of its own.
 * `false` when that could not be told: then it ends.
 */
export function allow({ descriptor }: Asker, file: string, name: string): boolean {
  const program = openPath(file);
  const answer = new Uint8Array([ALLOWED, ...cString(name)]);
  try {
    if (program < 0 || answer.length > LONGEST_ANSWER) return false;
    return sendWith(descriptor, answer, program);
  } finally {
    if (program >= 0) gate.close(program);
    gate.close(descriptor);
  }
}

/** Sends bytes together with a descriptor (`struct msghdr`, unix(7)). */
function sendWith(to: number, bytes: Uint8Array<ArrayBuffer>, descriptor: number): boolean {
  const control = new Uint8Array(24);
  const controlView = new DataView(control.buffer);
  controlView.setBigUint64(0, 20n, true);
  controlView.setInt32(8, SOL_SOCKET, true);
  controlView.setInt32(12, SCM_RIGHTS, true);
  controlView.setInt32(16, descriptor, true);
  const vector = new Uint8Array(16);
  const vectorView = new DataView(vector.buffer);
  vectorView.setBigUint64(0, address(bytes), true);
  vectorView.setBigUint64(8, BigInt(bytes.length), true);
  const message = new Uint8Array(56);
  const view = new DataView(message.buffer);
  view.setBigUint64(16, address(vector), true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, address(control), true);
  view.setBigUint64(40, BigInt(control.length), true);
  return Number(libc.sendmsg(to, message, MSG_DONTWAIT | MSG_NOSIGNAL)) === bytes.length;
}
