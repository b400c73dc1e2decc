import type { Gate } from "../gate.ts";
import { problemResponse } from "./answers.ts";
import type { Exchange } from "./exchange.ts";

/** Records that `exchange` is refused and tells the agent. Never rejects. */
export async function refuseRequest(gate: Gate, exchange: Exchange, detail: string): Promise<void> {
  const { method, authority, target } = exchange;
  const problem = gate.refuse(exchange.peer, {
    method,
    resource: `${authority ?? exchange.tunnel?.connectHost ?? ""}${target}`,
    detail,
  });
  try {
    await exchange.respond(problemResponse(problem, exchange));
  } catch {
    exchange.abort();
  }
}
