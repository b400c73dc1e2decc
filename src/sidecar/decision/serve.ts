/**
 * The decision API: `InterceptorHook` over gRPC, gRPC-Web and Connect, and the access evaluation
 * API of OpenID AuthZEN 1.0. It decides and has no other verbs.
 */
import { Buffer } from "node:buffer";
import type { DenyProblem } from "../../core/problem.ts";
import { ConnSocket } from "../../net/conn_socket.ts";
import type { Exchange, OutgoingResponse } from "../../net/http/exchange.ts";
import { formatProblem } from "../transport/http1/format_problem.ts";
import { type NoRequest, serveHttp1 } from "../../net/http1/serve.ts";
import { serveHttp2 } from "../../net/http2/serve.ts";
import { SocketReader } from "../../net/socket_reader.ts";
import { Tasks } from "../../net/tasks.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "../transport/transport_options.ts";
import { unlessIdle } from "../../net/http/unless_idle.ts";
import { Watchdog } from "../../net/watchdog.ts";
import { type Evaluation, evaluation, readEvaluation, readEvaluations } from "./authzen.ts";
import { type Advise, interceptHandlers } from "./intercept.ts";
import { answerRpc, json, problem } from "./respond.ts";

/** What is said of something that cannot be read as a request. */
const NO_REQUEST: Omit<DenyProblem, "status" | "detail"> = {
  type: "about:blank",
  title: "Malformed request",
  denied: true,
  reason: "MalformedRequest",
  action_class: "",
  event_id: "",
};
const PREFACE = "PRI * HTTP/2.0";
/** Base64 makes four bytes of three, and a request has more than its body. */
const ENVELOPE_BYTES = 256 * 1024;
const JSON_TYPE = /^application\/json(?:\s*;|$)/i;
const REQUEST_ID = /^[\x21-\x7e]{1,256}$/;

/** Answers the connections of the decision API. */
export class DecisionServer {
  readonly #advise: Advise;
  readonly #largest: number;
  readonly #handlers: ReturnType<typeof interceptHandlers>;
  readonly #watchdog = new Watchdog(250);
  readonly #tasks = new Tasks();

  /** `largestBody`: of a call, in bytes. */
  constructor(advise: Advise, largestBody: number) {
    this.#advise = advise;
    this.#largest = Math.ceil(largestBody / 3) * 4 + ENVELOPE_BYTES;
    this.#handlers = interceptHandlers(advise, this.#largest);
  }

  /** Serves one connection to its end. Never rejects. */
  async serve(conn: Deno.UnixConn): Promise<void> {
    const socket = new ConnSocket(conn);
    const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => {});
    const first = await this.#firstBytes(socket);
    if (first === undefined) socket.destroy();
    else this.#carry(socket, first);
    await ended;
  }

  /** Ends what watches over connections; those have been broken off. */
  close(): void {
    this.#watchdog.close();
  }

  /** Enough to tell HTTP/2 from HTTP/1; `undefined` when there is nothing or it takes too long. */
  async #firstBytes(socket: ConnSocket): Promise<Buffer | undefined> {
    const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
    const watch = this.#watchdog.watch(DEFAULT_TIMEOUTS.headMs, () => resolve(undefined));
    let seen = Buffer.alloc(0);
    const onData = (bytes: Buffer) => {
      seen = Buffer.concat([seen, bytes]);
      const isPreface = PREFACE.startsWith(seen.toString("latin1", 0, PREFACE.length));
      if (!isPreface || seen.length >= PREFACE.length) resolve(seen);
    };
    const onEnd = () => resolve(undefined);
    socket.on("data", onData).on("end", onEnd).on("close", onEnd);
    const first = await promise;
    watch.clear();
    socket.pause();
    socket.off("data", onData).off("end", onEnd).off("close", onEnd);
    return first;
  }

  #carry(socket: ConnSocket, first: Buffer): void {
    socket.unshift(first);
    const context = {
      watchdog: this.#watchdog,
      timeouts: DEFAULT_TIMEOUTS,
      limits: DEFAULT_LIMITS,
      tasks: this.#tasks,
      serve: (exchange: Exchange) => this.#answer(exchange),
      refuse: (exchange: Exchange, detail: string) =>
        exchange.respond(problem(400, detail)).catch(() => exchange.abort()),
      refuseHead: ({ detail, status = 400 }: NoRequest) =>
        formatProblem({ ...NO_REQUEST, status, detail }),
      failed: () => {},
    };
    if (first.toString("latin1", 0, PREFACE.length) === PREFACE) {
      serveHttp2({ socket, scheme: "http" }, context);
    } else {
      const reader = new SocketReader(socket, undefined, DEFAULT_LIMITS.bufferedBytes);
      this.#tasks.add(serveHttp1({ reader, scheme: "http", form: "origin" }, context));
    }
    socket.resume();
  }

  async #answer(exchange: Exchange): Promise<void> {
    const context = { watchdog: this.#watchdog, timeouts: DEFAULT_TIMEOUTS };
    try {
      const response = await unlessIdle(
        exchange,
        context,
        (heard) => this.#respond(exchange, heard),
      );
      await unlessIdle(exchange, context, (heard) => exchange.respond(response, heard));
    } catch {
      exchange.abort();
    }
  }

  async #respond(exchange: Exchange, heard: () => void): Promise<OutgoingResponse> {
    const path = exchange.target.split("?", 1)[0]!;
    const handler = this.#handlers.get(path);
    const evaluate = EVALUATIONS.get(path);
    if (handler === undefined && evaluate === undefined) {
      return problem(404, "there is no such path");
    }
    const read = exchange.body?.readPrefix(this.#largest, heard);
    const { bytes, whole } = await read ?? { bytes: new Uint8Array(), whole: true };
    // What is wrong with its size, a handler says in its own protocol.
    if (handler !== undefined) return await answerRpc(handler, exchange, bytes);
    const named = exchange.fields.find(([name]) => name === "x-request-id");
    const echo = named !== undefined && REQUEST_ID.test(named[1]) ? [named] : [];
    if (exchange.method !== "POST") return problem(405, "POST asks", [["allow", "POST"], ...echo]);
    if (!exchange.fields.some(([name, type]) => name === "content-type" && JSON_TYPE.test(type))) {
      return problem(415, "the request is not application/json", echo);
    }
    if (!whole) return problem(413, `the request has more than ${this.#largest} bytes`, echo);
    const body = parseJson(bytes);
    if (body === undefined) return problem(400, "the request is not JSON", echo);
    return await evaluate!(body, this.#advise, echo);
  }
}

type Fields = readonly (readonly [string, string])[];
type Evaluate = (body: unknown, advise: Advise, echo: Fields) => Promise<OutgoingResponse>;

const EVALUATIONS: ReadonlyMap<string, Evaluate> = new Map([
  ["/access/v1/evaluation", evaluateOne],
  ["/access/v1/evaluations", evaluateAll],
]);

async function evaluateOne(
  body: unknown,
  advise: Advise,
  echo: Fields,
): Promise<OutgoingResponse> {
  const asked = readEvaluation(body);
  if (!asked.ok) return problem(400, asked.error.message, echo);
  return json(200, evaluation(await advise(asked.value)), echo);
}

async function evaluateAll(
  body: unknown,
  advise: Advise,
  echo: Fields,
): Promise<OutgoingResponse> {
  const asked = readEvaluations(body);
  if (!asked.ok) return problem(400, asked.error.message, echo);
  const { questions, semantic } = asked.value;
  // One evaluation without a list is one evaluation.
  if (questions.length === 0) return await evaluateOne(body, advise, echo);
  const evaluations: Evaluation[] = [];
  for (const question of questions) {
    const said = question.ok ? evaluation(await advise(question.value)) : {
      decision: false,
      context: { reason: "MalformedRequest", detail: question.error.message },
    };
    evaluations.push(said);
    if (semantic === "deny_on_first_deny" && !said.decision) break;
    if (semantic === "permit_on_first_permit" && said.decision) break;
  }
  return json(200, { evaluations }, echo);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) ?? undefined;
  } catch {
    return undefined;
  }
}
