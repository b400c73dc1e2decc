import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";
import type { ConnectAddress } from "../../config/connect_address.ts";
import { acceptEach } from "../../net/accept.ts";
import { closeQuietly } from "../../net/close_quietly.ts";
import { writeAll } from "../../net/write_all.ts";

const LONGEST_HEAD = 8 * 1024;
const HEAD_MS = 5_000;
const CONNECT_MS = 10_000;
const END_OF_HEAD = "\r\n\r\n";

/**
 * A way to one address for Deno's HTTP client, which by itself dials what a URL
 * names and nothing else. The client takes this for a proxy that it has to
 * CONNECT by; what goes through is the client's TLS with whom the URL names, so
 * that nothing is to be read here. Only who has the password gets through.
 */
export class Relay {
  readonly #to: ConnectAddress;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #password = crypto.getRandomValues(new Uint8Array(24)).toHex();
  readonly #open = new Set<Deno.Conn>();
  #isClosed = false;

  constructor(to: ConnectAddress) {
    this.#to = to;
    void acceptEach(this.#listener, (conn) => void this.#serve(conn));
  }

  /** What to tell the client. */
  get proxy(): Deno.Proxy {
    return {
      url: `http://127.0.0.1:${this.#listener.addr.port}`,
      basicAuth: { username: "firma", password: this.#password },
    };
  }

  /** Stops to listen and ends what is open. */
  close(): void {
    this.#isClosed = true;
    closeQuietly(this.#listener);
    for (const conn of this.#open) closeQuietly(conn);
  }

  async #serve(client: Deno.Conn): Promise<void> {
    this.#open.add(client);
    let authority: Deno.TcpConn | undefined;
    try {
      if (!this.#mayConnect(await readHead(client))) {
        return await answer(client, "407 Proxy Authentication Required");
      }
      authority = await Deno.connect({ ...this.#to, signal: AbortSignal.timeout(CONNECT_MS) })
        .catch(() => undefined);
      if (authority === undefined || this.#isClosed) return await answer(client, "502 Bad Gateway");
      this.#open.add(authority);
      authority.setNoDelay(true);
      await answer(client, "200 OK");
      await Promise.race([copy(client, authority), copy(authority, client)]);
    } catch {
      // Whoever waits at either end sees that it is over.
    } finally {
      for (const conn of [client, authority]) {
        closeQuietly(conn);
        if (conn !== undefined) this.#open.delete(conn);
      }
    }
  }

  #mayConnect(head: string): boolean {
    const given = /^proxy-authorization: *basic +(\S+) *$/im.exec(head)?.[1] ?? "";
    const wanted = Buffer.from(`firma:${this.#password}`).toString("base64");
    const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
    return head.startsWith("CONNECT ") && a.length === b.length && timingSafeEqual(a, b);
  }
}

async function readHead(conn: Deno.Conn): Promise<string> {
  const late = setTimeout(() => closeQuietly(conn), HEAD_MS);
  const buffer = new Uint8Array(LONGEST_HEAD);
  let length = 0;
  try {
    while (length < buffer.length) {
      const read = await conn.read(buffer.subarray(length));
      if (read === null) break;
      length += read;
      const head = Buffer.from(buffer.buffer, 0, length).toString("latin1");
      // Nobody says more before the answer is there.
      if (head.endsWith(END_OF_HEAD)) return head;
    }
  } finally {
    clearTimeout(late);
  }
  throw new Error("There is no request");
}

async function answer(conn: Deno.Conn, status: string): Promise<void> {
  await writeAll(conn, new TextEncoder().encode(`HTTP/1.1 ${status}${END_OF_HEAD}`));
}

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(32 * 1024);
  for (;;) {
    const read = await from.read(buffer);
    if (read === null) return;
    await writeAll(to, buffer.subarray(0, read));
  }
}
