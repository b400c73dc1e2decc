/** Bare connections for tests that say exactly which bytes are sent when. */
import { Buffer } from "node:buffer";
import { type Harness, type HeaderClaim, proxyHeader } from "./_harness.ts";

/** A connection whose bytes a test reads and writes itself. */
export class RawConnection implements AsyncDisposable {
  #unread = "";
  constructor(readonly conn: Deno.Conn) {}

  async write(bytes: string | Uint8Array): Promise<void> {
    const all = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    for (let at = 0; at < all.length;) at += await this.conn.write(all.subarray(at));
  }

  /** Reads until `text` has come, and returns everything up to and with it. */
  async until(text: string): Promise<string> {
    for (;;) {
      const at = this.#unread.indexOf(text);
      if (at >= 0) {
        const found = this.#unread.slice(0, at + text.length);
        this.#unread = this.#unread.slice(at + text.length);
        return found;
      }
      if (!(await this.#more())) throw new Error(`Ended before "${text}": "${this.#unread}"`);
    }
  }

  /** Reads exactly `size` bytes. */
  async take(size: number): Promise<string> {
    while (this.#unread.length < size) {
      if (!(await this.#more())) throw new Error(`Ended within ${size} bytes: "${this.#unread}"`);
    }
    const taken = this.#unread.slice(0, size);
    this.#unread = this.#unread.slice(size);
    return taken;
  }

  /** Reads a response with Content-Length or chunks, whole. */
  async response(): Promise<
    { readonly head: string; readonly status: number; readonly body: string }
  > {
    const head = await this.until("\r\n\r\n");
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    let body = length === null ? "" : await this.take(Number(length[1]));
    if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      for (let size = -1; size !== 0;) {
        size = parseInt(await this.until("\r\n"), 16);
        body += await this.take(size);
        await this.until("\r\n");
      }
    }
    return { head, status: Number(head.split(" ")[1]), body };
  }

  /** Reads to the end of the connection; a reset counts as the end. */
  async rest(): Promise<string> {
    while (await this.#more().catch(() => false));
    const all = this.#unread;
    this.#unread = "";
    return all;
  }

  async #more(): Promise<boolean> {
    const space = Buffer.alloc(65_536);
    const count = await this.conn.read(space);
    if (count === null) return false;
    this.#unread += space.toString("latin1", 0, count);
    return true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    try {
      this.conn.close();
    } catch { /* closed by the test */ }
    return Promise.resolve();
  }
}

/** A connection to the session's socket with its PROXY header sent. */
export async function openRaw(harness: Harness, claim?: HeaderClaim): Promise<RawConnection> {
  const raw = new RawConnection(await harness.connect());
  await raw.write(proxyHeader(claim));
  return raw;
}

/** A plain HTTP connection through a CONNECT tunnel. */
export async function openPlainTunnel(harness: Harness, authority: string): Promise<RawConnection> {
  const raw = await openRaw(harness);
  await raw.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  await raw.until("\r\n\r\n");
  return raw;
}

/** A TLS connection through a CONNECT tunnel. */
export async function openTlsTunnel(
  harness: Harness,
  host: string,
  options: { readonly sni?: string; readonly alpn?: readonly string[] } = {},
): Promise<RawConnection> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: harness.bridge() });
  try {
    const raw = new RawConnection(conn);
    await raw.write(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`);
    await raw.until("\r\n\r\n");
    const secure = await Deno.startTls(conn, {
      hostname: options.sni ?? host,
      caCerts: [harness.caPem],
      alpnProtocols: [...(options.alpn ?? ["http/1.1"])],
    });
    await secure.handshake();
    return new RawConnection(secure);
  } catch (error) {
    try {
      conn.close();
    } catch { /* consumed by TLS */ }
    throw error;
  }
}
