import { ConnSocket } from "../net/conn_socket.ts";
import type { Exchange } from "../net/http/exchange.ts";
import { HttpServer } from "../net/http/http_server.ts";
import { ProducedBody } from "../net/http/produced_body.ts";
import { type ControlApi, controlApi, type ControlTarget } from "./control.ts";
import { MOST_BODY_BYTES } from "./control_body.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "./transport/transport_options.ts";

/** How long answers that are on their way may take when the server ends, in milliseconds. */
const LAST_ANSWERS_MS = 500;

/** Answers the connections of the control API. */
export class ControlConnections {
  readonly #api: ControlApi;
  readonly #http = new HttpServer({ timeouts: DEFAULT_TIMEOUTS, limits: DEFAULT_LIMITS });

  constructor(target: ControlTarget) {
    this.#api = controlApi(target);
  }

  /** Serves a connection to its end. Never rejects. */
  async serve(conn: Deno.UnixConn): Promise<void> {
    await this.#http.serve({
      socket: new ConnSocket(conn),
      answer: (exchange) => this.#answer(exchange),
      failed: () => {},
    });
  }

  /** Ends the streams of all sessions, and finishes what is being answered. */
  async close(): Promise<void> {
    this.#api.close();
    await this.#http.close(LAST_ANSWERS_MS);
  }

  async #answer(exchange: Exchange): Promise<void> {
    const gone = Promise.withResolvers<void>();
    try {
      const { status, headers, body } = await this.#api.fetch(await requestOf(exchange));
      exchange.onGone = () => gone.resolve();
      if (exchange.gone) gone.resolve();
      const type = headers.get("content-type");
      const fields = type === null ? [] : [["content-type", type] as const];
      const pieces = body && new ProducedBody(piecesOf(body, gone.promise), () => [], () => {});
      await exchange.respond({ status, fields, ...(pieces && { body: pieces }) });
    } catch {
      exchange.abort();
    }
  }
}

/** A request of which the body is read, up to one byte more than any may have. */
async function requestOf({ method, target, body }: Exchange): Promise<Request> {
  const url = new URL(target, "http://sidecar");
  if (body === undefined) return new Request(url, { method });
  const { bytes } = await body.readPrefix(MOST_BODY_BYTES + 1);
  return new Request(url, { method, body: new Uint8Array(bytes) });
}

/** A body piece by piece; `gone` tells that nobody wants more, even while there is nothing to send. */
async function* piecesOf(
  body: ReadableStream<Uint8Array>,
  gone: Promise<void>,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  void gone.then(() => reader.cancel()).catch(() => {});
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}
