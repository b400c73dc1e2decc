import { askControl } from "../daemon/control_client.ts";
import type { LossQuestion, LossVerdict } from "../sidecar/losses/question.ts";

/** Longer than a Sidecar lets one question wait for a person, in milliseconds. */
const PATIENCE_MS = 180_000;

const UNKNOWN: LossVerdict = { kind: "unknown" };

/** Asks a Sidecar what becomes of an agent whose workspace lost files. Never rejects. */
export async function weighLosses(
  controlSocket: string,
  { sessionId, ...body }: LossQuestion,
): Promise<LossVerdict> {
  const path = `/v1/sessions/${sessionId}/losses`;
  const answer = await askControl(controlSocket, { method: "POST", path, body }, PATIENCE_MS)
    .catch(() => undefined);
  if (answer?.ok !== true) return UNKNOWN;
  const { kind, detail } = (answer.value ?? {}) as Readonly<Record<string, unknown>>;
  if (kind === "free" || kind === "ask") return { kind };
  return kind === "end" ? { kind, detail: String(detail) } : UNKNOWN;
}
