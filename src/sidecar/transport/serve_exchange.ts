import type { CallInput, Verdict } from "../gate.ts";
import { denialResponse } from "./denial_forms.ts";
import type { Exchange } from "./exchange.ts";
import { forward, type ForwardContext } from "./forward.ts";
import type { ReplayBody } from "./replay_body.ts";

const LARGEST_DRAIN = 256 * 1024 * 1024;

/** Has one request decided and does what the verdict says. Never rejects. */
export async function serveExchange(exchange: Exchange, context: ForwardContext): Promise<void> {
  try {
    const answer = context.gate.decide(callInput(exchange));
    const verdict: Verdict = answer instanceof Promise ? await answer : answer;
    if (verdict.kind === "forward") await forward(exchange, verdict, context);
    else await refuse(exchange, verdict);
  } catch {
    // The agent went away, or the gate broke its promise not to throw: either way nothing passes.
    exchange.abort();
  }
}

type Refusal = Extract<Verdict, { readonly kind: "deny" }>;

/** A client that is told no by a success hears it once it has sent everything; others stop. */
async function refuse(exchange: Exchange, verdict: Refusal): Promise<void> {
  const { problem, form } = verdict;
  const heard = form === undefined || await drain(exchange.body, LARGEST_DRAIN);
  await exchange.respond(denialResponse(heard ? verdict : { problem }, exchange));
}

/** Reads what is left of a body away; `false` when that is more than `limit` bytes. */
async function drain(body: ReplayBody | undefined, limit: number): Promise<boolean> {
  let left = limit;
  while (body !== undefined && left >= 0) {
    const piece = body.take();
    if (piece === null) return true;
    if (piece === undefined) await body.wait();
    else left -= piece.length;
  }
  return body === undefined;
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
    readPrefix: (limit) => {
      if (body === undefined) return Promise.resolve({ bytes: new Uint8Array(), whole: true });
      return body.readPrefix(limit).catch(() => undefined);
    },
  };
}
