/**
 * The decision API: `InterceptorHook` over gRPC, gRPC-Web and Connect, and the access evaluation
 * API of OpenID AuthZEN 1.0. It decides and has no other verbs.
 */
import { ConnSocket } from "../../net/conn_socket.ts";
import { json, problem } from "../../net/http/answers.ts";
import type { Exchange, OutgoingResponse } from "../../net/http/exchange.ts";
import { HttpServer } from "../../net/http/http_server.ts";
import { serveRpc } from "../../net/http/serve_rpc.ts";
import { unlessIdle } from "../../net/http/unless_idle.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "../transport/transport_options.ts";
import { type Evaluation, evaluation, readEvaluation, readEvaluations } from "./authzen.ts";
import { type Advise, interceptHandlers } from "./intercept.ts";

/** Base64 makes four bytes of three, and a request has more than its body. */
const ENVELOPE_BYTES = 256 * 1024;
const JSON_TYPE = /^application\/json(?:\s*;|$)/i;
const REQUEST_ID = /^[\x21-\x7e]{1,256}$/;

/** Answers the connections of the decision API. */
export class DecisionServer {
  readonly #advise: Advise;
  readonly #largest: number;
  readonly #handlers: ReturnType<typeof interceptHandlers>;
  readonly #http = new HttpServer({ timeouts: DEFAULT_TIMEOUTS, limits: DEFAULT_LIMITS });

  /** `largestBody`: of a call, in bytes. */
  constructor(advise: Advise, largestBody: number) {
    this.#advise = advise;
    this.#largest = Math.ceil(largestBody / 3) * 4 + ENVELOPE_BYTES;
    this.#handlers = interceptHandlers(advise, this.#largest);
  }

  /** Serves one connection to its end. Never rejects. */
  async serve(conn: Deno.UnixConn): Promise<void> {
    await this.#http.serve({
      socket: new ConnSocket(conn),
      answer: (exchange) => this.#answer(exchange),
      failed: () => {},
    });
  }

  /** Ends what watches over connections; those have been broken off. */
  async close(): Promise<void> {
    await this.#http.close(0);
  }

  async #answer(exchange: Exchange): Promise<void> {
    const { watchdog } = this.#http;
    const { idleMs } = DEFAULT_TIMEOUTS;
    const context = { watchdog, timeouts: DEFAULT_TIMEOUTS };
    try {
      const handler = this.#handlers.get(pathOf(exchange));
      if (handler !== undefined) {
        return await serveRpc(handler, exchange, { watchdog, requestMs: idleMs, unreadMs: idleMs });
      }
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
    const evaluate = EVALUATIONS.get(pathOf(exchange));
    if (evaluate === undefined) return problem(404, "there is no such path");
    const named = exchange.fields.find(([name]) => name === "x-request-id");
    const echo = named !== undefined && REQUEST_ID.test(named[1]) ? [named] : [];
    if (exchange.method !== "POST") return problem(405, "POST asks", [["allow", "POST"], ...echo]);
    if (!exchange.fields.some(([name, type]) => name === "content-type" && JSON_TYPE.test(type))) {
      return problem(415, "the request is not application/json", echo);
    }
    const read = exchange.body?.readPrefix(this.#largest, heard);
    const { bytes, whole } = await read ?? { bytes: new Uint8Array(), whole: true };
    if (!whole) return problem(413, `the request has more than ${this.#largest} bytes`, echo);
    const body = parseJson(bytes);
    if (body === undefined) return problem(400, "the request is not JSON", echo);
    return await evaluate(body, this.#advise, echo);
  }
}

function pathOf(exchange: Exchange): string {
  return exchange.target.split("?", 1)[0]!;
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
