import type { Hono } from "hono";
import type { Approval, Approver } from "../approvals/approval.ts";
import { NO_END_MS } from "../approvals/approval.ts";
import type { Ruling } from "../approvals/approvals.ts";
import { approvalText } from "../approvals/text.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { readJson } from "./control_body.ts";
import { invalidRequest } from "./session_body.ts";

/** What people can do about what waits for them. */
export interface ApprovalControl {
  list(): Promise<readonly Approval[]>;
  rule(id: string, ruling: Ruling, by: Approver, reason: string): Promise<Result<Approval>>;
  /** Who asks, by a proof that this one has left. */
  identify(proof: unknown, via: Approver["via"]): Promise<Result<Approver>>;
}

/** An answer is read as a whole; what is shown of the last ones gives way to that there are any. */
const MOST_SHOWN = 2 * 1024 * 1024;
const LONGEST_SUMMARY = 300;
const LONGEST_REASON = 500;
/** A year. */
const LONGEST_MS = 366 * 86_400_000;

const VIAS: readonly Approver["via"][] = ["cli", "monitor", "web"];
const VERBS = ["approve", "deny", "revoke"] as const;

/** Adds the routes of approvals to the control API. */
export function addApprovalRoutes(
  app: Hono,
  approvals: ApprovalControl,
  refused: (error: FirmaError) => Response,
): void {
  app.get("/v1/approvals", async (context) => {
    let shown = 0;
    const rows = (await approvals.list()).map((approval) => {
      const row = approvalRow(approval);
      shown += row.shown.length;
      return shown <= MOST_SHOWN ? row : { ...row, shown: "" };
    });
    return context.json({ approvals: rows });
  });
  for (const verb of VERBS) {
    app.post(`/v1/approvals/:id/${verb}`, async (context) => {
      const body = await readJson(context.req.raw);
      const asked = body.ok ? parseRuling(verb, body.value) : body;
      if (!asked.ok) return refused(asked.error);
      const by = await approvals.identify(asked.value.proof, asked.value.via);
      if (!by.ok) return refused(by.error);
      const { ruling, reason } = asked.value;
      const ruled = await approvals.rule(context.req.param("id"), ruling, by.value, reason);
      return ruled.ok ? context.json(approvalRow(ruled.value)) : refused(ruled.error);
    });
  }
}

interface Asked {
  readonly ruling: Ruling;
  readonly proof: unknown;
  readonly via: Approver["via"];
  readonly reason: string;
}

function parseRuling(verb: typeof VERBS[number], body: unknown): Result<Asked> {
  if (typeof body !== "object" || body === null) return invalidRequest("it is not an object");
  const { proof, via, reason = "", for_ms: forMs, session } = body as Record<string, unknown>;
  const way = VIAS.find((known) => known === via);
  if (way === undefined) return invalidRequest('"via" is none of cli, monitor and web');
  if (typeof reason !== "string" || reason.length > LONGEST_REASON) {
    return invalidRequest(`"reason" is not a text of at most ${LONGEST_REASON} characters`);
  }
  const asked = { proof, via: way, reason };
  if (verb !== "approve") return ok({ ...asked, ruling: { kind: verb } });
  if (session !== undefined && typeof session !== "boolean") {
    return invalidRequest('"session" is neither true nor false');
  }
  if (forMs === undefined) {
    return ok({ ...asked, ruling: { kind: verb, session: session === true } });
  }
  if (session === true) return invalidRequest('"for_ms" and "session" are both there');
  const isTime = typeof forMs === "number" && Number.isSafeInteger(forMs);
  if (isTime && forMs > 0 && forMs <= LONGEST_MS) {
    return ok({ ...asked, ruling: { kind: verb, forMs } });
  }
  return err({
    code: "INVALID_REQUEST",
    message: 'Cannot use the request: "for_ms" is not a time of at most a year',
  });
}

/** An approval as the API shows it. */
export function approvalRow(approval: Approval) {
  const { id, subject, state, requestedMs, untilMs, grant, by, decidedMs, reason, uses } = approval;
  const { summary } = subject;
  return {
    approval_id: id,
    state,
    kind: subject.kind,
    questions: subject.challenges,
    summary: summary.length > LONGEST_SUMMARY ? `${summary.slice(0, LONGEST_SUMMARY)}…` : summary,
    shown: approvalText(subject),
    action_class: subject.actionClass,
    agent_id: subject.agentId,
    session_id: subject.sessionId,
    sandbox_id: subject.sandboxId,
    requested_at: new Date(requestedMs).toISOString(),
    until: untilMs === NO_END_MS ? null : new Date(untilMs).toISOString(),
    grant: grant ?? null,
    uses,
    decided_by: by ?? null,
    decided_at: decidedMs === undefined ? null : new Date(decidedMs).toISOString(),
    reason: reason ?? "",
  };
}
