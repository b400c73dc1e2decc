import type { CallInput, Verdict } from "../gate.ts";
import { problemResponse } from "./answers.ts";
import type { Exchange } from "./exchange.ts";
import { forward, type ForwardContext } from "./forward.ts";

/** Has one request decided and does what the verdict says. Never rejects. */
export async function serveExchange(exchange: Exchange, context: ForwardContext): Promise<void> {
  try {
    const answer = context.gate.decide(callInput(exchange));
    const verdict: Verdict = answer instanceof Promise ? await answer : answer;
    if (verdict.kind === "forward") await forward(exchange, verdict, context);
    else await exchange.respond(problemResponse(verdict.problem, exchange));
  } catch {
    // The agent went away, or the gate broke its promise not to throw: either way nothing passes.
    exchange.abort();
  }
}

function callInput(exchange: Exchange): CallInput {
  const { peer, tunnel, scheme, method, authority, target, body } = exchange;
  return {
    peer,
    scheme,
    httpVersion: exchange.version,
    method,
    authority,
    target,
    headers: exchange.fields,
    ...(tunnel === undefined ? {} : { tunnel }),
    readBody: (limit) => {
      if (body === undefined) return Promise.resolve(new Uint8Array());
      // A body that breaks off cannot be judged; the forward that may follow breaks off as well.
      return body.readAhead(limit).catch(() => undefined);
    },
  };
}
