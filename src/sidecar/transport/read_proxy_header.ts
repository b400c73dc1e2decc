import { after } from "../../core/after.ts";
import { closeQuietly } from "../../net/close_quietly.ts";
import { parseProxyHeader, type ProxyHeader } from "./proxy_protocol.ts";

/** What the beginning of a connection came to. */
export type Opening =
  | {
    readonly kind: "header";
    readonly header: ProxyHeader;
    /** What was read behind it. */
    readonly unread: Uint8Array;
  }
  /** It ended before its first byte. */
  | { readonly kind: "left" }
  | { readonly kind: "bad"; readonly detail: string };

const READ_BYTES = 16_384;

/**
 * Reads the PROXY header of a connection, which may take `limitMs` milliseconds: then the
 * connection is closed. Rejects when it breaks.
 */
export async function readProxyHeader(conn: Deno.Conn, limitMs: number): Promise<Opening> {
  let isLate = false;
  const stop = after(limitMs, () => {
    isLate = true;
    closeQuietly(conn);
  });
  try {
    return await readHeader(conn);
  } catch (cause) {
    if (isLate) return { kind: "bad", detail: "PROXY header did not come in time" };
    throw cause;
  } finally {
    stop();
  }
}

async function readHeader(conn: Deno.Conn): Promise<Opening> {
  // No header is as long, so that it always finds room.
  const space = new Uint8Array(READ_BYTES);
  for (let filled = 0;;) {
    const count = await conn.read(space.subarray(filled));
    if (count === null) {
      if (filled === 0) return { kind: "left" };
      return { kind: "bad", detail: "connection ended within its PROXY header" };
    }
    filled += count;
    const reading = parseProxyHeader(space.subarray(0, filled));
    if (reading.kind === "bad") return reading;
    if (reading.kind === "header") {
      const { header, size } = reading;
      return { kind: "header", header, unread: space.slice(size, filled) };
    }
  }
}
