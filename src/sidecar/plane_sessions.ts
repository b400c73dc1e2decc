import type { CapabilityClaims } from "../core/capability.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import type { SessionState } from "../core/session_state.ts";
import type { HostAndPort } from "../net/http/uri_authority.ts";
import { errorLine, type Notify } from "./notices.ts";
import type { SessionSeed } from "./pipeline/session_table.ts";
import { SessionFold } from "./session_fold.ts";
import type { SocketPool } from "./socket_pool.ts";
import type { ProxySecret } from "./transport/proxy_credentials.ts";
import { Waiting } from "./waiting.ts";
import type { Entrance, FromWorker, ToWorker } from "./worker/messages.ts";

/** What a data plane is told of a session; what the session did is its own to know. */
export type SessionBase = Omit<SessionSeed, "state">;

/** The way in of a session that was opened. */
export interface WayIn {
  /** Path of its socket, unless it comes by the proxy. */
  readonly socket?: string;
  /** Where the proxy is, if it comes that way. */
  readonly proxy?: HostAndPort;
}

/** What keeping the sessions of a data plane needs. */
export interface PlaneSessionsOptions {
  readonly sockets: SocketPool;
  readonly notify: Notify;
  /** Tells the worker, when there is one. */
  readonly send: (message: ToWorker) => void;
  /** Hears of a session whose way in was lost for good when the data plane started again. */
  readonly lost: ((sessionId: string) => void) | undefined;
}

interface OpenSession {
  base: SessionBase;
  readonly entrance: Entrance;
  /** A data plane has served it. */
  served: boolean;
}

type Opened = Extract<FromWorker, { readonly kind: "session-opened" }>;
type Answer = Pick<Opened, "error" | "proxy">;

/** The sessions of a data plane, whichever worker serves them at the time. */
export class PlaneSessions {
  /** What they have done so far. */
  readonly fold = new SessionFold();
  readonly #options: PlaneSessionsOptions;
  readonly #sessions = new Map<string, OpenSession>();
  readonly #openings = new Waiting<string, Answer>();
  readonly #closings = new Waiting<string, void>();
  #proxyPort: number | undefined;

  constructor(options: PlaneSessionsOptions) {
    this.#options = options;
  }

  /** The port of the proxy as long as sessions have been told it. */
  get proxyPort(): number | undefined {
    return this.#proxyPort;
  }

  /** Takes a session on, which has done what `state` says; its way in comes back. */
  async open(
    base: SessionBase,
    secret: ProxySecret | undefined,
    hasProxy: boolean,
    state?: SessionState,
  ): Promise<Result<WayIn>> {
    const entrance = secret === undefined ? await this.#socket() : proxy(secret, hasProxy);
    if (!entrance.ok) return entrance;
    const { sessionId } = base;
    this.fold.begin(sessionId, state);
    const session = { base, entrance: entrance.value, served: false };
    this.#sessions.set(sessionId, session);
    const answer = this.#openings.answer(sessionId);
    this.#post(session);
    const { error, proxy: address } = await answer;
    if (error !== undefined) {
      this.#forget(sessionId, session);
      return err(error);
    }
    if (entrance.value.kind === "socket") return ok({ socket: entrance.value.path });
    this.#proxyPort = address?.port;
    return ok({ ...(address && { proxy: address }) });
  }

  /** Replaces the tokens of a session. */
  setClaims(sessionId: string, claims: readonly CapabilityClaims[]): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    session.base = { ...session.base, claims };
    this.#options.send({ kind: "session-claims", sessionId, claims });
  }

  /** Ends a session; where a worker serves it, the worker is to say that it did. */
  async close(sessionId: string, isServed: boolean): Promise<void> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    // From here on no other worker takes it over.
    this.#sessions.delete(sessionId);
    if (isServed) {
      const closed = this.#closings.answer(sessionId);
      this.#options.send({ kind: "session-close", sessionId });
      await closed;
    }
    this.#forget(sessionId, session);
  }

  /** Hears that the worker took a session on, or why not. */
  opened({ sessionId, error, proxy }: Opened): void {
    const session = this.#sessions.get(sessionId);
    if (session !== undefined && error === undefined) session.served = true;
    if (this.#openings.settle(sessionId, { error, proxy }) || error === undefined) return;
    const { notify, lost } = this.#options;
    notify("error", `Session ${sessionId} has no way in any more: ${errorLine(error)}`, sessionId);
    // Whoever has the port now is told the passwords of sessions that go on using it.
    if (session?.entrance.kind === "proxy") lost?.(sessionId);
  }

  /** Hears that the worker has ended a session. */
  closed(sessionId: string): void {
    this.#closings.settle(sessionId);
  }

  /** Hears that the worker has ended, and with it what it was told to end. */
  workerEnded(): void {
    this.#closings.settleAll();
  }

  /** Tells a new worker of every session. */
  handOver(): void {
    for (const session of this.#sessions.values()) this.#post(session);
  }

  #post({ base, entrance, served: resumes }: OpenSession): void {
    const seed = { ...base, state: this.fold.state(base.sessionId) };
    this.#options.send({ kind: "session-open", seed, entrance, resumes });
  }

  #forget(sessionId: string, { entrance }: OpenSession): void {
    this.#sessions.delete(sessionId);
    if (entrance.kind === "socket") this.#options.sockets.release(entrance.path);
    this.fold.end(sessionId);
    const hasMore = this.#sessions.values().some(({ entrance }) => entrance.kind === "proxy");
    if (!hasMore) this.#proxyPort = undefined;
  }

  async #socket(): Promise<Result<Entrance>> {
    const path = await this.#options.sockets.take();
    if (path !== undefined) return ok({ kind: "socket", path });
    return refused(
      "TOO_MANY_SESSIONS",
      "every session socket is taken",
      "end a session, or start another Sidecar",
    );
  }
}

function proxy(secret: ProxySecret, hasProxy: boolean): Result<Entrance> {
  if (hasProxy) return ok({ kind: "proxy", secret });
  return refused(
    "NO_PROXY",
    "this Sidecar has no proxy for agents without a sandbox",
    'write mode = "http_proxy" in [sidecar.interceptor], and start the Sidecar again',
  );
}

function refused(code: string, state: string, cure: string): Result<never, FirmaError> {
  return err({ code, message: `Cannot open the session: ${state}`, cure });
}
