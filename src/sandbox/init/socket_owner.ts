import { addressBytes } from "./address.ts";
import { cString, libc } from "./libc.ts";
import { netlinkMessage, NetlinkSocket } from "./netlink.ts";

/** One end of a TCP connection. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** The program that holds a socket. */
export interface SocketOwner {
  readonly pid: number;
  readonly executable: string;
}

const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const REQUEST = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
/** Of `idiag_inode` in the answer, which is a `struct inet_diag_msg` after the header. */
const INODE_OFFSET = 16 + 4 + 48 + 16;
/** Of `idiag_state`. */
const STATE_OFFSET = 16 + 1;
const GONE = 0;
const TCP_SYN_SENT = 2;

/**
 * A connection waits while so many descriptors are looked at, which takes some milliseconds, and
 * then goes on without an owner. Counted and not timed: a busy machine must find the same.
 */
const MOST_DESCRIPTORS = 1_000;

/**
 * Finds which program of this sandbox opened a connection: the kernel names the socket's inode,
 * and one of the processes has it open. Best effort: an agent with very many descriptors open
 * could hide, and hold up, its own connections alone.
 */
export class SocketOwners {
  readonly #self = Deno.pid;
  readonly #scanner = new DescriptorScanner();
  /** Who connected last is likely to connect again. */
  #recent: number[] = [];
  #socket: NetlinkSocket | undefined;

  /** @param local the client's own end; @param remote the end that it connected to. */
  find(
    local: Endpoint,
    remote: Endpoint,
    protocol: "tcp" | "udp" = "tcp",
  ): SocketOwner | undefined {
    try {
      // The kernel reads a question about UDP the other way around, as a packet that comes in.
      const { inode } = protocol === "tcp"
        ? this.#ask(IPPROTO_TCP, local, remote)
        : this.#ask(IPPROTO_UDP, remote, local);
      return inode === 0 ? undefined : this.#owner(inode);
    } catch {
      return undefined;
    }
  }

  /** Whether a connection over TCP had an answer already, so that somebody serves it. */
  isAnswered(local: Endpoint, remote: Endpoint): boolean {
    try {
      const { state } = this.#ask(IPPROTO_TCP, local, remote);
      return state !== GONE && state !== TCP_SYN_SENT;
    } catch {
      return false;
    }
  }

  #ask(
    protocol: number,
    local: Endpoint,
    remote: Endpoint,
  ): { readonly inode: number; readonly state: number } {
    this.#socket ??= new NetlinkSocket(NETLINK_SOCK_DIAG);
    const body = new Uint8Array(56);
    const view = new DataView(body.buffer);
    body.set([local.address.includes(":") ? AF_INET6 : AF_INET, protocol]);
    view.setUint32(4, 0xffffffff); // in any state
    view.setUint16(8, local.port);
    view.setUint16(10, remote.port);
    body.set(addressBytes(local.address), 12);
    body.set(addressBytes(remote.address), 28);
    view.setBigUint64(48, 0xffff_ffff_ffff_ffffn); // no cookie
    const answer = this.#socket.exchange(netlinkMessage(SOCK_DIAG_BY_FAMILY, REQUEST, body));
    if (answer.getUint16(4, true) !== SOCK_DIAG_BY_FAMILY) return { inode: 0, state: GONE };
    return {
      inode: answer.getUint32(INODE_OFFSET, true),
      state: answer.getUint8(STATE_OFFSET),
    };
  }

  #owner(inode: number): SocketOwner | undefined {
    const tried = new Set([this.#self]);
    this.#scanner.begin(MOST_DESCRIPTORS);
    for (const pid of this.#candidates()) {
      if (tried.has(pid)) continue;
      tried.add(pid);
      if (this.#scanner.holds(pid, inode)) {
        this.#recent = [pid, ...this.#recent.filter((other) => other !== pid)].slice(0, 8);
        return { pid, executable: Deno.readLinkSync(`/proc/${pid}/exe`) };
      }
      if (this.#scanner.exhausted) return undefined;
    }
  }

  *#candidates(): Generator<number> {
    yield* this.#recent;
    const all = [...Deno.readDirSync("/proc")].map((entry) => Number(entry.name));
    // The youngest first: a program that was started for this connection.
    yield* all.filter(Number.isInteger).sort((a, b) => b - a);
  }
}

const O_DIRECTORY_CLOEXEC = 0x10000 | 0x80000;

/** Looks through the descriptors of a process with as few and as cheap calls as possible. */
class DescriptorScanner {
  readonly #entries = new Uint8Array(32 * 1024);
  readonly #view = new DataView(this.#entries.buffer);
  readonly #name = new Uint8Array(32);
  readonly #target = new Uint8Array(64);
  #left = 0;

  /** Starts a search that may look at `most` descriptors. */
  begin(most: number): void {
    this.#left = most;
  }

  /** Whether the search may look at no more. */
  get exhausted(): boolean {
    return this.#left <= 0;
  }

  holds(pid: number, inode: number): boolean {
    const directory = libc.open(cString(`/proc/${pid}/fd`), O_DIRECTORY_CLOEXEC);
    if (directory < 0) return false;
    try {
      const wanted = cString(`socket:[${inode}]`).subarray(0, -1);
      for (;;) {
        const size = Number(
          libc.getdents64(directory, this.#entries, BigInt(this.#entries.length)),
        );
        if (size <= 0) return false;
        for (let at = 0; at < size; at += this.#view.getUint16(at + 16, true)) {
          if (this.#linksTo(directory, at + 19, wanted)) return true;
          if (--this.#left <= 0) return false;
        }
      }
    } finally {
      libc.close(directory);
    }
  }

  #linksTo(directory: number, nameAt: number, wanted: Uint8Array): boolean {
    this.#name.set(this.#entries.subarray(nameAt, nameAt + this.#name.length));
    const length = Number(libc.readlinkat(directory, this.#name, this.#target, 64n));
    if (length !== wanted.length) return false;
    for (let i = wanted.length - 1; i >= 0; i--) if (this.#target[i] !== wanted[i]) return false;
    return true;
  }
}
