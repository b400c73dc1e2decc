import type { Gate } from "../gate.ts";
import { problemResponse } from "./answers.ts";
import type { Exchange } from "./exchange.ts";
import { type PatienceContext, unlessIdle } from "./unless_idle.ts";

/** Records that `exchange` is refused and tells the agent. Never rejects. */
export async function refuseRequest(
  { gate, ...context }: PatienceContext & { readonly gate: Pick<Gate, "refuse"> },
  exchange: Exchange,
  detail: string,
): Promise<void> {
  const { method, authority, target } = exchange;
  const problem = gate.refuse(exchange.peer, {
    method,
    resource: `${authority ?? exchange.tunnel?.connectHost ?? ""}${target}`,
    detail,
  });
  try {
    const response = problemResponse(problem, exchange);
    await unlessIdle(exchange, context, (heard) => exchange.respond(response, heard));
  } catch {
    exchange.abort();
  }
}
