import { type ApprovalRow, listAt } from "../../daemon/approvals.ts";
import { askControl } from "../../daemon/control_client.ts";
import type { RunningSession } from "./standing.ts";

/** How long a Sidecar may take to answer, in milliseconds. */
const PATIENCE_MS = 1_000;

/** What a Sidecar says of itself. */
export interface SidecarAnswer {
  readonly bundleVersion: string;
  readonly audit: string;
  readonly isFresh: boolean;
  readonly sessions: readonly RunningSession[];
  /** What waits for a person. */
  readonly waiting: readonly ApprovalRow[];
}

/** Asks the Sidecar at a control socket how it is; `undefined` when nobody answers. */
export async function askSidecar(controlSocket: string): Promise<SidecarAnswer | undefined> {
  const ask = async (path: string): Promise<Members | undefined> => {
    const answer = await askControl(controlSocket, { method: "GET", path }, PATIENCE_MS);
    return answer.ok ? asMembers(answer.value) : undefined;
  };
  const status = await ask("/v1/status");
  if (status === undefined) return undefined;
  const list = (await ask("/v1/sessions"))?.sessions;
  const approvals = await listAt(controlSocket);
  return {
    bundleVersion: text(status.policy_bundle_version),
    audit: text(asMembers(status.audit)?.state),
    isFresh: status.policy_bundle_fresh !== false,
    sessions: Array.isArray(list) ? list.flatMap(readSession) : [],
    waiting: approvals.ok ? approvals.value.filter(({ state }) => state === "pending") : [],
  };
}

type Members = Readonly<Record<string, unknown>>;

function asMembers(value: unknown): Members | undefined {
  return typeof value === "object" && value !== null ? value as Members : undefined;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function readSession(value: unknown): RunningSession[] {
  const members = asMembers(value);
  if (members === undefined || text(members.session_id) === "") return [];
  return [{
    sessionId: text(members.session_id),
    sandboxId: text(members.sandbox_id),
    agentId: text(members.agent_id),
    profile: text(members.profile),
    command: text(members.command),
    workspace: text(members.workspace),
    startedMs: Date.parse(text(members.started_at)) || 0,
    actions: count(members.action_count),
    denies: count(members.deny_count),
  }];
}
