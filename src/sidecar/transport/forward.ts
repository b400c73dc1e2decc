import { formatAuthority } from "../../net/http/uri_authority.ts";
import type { AbortReason } from "../../core/decision.ts";
import type { CallCredentials } from "../credentials/call_credentials.ts";
import type { CallOutcome, ForwardVerdict, Gate } from "../gate.ts";
import { problemResponse } from "./answers.ts";
import { ProtocolViolation } from "../../net/byte_source.ts";
import type { CallSource } from "./call_source.ts";
import type { Connector } from "./connector.ts";
import { endToEnd, listHas } from "../../net/http/end_to_end.ts";
import type { Exchange, FieldList } from "../../net/http/exchange.ts";
import { refuseRequest } from "./refuse.ts";
import { relay } from "./relay.ts";
import type { Timeouts } from "./transport_options.ts";
import { unlessIdle } from "../../net/http/unless_idle.ts";
import {
  type CallObserver,
  type OutgoingRequest,
  type Upstream,
  type UpstreamCall,
  UpstreamFailure,
  type UpstreamResponse,
} from "./upstream.ts";
import type { Watch, Watchdog } from "../../net/watchdog.ts";

/** What forwarding needs. */
export interface ForwardContext {
  readonly gate: Gate;
  readonly source: CallSource;
  readonly connector: Connector;
  readonly credentials: CallCredentials;
  readonly watchdog: Watchdog;
  readonly timeouts: Timeouts;
}

/** Methods that may be sent again when nobody can tell whether they arrived (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "PUT",
  "DELETE",
  "TRACE",
]);

/** Sends an allowed call upstream and its response back. Never rejects. */
export async function forward(
  exchange: Exchange,
  verdict: ForwardVerdict,
  context: ForwardContext,
): Promise<void> {
  await new Forwarding(exchange, verdict, context).run();
}

/** Why a call was broken off from this side. */
type Stop =
  | "client went away"
  | "closed by a later decision"
  | "headers time-out"
  | "idle time-out";

class Forwarding implements CallObserver {
  readonly #started = performance.now();
  #requestBytes = 0;
  #responseBytes = 0;
  #status = 0;
  #headLatencyMs = 0;
  #abortReason: AbortReason | "" = "";
  #detail = "";
  #stop: Stop | undefined;
  #call: UpstreamCall | undefined;
  #close: (() => void) | undefined;
  #onStop: (() => void) | undefined;
  #watch: Watch;
  #waitsForHead = false;

  constructor(
    readonly exchange: Exchange,
    readonly verdict: ForwardVerdict,
    readonly context: ForwardContext,
  ) {
    this.#watch = context.watchdog.watch(context.timeouts.idleMs, this.#onTimeout);
  }

  async run(): Promise<void> {
    const { exchange, verdict } = this;
    verdict.signal.addEventListener("abort", this.#onRevoked);
    exchange.onGone = this.#onGone;
    try {
      if (verdict.signal.aborted) this.#onRevoked();
      if (exchange.gone) this.#onGone();
      const seen = this.context.credentials.incoming(await this.#response(), verdict);
      const response = seen instanceof Promise ? await this.#unlessStopped(seen) : seen;
      this.#close = response.close;
      this.#status = response.status;
      this.#headLatencyMs = performance.now() - this.#started;
      await this.#relay(response);
    } catch (error) {
      await this.#fail(error);
    } finally {
      verdict.signal.removeEventListener("abort", this.#onRevoked);
      exchange.onGone = undefined;
      this.#watch.clear();
      this.#close?.();
      const credential = this.context.credentials.ended(verdict);
      this.context.gate.outcome(verdict.eventId, {
        ...this.#outcome(),
        ...credential && { credential },
      });
    }
  }

  informed(status: number, fields: FieldList): void {
    this.#watch.touch();
    const shown = this.context.credentials.interim(fields, this.verdict);
    this.exchange.inform(status, endToEnd(shown, undefined, () => false).fields);
  }

  sent(bytes: number): void {
    this.#requestBytes += bytes;
    this.#watch.touch();
  }

  sentAll(): void {
    if (this.#status !== 0) return;
    this.#waitsForHead = true;
    this.#watch.touch(this.context.timeouts.headersMs);
  }

  readonly #received = (bytes: number): void => {
    this.#responseBytes += bytes;
    this.#watch.touch();
  };

  async #response(): Promise<UpstreamResponse> {
    const request = await this.#equipped(outgoingRequest(this.exchange, this.verdict));
    const { connector } = this.context;
    const { route } = this.verdict;
    let upstream = request.webSocket
      ? await this.#connection(connector.openHttp1(route))
      : connector.ready(route) ?? await this.#connection(connector.open(route));
    try {
      return await this.#attempt(upstream, request);
    } catch (error) {
      const stale = upstream.used && error instanceof UpstreamFailure && error.unanswered &&
        request.body === undefined && IDEMPOTENT.has(request.method);
      if (!stale || this.#stop !== undefined) throw error;
      // The upstream had given up a pooled connection: once more, over a new one.
      upstream = await this.#connection(connector.open(route));
      return await this.#attempt(upstream, request);
    }
  }

  /** The request with its credentials. No connection is opened before it has them. */
  async #equipped(request: OutgoingRequest): Promise<OutgoingRequest> {
    try {
      const equipped = this.context.credentials.outgoing(request, this.verdict);
      return equipped instanceof Promise ? await this.#unlessStopped(equipped) : equipped;
    } catch (cause) {
      if (cause instanceof UpstreamFailure) throw cause;
      throw new UpstreamFailure("the credential could not be added", {
        reason: "CREDENTIAL_INJECTION_FAILED",
        cause,
      });
    }
  }

  /** Waits for a connection, but no longer than the call goes on; it serves another one then. */
  #connection(opening: Promise<Upstream>): Promise<Upstream> {
    return this.#unlessStopped(opening, (upstream) => upstream.release());
  }

  /** Waits, but no longer than the call goes on; `unused` gets what comes too late. */
  #unlessStopped<T>(coming: Promise<T>, unused?: (late: T) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#onStop = () => {
        reject(new UpstreamFailure(this.#stop!));
        coming.then(unused, () => {});
      };
      if (this.#stop === undefined) coming.then(resolve, reject);
      else this.#onStop();
    }).finally(() => this.#onStop = undefined);
  }

  #attempt(upstream: Upstream, request: OutgoingRequest): Promise<UpstreamResponse> {
    if (this.#stop !== undefined) {
      upstream.release();
      return Promise.reject(new UpstreamFailure(this.#stop));
    }
    this.#requestBytes = 0;
    this.#call = upstream.call(request, this);
    return this.#call.response;
  }

  async #relay(response: UpstreamResponse): Promise<void> {
    const { exchange } = this;
    this.#waitsForHead = false;
    this.#watch.touch(this.context.timeouts.idleMs);
    const { status, reason, body, upgraded } = response;
    const { fields, spellings } = endToEnd(response.fields, response.spellings, () => false);
    const outgoing = { status, reason, fields, spellings, body };
    if (upgraded !== undefined) {
      // From here on either side may end its half by itself.
      exchange.onGone = undefined;
      const agent = await exchange.upgrade!(outgoing);
      await relay({ agent, upstream: upgraded }, {
        toUpstream: (bytes) => this.sent(bytes),
        toAgent: this.#received,
      });
      return;
    }
    await exchange.respond(outgoing, this.#received);
    this.#call!.finish();
  }

  async #fail(error: unknown): Promise<void> {
    const { exchange, verdict, context } = this;
    this.#call?.abort();
    if (error instanceof ProtocolViolation && this.#status === 0) {
      this.#detail = `request: ${error.message}`;
      return await refuseRequest(context, exchange, this.#detail);
    }
    const timedOut = this.#stop === "headers time-out" || this.#stop === "idle time-out";
    this.#detail = this.#stop ?? (error instanceof Error ? error.message : String(error));
    if (timedOut) this.#abortReason = "CONNECTOR_TIMEOUT";
    else if (error instanceof UpstreamFailure && this.#stop === undefined) {
      this.#abortReason = error.reason;
    }
    // Once the head is out, only a broken connection tells the agent that the rest is missing.
    if (this.#abortReason === "" || this.#status !== 0 || exchange.gone) return exchange.abort();
    const problem = context.gate.abortProblem(
      verdict.eventId,
      verdict.actionClass,
      this.#abortReason,
    );
    const response = problemResponse(problem, exchange);
    await unlessIdle(exchange, context, (heard) => exchange.respond(response, heard))
      .catch(() => exchange.abort());
  }

  #outcome(): CallOutcome {
    return {
      status: this.#status,
      abortReason: this.#abortReason,
      detail: this.#detail,
      requestBytes: this.#requestBytes,
      responseBytes: this.#responseBytes,
      headLatencyUs: Math.round(this.#headLatencyMs * 1_000),
      latencyUs: Math.round((performance.now() - this.#started) * 1_000),
    };
  }

  #breakOff(stop: Stop): void {
    this.#stop ??= stop;
    this.#call?.abort();
    this.#onStop?.();
  }

  readonly #onGone = (): void => this.#breakOff("client went away");

  readonly #onRevoked = (): void => {
    this.#breakOff("closed by a later decision");
    this.exchange.abort();
  };

  readonly #onTimeout = (): void => {
    this.#breakOff(this.#waitsForHead ? "headers time-out" : "idle time-out");
    if (this.#status !== 0) this.exchange.abort();
  };
}

/** The request as it goes out: exactly the call that was decided. */
function outgoingRequest(exchange: Exchange, verdict: ForwardVerdict): OutgoingRequest {
  const { call, dropHeaders, setHeaders } = verdict;
  const webSocket = exchange.wantsWebSocket;
  const drop = (name: string) =>
    name === "host" || name === "content-length" ||
    (name === "expect" && !exchange.awaitsContinue) ||
    dropHeaders.includes(name) || setHeaders.some(([set]) => set === name);
  const { fields, spellings } = endToEnd(exchange.fields, exchange.spellings, drop);
  for (const [name, value] of setHeaders) {
    fields.push([name, value]);
    spellings?.push(name);
  }
  return {
    method: call.method,
    scheme: call.scheme,
    authority: formatAuthority(call),
    target: call.path + call.query,
    fields,
    spellings,
    takesTrailers: listHas(exchange.fields, "te", "trailers"),
    webSocket,
    body: exchange.body,
  };
}
