import type { Gate } from "../gate.ts";
import { problemResponse } from "./answers.ts";
import type { CallSource } from "./call_source.ts";
import type { Exchange } from "../../net/http/exchange.ts";
import { type PatienceContext, unlessIdle } from "../../net/http/unless_idle.ts";

/** What refusing needs. */
export interface RefusalContext extends PatienceContext {
  readonly gate: Pick<Gate, "refuse">;
  readonly source: CallSource;
}

/** Records that `exchange` is refused and tells the agent. Never rejects. */
export async function refuseRequest(
  { gate, source, ...context }: RefusalContext,
  exchange: Exchange,
  detail: string,
): Promise<void> {
  const { method, authority, target } = exchange;
  const problem = gate.refuse(source.peer, {
    method,
    resource: `${authority ?? source.tunnel?.connectHost ?? ""}${target}`,
    detail,
  });
  try {
    const response = problemResponse(problem, exchange);
    await unlessIdle(exchange, context, (heard) => exchange.respond(response, heard));
  } catch {
    exchange.abort();
  }
}
