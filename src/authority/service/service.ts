import type { TLSSocket } from "node:tls";
import type { ListenAddress } from "../../config/listen_address.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { closeQuietly } from "../../net/close_quietly.ts";
import { ConnSocket } from "../../net/conn_socket.ts";
import { HttpServer } from "../../net/http/http_server.ts";
import type { SigningKey } from "../../pki/signing_key.ts";
import type { LocalAuthority } from "../local_authority.ts";
import type { AuditParts } from "./audit_routes.ts";
import { LOCAL_CLIENT } from "./client.ts";
import { listenForVerifiers, type PublicDocuments } from "./identity_listener.ts";
import type { Guest } from "./guests.ts";
import { PreSharedKeys } from "./pre_shared_keys.ts";
import { RefusalLog } from "./refusal_log.ts";
import { type RequestHandler, requestHandler } from "./request_handler.ts";
import { RevocationFeed } from "./revocation_feed.ts";
import { authorityRoutes } from "./routes.ts";
import { type TlsFiles, TlsListener } from "./tls_listener.ts";
import { type Listener, listenUnix } from "./unix_listener.ts";

/** How what happens is told. */
export type Report = (level: "info" | "warn" | "error", text: string) => void;

/** Options of {@linkcode AuthorityServer.start}. */
export interface AuthorityServerOptions {
  /** Closed by whoever opened it. */
  readonly authority: LocalAuthority;
  readonly signingKey: SigningKey;
  readonly listen: ListenAddress;
  /** Certificates, and the list of clients; wanted for TCP. */
  readonly tls?: TlsFiles | undefined;
  /** List of pre-shared keys, of which each client needs one; without a list, none does. */
  readonly preSharedKeysPath?: string | undefined;
  /** Where what ID tokens are verified by is served to anybody, and what it is. */
  readonly identity?:
    | { readonly listen: ListenAddress; readonly documents: PublicDocuments }
    | undefined;
  /** What takes the audit logs of Sidecars in; closed by whoever opened it. */
  readonly audit?: AuditParts | undefined;
  readonly report: Report;
  /**
   * How often a stream of revocations shows that it is alive, in milliseconds.
   * @default {5000}
   */
  readonly beatMs?: number;
}

/** A Sidecar has two streams and now and then a request, all of them small. */
const HTTP = {
  timeouts: { idleMs: 300_000, headMs: 15_000, silenceMs: 60_000 },
  limits: {
    headBytes: 16_384,
    bufferedBytes: 65_536,
    streamsPerConnection: 64,
    streamWindow: 131_072,
    connectionWindow: 1_048_576,
  },
};
/** Connections at a socket, which are all of one user; those of TCP are counted by certificate. */
const MOST_OF_SOCKET = 1_024;
/** How long what is being answered may go on when the service ends, in milliseconds. */
const GRACE_MS = 1_000;

interface Parts {
  readonly listener: Listener;
  readonly documents: Listener | undefined;
  readonly http: HttpServer;
  readonly revocations: RevocationFeed;
  readonly preSharedKeys: PreSharedKeys | undefined;
  readonly closing: AbortController;
}

/** The Authority's service: Connect, gRPC and gRPC-Web at one address. */
export class AuthorityServer {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Starts to listen. Fails with everything that stands in the way. */
  static async start(
    options: AuthorityServerOptions,
  ): Promise<Result<AuthorityServer, readonly FirmaError[]>> {
    const { authority, report } = options;
    const path = options.preSharedKeysPath;
    const keys = path === undefined ? undefined : await PreSharedKeys.open(path, report);
    if (keys?.ok === false) return err([keys.error]);
    const preSharedKeys = keys?.value;
    const closing = new AbortController();
    const revocations = new RevocationFeed(
      (signal) => authority.watchRevocations(signal),
      options.beatMs ?? 5_000,
    );
    const onFault = (what: string, cause: unknown) => report("error", `${what} failed: ${cause}`);
    const refusals = new RefusalLog(report);
    const routes = authorityRoutes({
      ...options,
      revocations,
      preSharedKeys,
      closing: closing.signal,
      onRefused: ({ name }, reason) =>
        refusals.add(`Refused the client ${JSON.stringify(name)}: ${reason}`),
      onFault,
    });
    const http = new HttpServer(HTTP);
    const handler = requestHandler(routes, http.watchdog, onFault);
    const listener = await listen(options, { http, refusals, handler });
    const documents = listener.ok ? publish(options, http) : listener;
    if (listener.ok && documents.ok) {
      const listeners = { listener: listener.value, documents: documents.value };
      return ok(new AuthorityServer({ ...listeners, http, revocations, preSharedKeys, closing }));
    }
    if (listener.ok) await listener.value.close();
    await Promise.all([revocations.close(), preSharedKeys?.close()]);
    return err(documents.ok ? [] : documents.error);
  }

  /** Where it listens, as in `listen_addr`. */
  get address(): string {
    return this.#parts.listener.address;
  }

  /** Where what ID tokens are verified by is served; `undefined` when it is not. */
  get documentsAddress(): string | undefined {
    return this.#parts.documents?.address;
  }

  /** Stops to listen and ends every stream, which is told so. */
  async close(): Promise<void> {
    const { listener, documents, http, revocations, preSharedKeys, closing } = this.#parts;
    closing.abort();
    await Promise.all([listener.close(), documents?.close()]);
    await http.close(GRACE_MS);
    await Promise.all([revocations.close(), preSharedKeys?.close()]);
  }
}

function publish(
  { identity }: AuthorityServerOptions,
  http: HttpServer,
): Result<Listener | undefined, readonly FirmaError[]> {
  if (identity === undefined) return ok(undefined);
  const { listen, documents } = identity;
  if (listen.kind === "tcp") {
    const listener = listenForVerifiers(listen, http, documents);
    return listener.ok ? listener : err([listener.error]);
  }
  return err([{
    code: "LISTEN_FAILED",
    message: `Cannot listen on "unix://${listen.path}": the keys are served over TCP`,
    cure: "write an address and a port in listen_addr of [authority.identity]",
  }]);
}

async function listen(
  { listen, tls, report }: AuthorityServerOptions,
  { http, refusals, handler }: {
    readonly http: HttpServer;
    readonly refusals: RefusalLog;
    readonly handler: RequestHandler;
  },
): Promise<Result<Listener, readonly FirmaError[]>> {
  const failed = (from: string) => ({ message }: Error) =>
    refusals.add(`Disconnected a client ${from}: HTTP/2: ${message}`);
  if (listen.kind === "unix") {
    const listener = await listenUnix(listen.path, (conn) => {
      if (http.size >= MOST_OF_SOCKET) {
        refusals.add(`Refused a client of the socket: ${http.size} connections are open`);
        return closeQuietly(conn);
      }
      void http.serve({
        socket: new ConnSocket(conn),
        answer: (exchange) => handler(exchange, LOCAL_CLIENT),
        failed: failed("of the socket"),
      });
    });
    return listener.ok ? listener : err([listener.error]);
  }
  if (tls === undefined) return err([plainTcp(listen.hostname)]);
  const { watchdog } = http;
  const take = (guest: Guest, socket: TLSSocket, below: ConnSocket) => {
    void http.serve({
      socket,
      tls: { below, protocol: socket.alpnProtocol === "h2" ? "h2" : "http/1.1" },
      answer: (exchange) => handler(exchange, socket.destroyed ? undefined : guest.client),
      failed: failed(`at ${guest.from}`),
    });
  };
  return await TlsListener.start({ ...listen, tls, watchdog, refusals, report, take });
}

function plainTcp(hostname: string): FirmaError {
  return {
    code: "TLS_REQUIRED",
    message: `Cannot listen on "${hostname}": without mutual TLS any user of the machine could ` +
      "ask for tokens",
    cure: "firma authority init-tls makes certificates; or listen on a socket, unix:///…",
  };
}
