import type { CallInput, Verdict } from "../gate.ts";
import { denialResponse } from "./denial_forms.ts";
import type { Exchange } from "../../net/http/exchange.ts";
import { forward, type ForwardContext } from "./forward.ts";
import { unlessIdle } from "../../net/http/unless_idle.ts";

const LARGEST_DRAIN = 256 * 1024 * 1024;

/** Has one request decided and does what the verdict says. Never rejects. */
export async function serveExchange(exchange: Exchange, context: ForwardContext): Promise<void> {
  try {
    const answer = context.gate.decide(callInput(exchange, context));
    const verdict: Verdict = answer instanceof Promise ? await answer : answer;
    if (verdict.kind === "forward") await forward(exchange, verdict, context);
    else await refuse(exchange, verdict, context);
  } catch {
    // The agent went away, or the gate broke its promise not to throw: either way nothing passes.
    exchange.abort();
  }
}

type Refusal = Extract<Verdict, { readonly kind: "deny" }>;

/** A client that is told no by a success hears it once it has sent everything; others stop. */
async function refuse(
  exchange: Exchange,
  verdict: Refusal,
  context: ForwardContext,
): Promise<void> {
  const { problem, form } = verdict;
  const { body } = exchange;
  await unlessIdle(exchange, context, async (heard) => {
    const whole = form === undefined || body === undefined ||
      await body.drain(LARGEST_DRAIN, heard);
    await exchange.respond(denialResponse(whole ? verdict : { problem }, exchange), heard);
  });
}

function callInput(exchange: Exchange, context: ForwardContext): CallInput {
  const { peer, tunnel } = context.source;
  const { scheme, method, authority, target, body } = exchange;
  return {
    peer,
    scheme,
    httpVersion: exchange.version,
    method,
    authority,
    target,
    headers: exchange.fields,
    ...(tunnel === undefined ? {} : { tunnel }),
    onGone: (listener) => {
      if (exchange.gone) return listener();
      exchange.onGone = listener;
    },
    readBody: (limit) => {
      if (body === undefined) return Promise.resolve(new Uint8Array());
      // A body that breaks off cannot be judged; the forward that may follow breaks off as well.
      return unlessIdle(exchange, context, (heard) => body.readAhead(limit, heard))
        .catch(() => undefined);
    },
    readPrefix: (limit) => {
      if (body === undefined) return Promise.resolve({ bytes: new Uint8Array(), whole: true });
      return unlessIdle(exchange, context, (heard) => body.readPrefix(limit, heard))
        .catch(() => undefined);
    },
  };
}
