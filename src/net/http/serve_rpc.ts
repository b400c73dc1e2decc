import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { Body } from "../byte_source.ts";
import type { Watchdog } from "../watchdog.ts";
import type { Exchange } from "./exchange.ts";
import { ProducedBody } from "./produced_body.ts";

/** What answering with a handler of Connect needs. */
export interface RpcContext {
  readonly watchdog: Watchdog;
  /** How long a request may take to come whole, in milliseconds. */
  readonly requestMs: number;
  /** How long a client may leave a piece of its answer unread, in milliseconds. */
  readonly unreadMs: number;
  /** Handed to the handler, which cannot tell otherwise who asks. */
  readonly values?: ContextValues;
  /** Hears of each piece of the request; what it throws is answered. */
  readonly received?: (bytes: number) => void;
}

/**
 * Has a handler of Connect answer a request, in whichever of its protocols it is. The answer is
 * made no faster than its client reads it, and no more of it is made once the client is gone.
 * Rejects, with the exchange left as it is, when it cannot be answered whole.
 */
export async function serveRpc(
  handler: UniversalHandler,
  exchange: Exchange,
  context: RpcContext,
): Promise<void> {
  const gone = new AbortController();
  exchange.onGone = () => gone.abort(new ConnectError("client went away", Code.Canceled));
  if (exchange.gone) exchange.onGone();
  const answer = await handler({
    httpVersion: exchange.version,
    method: exchange.method,
    url: `${exchange.scheme}://localhost${exchange.target}`,
    header: new Headers(exchange.fields.map(([name, value]): [string, string] => [name, value])),
    body: requestBody(exchange, context),
    signal: gone.signal,
    ...(context.values && { contextValues: context.values }),
  });
  const { status, header, body: pieces, trailer } = answer;
  const fields = [...header ?? []];
  if (pieces === undefined) return await exchange.respond({ status, fields });
  const unread = new UnreadWatch(exchange, context);
  const body = new ProducedBody(
    pieces,
    () => [...trailer ?? []],
    (isSending) => unread.turn(isSending),
  );
  try {
    // The head goes out with what comes after it.
    await body.wait();
    await exchange.respond({
      status,
      // The body is framed as it comes.
      fields: fields.filter(([name]) => name !== "content-length"),
      body,
    });
  } finally {
    await body.end();
  }
}

/** The body of a request as it comes; it fails when that takes too long. */
async function* requestBody(
  exchange: Exchange,
  { watchdog, requestMs, received }: RpcContext,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { body } = exchange;
  if (body === undefined) return;
  if (exchange.awaitsContinue) exchange.inform(100, []);
  const { promise: late, reject } = Promise.withResolvers<never>();
  late.catch(() => {});
  const watch = watchdog.watch(
    requestMs,
    () => reject(new ConnectError("the request did not come in time", Code.DeadlineExceeded)),
  );
  try {
    for (;;) {
      const piece = body.take();
      if (piece === null) return;
      if (piece === undefined) {
        await Promise.race([waitFor(body), late]);
        continue;
      }
      received?.(piece.length);
      yield new Uint8Array(piece);
    }
  } finally {
    watch.clear();
  }
}

async function waitFor(body: Body): Promise<void> {
  try {
    await body.wait();
  } catch (cause) {
    throw new ConnectError("the request broke off", Code.Aborted, undefined, undefined, cause);
  }
}

/** Breaks an exchange off whose client does not read. */
class UnreadWatch {
  readonly #exchange: Exchange;
  readonly #context: RpcContext;
  #watch: { clear(): void } | undefined;

  constructor(exchange: Exchange, context: RpcContext) {
    this.#exchange = exchange;
    this.#context = context;
  }

  turn(isSending: boolean): void {
    this.#watch?.clear();
    const { watchdog, unreadMs } = this.#context;
    this.#watch = isSending ? watchdog.watch(unreadMs, () => this.#exchange.abort()) : undefined;
  }
}
