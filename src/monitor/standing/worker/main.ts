/** The worker that looks for daemons and tells them what a person said, in the place of a monitor. */
import type { Environment } from "../../../config/paths.ts";
import { ruleApproval } from "../../../daemon/approvals.ts";
import { controlSockets } from "../../../daemon/control_sockets.ts";
import type { FromDaemons, ToDaemons } from "../daemons.ts";
import { lookAround } from "../look.ts";

const scope = self as unknown as {
  postMessage(message: FromDaemons): void;
  onmessage: ((event: MessageEvent<ToDaemons>) => void) | null;
};

let env: Environment = {};

async function answer(question: Exclude<ToDaemons, { kind: "environment" }>): Promise<unknown> {
  if (question.kind === "look") return await lookAround(env);
  const ruled = await ruleApproval(controlSockets(env), question.id, question.verdict);
  if (ruled.ok) return ruled;
  // What caused it may be nothing that goes from thread to thread.
  const { cause: _, ...error } = ruled.error;
  return { ok: false, error };
}

scope.onmessage = async ({ data }) => {
  if (data.kind === "environment") {
    env = data.env;
    return scope.postMessage({ kind: "ready" });
  }
  scope.postMessage({ kind: "answer", number: data.number, answer: await answer(data) });
};
