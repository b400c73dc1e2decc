import type { ListenAddress } from "../../config/listen_address.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { acceptEach } from "../../net/accept.ts";
import { closeQuietly } from "../../net/close_quietly.ts";
import { ConnSocket } from "../../net/conn_socket.ts";
import { json, problem, type WholeAnswer } from "../../net/http/answers.ts";
import type { HttpServer } from "../../net/http/http_server.ts";
import type { Listener } from "./unix_listener.ts";

/** The documents that anybody may read, by path; asked for anew by each request. */
export type PublicDocuments = () => Promise<Result<ReadonlyMap<string, unknown>>>;

/** Connections at once: verifiers keep what they have fetched, and a proxy keeps some for them. */
const MOST = 256;
/** How long verifiers may keep what they have fetched, in seconds. */
const KEEP_S = 3_600;

/**
 * Serves what ID tokens are verified by, over plain HTTP, for a proxy that has the certificate of
 * the issuer. Nothing else can be asked for here.
 */
export function listenForVerifiers(
  { hostname, port }: Extract<ListenAddress, { kind: "tcp" }>,
  http: HttpServer,
  documents: PublicDocuments,
): Result<Listener> {
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname, port });
  } catch (cause) {
    const state = cause instanceof Error ? cause.message : String(cause);
    return err({
      code: "LISTEN_FAILED",
      message: `Cannot listen on "${hostname}" port ${port}: ${state}`,
    });
  }
  const open = new Set<Deno.Conn>();
  const accepting = acceptEach(listener, (conn) => {
    if (open.size >= MOST) return closeQuietly(conn);
    open.add(conn);
    const served = http.serve({
      socket: new ConnSocket(conn),
      answer: async (exchange) =>
        await exchange.respond(await answer(exchange.method, exchange.target, documents)),
      failed: () => {},
    });
    void served.finally(() => open.delete(conn));
  });
  const { hostname: host, port: taken } = listener.addr;
  return ok({
    address: `${host.includes(":") ? `[${host}]` : host}:${taken}`,
    close: async () => {
      closeQuietly(listener);
      await accepting;
    },
  });
}

/** The answer to one request. */
async function answer(
  method: string,
  target: string,
  documents: PublicDocuments,
): Promise<WholeAnswer> {
  const found = await documents();
  if (!found.ok) return problem(503, "the keys cannot be read");
  const document = found.value.get(target.split("?", 1)[0]!);
  if (document === undefined) return problem(404, "there is no such document");
  if (method !== "GET") return problem(405, "it can be read alone");
  const { status, fields, body } = json(200, document);
  const others = fields.filter(([name]) => name !== "cache-control");
  return { status, fields: [...others, ["cache-control", `public, max-age=${KEEP_S}`]], body };
}
