import type { Buffer } from "node:buffer";
import { splitAbsoluteTarget } from "../http/uri_authority.ts";
import { linger } from "../linger.ts";
import type { SocketReader } from "../socket_reader.ts";
import { SocketWriter } from "../socket_writer.ts";
import type { HttpLimits, HttpTimeouts } from "../http/http_options.ts";
import type { Watchdog } from "../watchdog.ts";
import { Http1Exchange } from "./exchange.ts";
import { requestFraming } from "./framing.ts";
import { parseRequestHead, type RequestHead, singleValue } from "./head.ts";

/** An HTTP/1 connection of a client. */
export interface Http1Connection {
  readonly reader: SocketReader;
  readonly scheme: "http" | "https";
  /** How requests name their target (RFC 9112, 3.2): `absolute` is how a proxy is asked. */
  readonly form: "origin" | "absolute";
  /** Takes the connection over after a CONNECT; absent where there may be none. */
  readonly onConnect?: (head: RequestHead) => Promise<void>;
}

/** What serving a connection needs. */
export interface Http1Context {
  readonly watchdog: Watchdog;
  readonly timeouts: HttpTimeouts;
  readonly limits: HttpLimits;
  /** Answers a request. Never rejects. */
  readonly serve: (exchange: Http1Exchange) => Promise<void>;
  /** The answer, head and all, to what came in place of a request. It ends the connection. */
  readonly refuseHead: (what: NoRequest) => Buffer;
}

/** What came in place of a request, as far as it could be read. */
export interface NoRequest {
  readonly method?: string;
  readonly host?: string;
  readonly target?: string;
  /** What is wrong with it. */
  readonly detail: string;
  /** What to answer, where that is certain. */
  readonly status?: number;
}

/** Serves the requests of a connection one after another, then closes it. Never rejects. */
export async function serveHttp1(
  connection: Http1Connection,
  context: Http1Context,
): Promise<void> {
  const { reader } = connection;
  const writer = new SocketWriter(reader.socket);
  try {
    for (;;) {
      const head = await readHead(connection, context);
      if (head === undefined) break;
      if (typeof head === "string") return await refuse(connection, context, head);
      if (head.method === "CONNECT") {
        if (connection.onConnect !== undefined) return await connection.onConnect(head);
        return await refuse(connection, context, "CONNECT within a tunnel", head, 400);
      }
      const framing = requestFraming(head);
      if (framing.kind === "bad") return await refuse(connection, context, framing.detail, head);
      const target = requestTarget(connection, head);
      if (typeof target === "string") return await refuse(connection, context, target, head);
      const { scheme } = connection;
      const exchange = new Http1Exchange(reader, writer, head, framing, {
        scheme,
        ...target,
      });
      await context.serve(exchange);
      if (!(await exchange.finish(context))) break;
    }
    await linger(reader, context.watchdog);
  } catch {
    reader.socket.destroy();
  }
}

/** The next head; `undefined` at the end of the connection, a text when there is something wrong. */
async function readHead(
  { reader }: Http1Connection,
  { watchdog, timeouts, limits }: Http1Context,
): Promise<RequestHead | string | undefined> {
  let late = false;
  let watch: { clear(): void; touch(ms?: number): void } | undefined;
  try {
    for (;;) {
      const reading = parseRequestHead(reader.buffered, limits.headBytes);
      if (reading.kind === "head") {
        reader.consume(reading.size);
        return reading.head;
      }
      if (reading.kind === "bad") return reading.detail;
      const begun = reader.buffered.length > 0;
      if (watch === undefined) {
        const expire = () => {
          late = true;
          reader.interrupt();
        };
        watch = watchdog.watch(begun ? timeouts.headMs : timeouts.idleMs, expire);
      }
      const more = await reader.fill();
      if (late) return begun ? "request head did not come in time" : undefined;
      if (!more) return begun ? "connection ended within a request head" : undefined;
      // The time for a head runs from its first byte, however slowly the others come.
      if (!begun) watch.touch(timeouts.headMs);
    }
  } finally {
    watch?.clear();
  }
}

/** Authority and origin-form target of a request, or what is wrong with them. */
function requestTarget(
  { form }: Http1Connection,
  head: RequestHead,
): { readonly authority: string | undefined; readonly target: string } | string {
  const authority = singleValue(head.fields, "host") ?? undefined;
  if (form === "origin") {
    const { target } = head;
    if (target.startsWith("/") || (target === "*" && head.method === "OPTIONS")) {
      return { authority, target };
    }
    return "request target is not in origin form";
  }
  const split = splitAbsoluteTarget(head.target);
  if (split === undefined) return "request target is not an http URL";
  if (authority !== undefined && authority.toLowerCase() !== split.authority.toLowerCase()) {
    return "Host and request target disagree";
  }
  return split;
}

async function refuse(
  { reader }: Http1Connection,
  context: Http1Context,
  detail: string,
  head?: RequestHead,
  status?: number,
): Promise<void> {
  const host = head && singleValue(head.fields, "host");
  const answer = context.refuseHead({
    ...(head === undefined ? {} : { method: head.method, target: head.target }),
    ...(host && { host }),
    detail,
    ...(status && { status }),
  });
  reader.socket.write(answer);
  await linger(reader, context.watchdog);
}
