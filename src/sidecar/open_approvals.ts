import { announcement } from "../approvals/announcement.ts";
import type { Approval } from "../approvals/approval.ts";
import { Approvals } from "../approvals/approvals.ts";
import { Journal } from "../approvals/journal.ts";
import { approvalText } from "../approvals/text.ts";
import { dataDir, type Environment } from "../config/paths.ts";
import type { ApprovalsConfig } from "../config/keys/sidecar_approvals.ts";
import type { ApprovalEvent } from "../core/event.ts";
import { join } from "../core/path.ts";
import { errorLine, type Notify } from "./notices.ts";

/** All sessions of a Sidecar together: what no person looks through any more. */
const MOST_PENDING = 10_000;
/** How long whoever is told may take, in milliseconds. */
const WEBHOOK_MS = 10_000;

/** What opening the approvals of a Sidecar needs. */
export interface OpenApprovalsOptions {
  readonly config: ApprovalsConfig;
  readonly env: Environment;
  readonly record: (event: ApprovalEvent) => boolean;
  readonly notify: Notify;
  /** @default {that of the runtime} */
  readonly fetch?: typeof fetch;
}

/** The approvals of a Sidecar. Opens no file before the first one is asked for or looked at. */
export function openApprovals(
  { config, env, record, notify, fetch: post = fetch }: OpenApprovalsOptions,
): Approvals {
  const { maxPending, pendingTtlMs, tokenTtlMs, webhookUrl } = config;
  return new Approvals({
    limits: { pendingOfSession: maxPending, pending: MOST_PENDING },
    pendingTtlMs,
    tokenTtlMs,
    openJournal: () =>
      Journal.open(
        join(dataDir(env), "approvals"),
        (error) => notify("error", errorLine(error)),
      ),
    record,
    announce: (approval) => {
      notify("warn", announcement(approval), approval.subject.sessionId);
      if (webhookUrl === undefined) return;
      // What fetch says of a fault names the URL, which may hold a secret.
      tell(post, webhookUrl, approval).catch(() => "it cannot be reached").then((problem) => {
        if (problem === undefined) return;
        notify("warn", `The webhook of approvals was not told of ${approval.id}: ${problem}`);
      });
    },
  });
}

/** Says that something waits; returns what went wrong. Nothing else of the answer is looked at. */
async function tell(
  post: typeof fetch,
  url: string,
  { id, subject, untilMs }: Approval,
): Promise<string | undefined> {
  const body = {
    type: "approval_requested",
    approval_id: id,
    text: approvalText(subject),
    questions: subject.challenges,
    action_class: subject.actionClass,
    agent_id: subject.agentId,
    session_id: subject.sessionId,
    sandbox_id: subject.sandboxId,
    expires_at: new Date(untilMs).toISOString(),
    how_to_approve: `firma token approve ${id}`,
  };
  const answer = await post(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    redirect: "error",
    signal: AbortSignal.timeout(WEBHOOK_MS),
  });
  await answer.body?.cancel();
  return answer.ok ? undefined : `it answered with status ${answer.status}`;
}
