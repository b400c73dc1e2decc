import type { Http2ServerRequest } from "node:http2";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import type { SigningKey } from "../../pki/signing_key.ts";
import type { LocalAuthority } from "../local_authority.ts";
import { type Client, LOCAL_CLIENT } from "./client.ts";
import type { ListenAddress } from "../../config/listen_address.ts";
import { PreSharedKeys } from "./pre_shared_keys.ts";
import { RevocationFeed } from "./revocation_feed.ts";
import { requestHandler } from "./request_handler.ts";
import { authorityRoutes } from "./routes.ts";
import { type TlsFiles, TlsListener } from "./tls_listener.ts";
import { type Listener, listenUnix, type RequestHandler } from "./unix_listener.ts";

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
  readonly report: Report;
  /**
   * How often a stream of revocations shows that it is alive, in milliseconds.
   * @default {5000}
   */
  readonly beatMs?: number;
}

const SETTINGS = {
  // A Sidecar has two streams and now and then a request.
  settings: { maxConcurrentStreams: 64, maxHeaderListSize: 32 * 1024 },
};

interface Parts {
  readonly listener: Listener;
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
    const routes = authorityRoutes({
      ...options,
      revocations,
      preSharedKeys,
      closing: closing.signal,
      onRefused: ({ name }, reason) => report("warn", `Refused the client "${name}": ${reason}`),
      onFault,
    });
    const listener = await listen(
      options,
      (clientOf) => requestHandler(routes, clientOf, onFault),
    );
    if (listener.ok) {
      const parts = { listener: listener.value, revocations, preSharedKeys, closing };
      return ok(new AuthorityServer(parts));
    }
    await Promise.all([revocations.close(), preSharedKeys?.close()]);
    return listener;
  }

  /** Where it listens, as in `listen_addr`. */
  get address(): string {
    return this.#parts.listener.address;
  }

  /** Ends every stream and stops to listen. */
  async close(): Promise<void> {
    const { listener, revocations, preSharedKeys, closing } = this.#parts;
    closing.abort();
    await listener.close();
    await Promise.all([revocations.close(), preSharedKeys?.close()]);
  }
}

async function listen(
  { listen, tls, report }: AuthorityServerOptions,
  handler: (clientOf: (request: Http2ServerRequest) => Client | undefined) => RequestHandler,
): Promise<Result<Listener, readonly FirmaError[]>> {
  if (listen.kind === "unix") {
    const listener = await listenUnix(listen.path, handler(() => LOCAL_CLIENT), SETTINGS);
    return listener.ok ? listener : err([listener.error]);
  }
  if (tls === undefined) return err([plainTcp(listen.hostname)]);
  return await TlsListener.start({ ...listen, tls, handler, settings: SETTINGS, report });
}

function plainTcp(hostname: string): FirmaError {
  return {
    code: "TLS_REQUIRED",
    message: `Cannot listen on "${hostname}": without mutual TLS any user of the machine could ` +
      "ask for tokens",
    cure: "firma authority init-tls makes certificates; or listen on a socket, unix:///…",
  };
}
