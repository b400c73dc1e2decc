/** What waits for people in the Sidecars of this user, and what people say to it. */
import { dirname, join } from "../core/path.ts";
import { isId } from "../core/id.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { askControl } from "./control_client.ts";

/** An approval as a Sidecar shows it. An agent chose some of it: whoever prints it escapes it. */
export interface ApprovalRow {
  readonly approval_id: string;
  readonly state: string;
  readonly kind: string;
  readonly questions: readonly string[];
  readonly summary: string;
  /** All that there is to see, in lines without controls; `""` where a list was too long for it. */
  readonly shown: string;
  readonly action_class: string;
  readonly agent_id: string;
  readonly session_id: string;
  readonly sandbox_id: string;
  /** RFC 3339. */
  readonly requested_at: string;
  /** RFC 3339; `null` for as long as the session lasts. */
  readonly until: string | null;
  readonly grant: string | null;
  readonly uses: number;
  readonly decided_by: unknown;
  readonly decided_at: string | null;
  readonly reason: string;
}

/** What a person says. */
export interface Verdict {
  readonly verb: "approve" | "deny" | "revoke";
  readonly via: "cli" | "monitor" | "web";
  readonly reason?: string;
  /** How long it may be used again and again, in milliseconds. @default {once} */
  readonly forMs?: number;
  /** As often as the session likes. */
  readonly session?: boolean;
}

/** How long a Sidecar may take to answer, in milliseconds. */
const ANSWER_MS = 5_000;

/** What waits or holds in the Sidecars at these control sockets; those that do not answer are left out. */
export async function listApprovals(sockets: readonly string[]): Promise<ApprovalRow[]> {
  const answers = await Promise.all(sockets.map((socket) => listAt(socket)));
  const rows = answers.flatMap((answer) => answer.ok ? answer.value : []);
  return rows.sort((a, b) => a.requested_at < b.requested_at ? -1 : 1);
}

/** What waits or holds in the Sidecar at one control socket. */
export async function listAt(socket: string): Promise<Result<readonly ApprovalRow[]>> {
  const answer = await askControl(socket, { method: "GET", path: "/v1/approvals" }, ANSWER_MS);
  if (!answer.ok) return answer;
  const list = (answer.value as { approvals?: unknown } | null)?.approvals;
  return ok(Array.isArray(list) ? list.filter(isRow) : []);
}

/** Says it to whichever of the Sidecars knows the approval. */
export async function ruleApproval(
  sockets: readonly string[],
  id: string,
  verdict: Verdict,
): Promise<Result<ApprovalRow>> {
  if (!isId("apr", id)) {
    return err({
      code: "APPROVAL_ID",
      message: `Cannot ${verdict.verb} "${id}": it is not the identifier of an approval, apr_…`,
      cure: "firma token list",
    });
  }
  let unreachable: FirmaError | undefined;
  for (const socket of sockets) {
    const ruled = await ruleAt(socket, id, verdict);
    if (ruled.ok) return ruled;
    const { code } = ruled.error;
    if (code === "SIDECAR_UNREACHABLE") unreachable = ruled.error;
    else if (code !== "NO_APPROVAL") return ruled;
  }
  return err(
    unreachable ?? {
      code: "NO_APPROVAL",
      message: `Cannot ${verdict.verb} "${id}": no Sidecar that runs knows of it`,
      cure: "firma token list",
    },
  );
}

/** The socket is for this user and root alone, and a file beside it says which of them asks. */
async function ruleAt(socket: string, id: string, verdict: Verdict): Promise<Result<ApprovalRow>> {
  const proof = `proof-${crypto.randomUUID()}`;
  const file = join(dirname(socket), proof);
  try {
    await Deno.writeTextFile(file, "", { createNew: true, mode: 0o600 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return err({
      code: "SIDECAR_UNREACHABLE",
      message: `Cannot reach the Sidecar at "${socket}": ${reason}`,
      cause,
    });
  }
  try {
    const { verb, via, reason, forMs, session } = verdict;
    const answer = await askControl(socket, {
      method: "POST",
      path: `/v1/approvals/${id}/${verb}`,
      body: { proof, via, reason, for_ms: forMs, session },
    }, ANSWER_MS);
    if (!answer.ok) return answer;
    if (isRow(answer.value)) return ok(answer.value);
    return err({ code: "SIDECAR_REFUSED", message: "Cannot use the Sidecar: its answer is none" });
  } finally {
    await Deno.remove(file).catch(() => {}); // the Sidecar has taken it away, most likely
  }
}

function isRow(value: unknown): value is ApprovalRow {
  if (typeof value !== "object" || value === null) return false;
  const members = value as Readonly<Record<string, unknown>>;
  const { questions } = members;
  return ["approval_id", "state", "summary", "shown", "action_class", "requested_at", "session_id"]
    .every((name) => typeof members[name] === "string") &&
    Array.isArray(questions) && questions.every((each) => typeof each === "string");
}
