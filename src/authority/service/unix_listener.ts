import http2 from "node:http2";
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Session } from "node:http2";
import { dirname } from "../../core/path.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { acceptEach } from "../../net/accept.ts";
import { closeQuietly } from "../../net/close_quietly.ts";
import { ConnSocket } from "../../net/conn_socket.ts";

/** Longest path of a unix socket on Linux, without its closing NUL. */
const LONGEST_PATH = 107;

/** What answers requests. */
export type RequestHandler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** A server that takes requests. */
export interface Listener {
  /** As in `listen_addr`, with the port that was taken. */
  readonly address: string;
  /** Stops to listen and ends every connection. */
  close(): Promise<void>;
}

/**
 * Listens on a unix socket that only this user can open (mode 0600), for HTTP/2
 * without TLS. A socket that somebody listens on already is left alone.
 */
export async function listenUnix(
  path: string,
  handler: RequestHandler,
  settings: http2.ServerOptions,
): Promise<Result<Listener>> {
  const draft = `${path}.${crypto.randomUUID().slice(0, 8)}`;
  if (new TextEncoder().encode(draft).length > LONGEST_PATH) {
    return refuse(path, "its path is too long for a socket", "use a shorter path");
  }
  if (await isAnswered(path)) {
    return refuse(path, "somebody listens there already", "end the other Authority first");
  }
  const server = http2.createServer(settings, handler);
  const sessions = trackSessions(server);
  let listener: Deno.UnixListener | undefined;
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    listener = Deno.listen({ transport: "unix", path: draft });
    // Nobody else may open it, not even between its making and this: it gets its name afterwards.
    await Deno.chmod(draft, 0o600);
    await Deno.rename(draft, path);
  } catch (cause) {
    listener?.close();
    await Deno.remove(draft).catch(() => {});
    return refuse(path, cause instanceof Error ? cause.message : String(cause), undefined);
  }
  const { ino } = await Deno.lstat(path);
  // The listener of `node:http2` would be one of `node:net`; see ConnSocket.
  const accepting = acceptEach(
    listener,
    (conn) => void server.emit("connection", new ConnSocket(conn)),
  );
  return ok({
    address: `unix://${path}`,
    close: async () => {
      closeQuietly(listener);
      for (const session of sessions) session.destroy();
      await accepting;
      const there = await Deno.lstat(path).catch(() => undefined);
      if (there?.ino === ino) await Deno.remove(path);
    },
  });
}

/** Starts to listen; rejects with the reason when that cannot be. */
export function listening(server: http2.Http2Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    listen();
  });
}

/** The sessions of a server that are open. */
export function trackSessions(server: http2.Http2Server): Set<ServerHttp2Session> {
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    // What a client does to its own session concerns nobody else.
    session.on("error", () => {});
  });
  return sessions;
}

/** Ends a server with all its sessions. */
export async function closed(
  server: http2.Http2Server,
  sessions: ReadonlySet<ServerHttp2Session>,
): Promise<void> {
  const end = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const session of sessions) session.destroy();
  await end;
}

async function isAnswered(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch {
    return false;
  }
}

function refuse(path: string, state: string, cure: string | undefined): Result<never> {
  return err({
    code: "LISTEN_FAILED",
    message: `Cannot listen on "unix://${path}": ${state}`,
    ...(cure && { cure }),
  });
}
