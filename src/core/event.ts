import { type AbortReason, type Decision, type DenyReason, holdsBack } from "./decision.ts";
import type { CredentialChange } from "./credential_change.ts";
import type { ExecutionEnvelope } from "./envelope.ts";

/** Version of the form of events; rises when a reader of the old form would misread the new one. */
export const EVENT_SCHEMA_VERSION = 1;

/** What every execution event says. The audit writer adds `seq`, `prev` and `signature`. */
export interface EventBase {
  /** `aevt_…` */
  readonly event_id: string;
  /** RFC 3339 with microseconds, UTC. */
  readonly timestamp: string;
  readonly sandbox_id: string;
  readonly session_id: string;
  readonly agent_id: string;
}

/** A session began or ended. */
export interface SessionEvent extends EventBase {
  readonly kind: "session";
  readonly phase: "started" | "ended";
  readonly profile: string;
  /** Program name and arguments count only: arguments may hold secrets. */
  readonly command: string;
  readonly workspace: string;
  /** Nothing is enforced in this session; absent where it is. */
  readonly mode?: "monitor";
  readonly exit_code?: number;
}

/** A call was decided. Written before the call leaves. */
export interface DecisionEvent extends EventBase {
  readonly kind: "decision";
  readonly decision: Decision;
  /** `false`: the call was denied in name alone, and left; absent otherwise. */
  readonly enforced?: false;
  /** `""` unless the call was denied. */
  readonly deny_reason: DenyReason | "";
  /** For the operator; never sent to the agent. */
  readonly detail: string;
  /** The approval that the call waits for or went out by, `apr_…`; absent where nobody was asked. */
  readonly approval_id?: string;
  /** `raw.http.<METHOD>` or `network.connect` when the call could not be classified. */
  readonly action_class: string;
  /** `<host><path>?<redacted query>` */
  readonly resource: string;
  readonly method: string;
  readonly token_id: string;
  readonly bundle_version: string;
  /** Policies that determined the decision. */
  readonly policy_ids: readonly string[];
  readonly latency_us: number;
  /** Exactly what the policy saw; absent when the call was refused before there was one. */
  readonly envelope?: ExecutionEnvelope;
  /** Which program made the call, where it is known and there is no envelope. */
  readonly provenance?: ExecutionEnvelope["provenance"];
}

/** A program was about to be executed in a sandbox, and decided. Written before it runs. */
export interface ExecEvent extends Omit<DecisionEvent, "kind"> {
  readonly kind: "exec";
  readonly execution: RecordedExecution;
  /** The event whose decision holds for this execution too; it has the envelope. */
  readonly repeats?: string;
}

/** What was to be executed; secrets redacted, long lists cut. */
export interface RecordedExecution {
  readonly pid: number;
  /** As the caller named it. */
  readonly path: string;
  /** The file that this is. */
  readonly file: string;
  readonly argv: readonly string[];
  /** How many arguments there are; -1 for more than were looked at. */
  readonly argc: number;
  readonly cwd: string;
  /** What runs the file, which is a script. */
  readonly interpreter?: string;
  /** The SHA-256 of the file, in hex, where some rule may be about the program. */
  readonly sha256?: string;
  /** Asked for by a shim in the place of the program; absent: by the kernel. */
  readonly gate?: "shims";
}

/** Whether the call may go out: a denial that is not enforced holds nothing back. */
export function isLetOut(
  { decision, enforced }: Pick<DecisionEvent, "decision" | "enforced">,
): boolean {
  return !holdsBack(decision) || enforced === false;
}

/** Whether the end of an allowed call is recorded too: not where somebody else makes it, or nobody. */
export function hasOutcome({ envelope, provenance }: DecisionEvent): boolean {
  const via = (envelope?.provenance ?? provenance)?.via;
  return via !== "api" && via !== "watch";
}

/** Which credential a call went out with; nothing of it is secret. */
export interface CredentialRecord {
  /** Its name in `firma.toml`. */
  readonly label: string;
  /** Where it came from, such as `file`. */
  readonly provider: string;
  /** What it is good for, in words of the provider. */
  readonly scope: string;
  /** RFC 3339; absent where it does not expire. */
  readonly expires_at?: string;
}

/** An allowed call ended. */
export interface OutcomeEvent extends EventBase {
  readonly kind: "outcome";
  /** The `event_id` of the decision. */
  readonly decision_event_id: string;
  /** Upstream status, 0 when there was none. */
  readonly status: number;
  readonly abort_reason: AbortReason | "";
  /** Why the call ended early, for the operator; `""` when it ended well. */
  readonly detail: string;
  readonly request_bytes: number;
  readonly response_bytes: number;
  /** Until the head of the response, and until its end. */
  readonly head_latency_us: number;
  readonly latency_us: number;
  /** What the broker added to the call; absent where it added nothing. */
  readonly credential?: CredentialRecord;
}

/** The policy in force changed, or an edit was refused. */
export interface PolicyEvent extends EventBase {
  readonly kind: "policy";
  readonly change: "applied" | "refused" | "gone";
  readonly bundle_version: string;
  readonly detail: string;
}

/** `firma.toml` was edited while its Sidecar ran. */
export interface ConfigEvent extends EventBase {
  readonly kind: "config";
  /**
   * `applied`: what can change while calls are decided is in force. `refused`: it cannot be used, and
   * all is as it was. `untrusted`: nobody has said yet that the edit is theirs, and all is as it was.
   */
  readonly change: "applied" | "refused" | "untrusted";
  /** The keys that hold from now on. */
  readonly keys: readonly string[];
  /** What became of which credentials, by name. */
  readonly credentials?: CredentialChange;
  /** Why it is refused, with file and line. */
  readonly detail: string;
}

/** Something happened to the audit trail itself: a key came into use, a torn line was set aside. */
export interface KeyEvent extends EventBase {
  readonly kind: "key";
  /**
   * `created`: the first line that this key signed. `recovered`: the log could
   * not be written for a while, or a torn line was set aside. `truncated`: the
   * log holds fewer lines than were once written to it, or others. `rotated`: the log
   * went on in the file that this line begins. `dropped`: retention gave up old files.
   * `handed_over`: the last line that this key signs. `certified`: another key, which need not be
   * on this machine, vouches for this one.
   */
  readonly change:
    | "created"
    | "recovered"
    | "truncated"
    | "rotated"
    | "dropped"
    | "handed_over"
    | "certified";
  /** Raw Ed25519 public key that signs this line, standard base64. */
  readonly public_key: string;
  readonly detail: string;
  /** Of the form of the lines from this one on; every file of a log begins with such an event. */
  readonly schema_version?: number;
  /** Of `rotated`: the name of the file with the lines before. */
  readonly file?: string;
  /** Of `rotated` and `dropped`: the first line that the files hold. */
  readonly first_seq?: number;
  /** Of `rotated` and `dropped`: their last line. After `dropped`, none up to it is held. */
  readonly last_seq?: number;
  /**
   * Of `rotated`: the roots of the full trees that all lines up to `last_seq` make, from the left,
   * standard base64. From them the tree goes on without those lines.
   */
  readonly tree?: readonly string[];
  /** Of `handed_over`: the key that signs from the next line on. */
  readonly next_public_key?: string;
  /** Of `certified`: the key that vouches, and its signature over the statement that it does. */
  readonly root_public_key?: string;
  readonly root_signature?: string;
}

/** A person was asked, or answered, or what they said came to its end. */
export interface ApprovalEvent extends EventBase {
  readonly kind: "approval";
  readonly change: "requested" | "approved" | "denied" | "used" | "expired" | "revoked";
  /** `apr_…` */
  readonly approval_id: string;
  readonly action_class: string;
  /** Policies that wanted somebody to be asked. */
  readonly policy_ids: readonly string[];
  /** Exactly what people were shown of the request; `""` where nobody had to look. */
  readonly shown: string;
  /** The reason that somebody gave, or why it ended. */
  readonly detail: string;
  /** Who said so, by the system's word. */
  readonly by?: { readonly uid: number; readonly user: string; readonly via: string };
  /** How often the request may pass, once approved. */
  readonly grant?: "once" | "period" | "session";
  /** Until when that holds, RFC 3339; absent for as long as the session lasts. */
  readonly until?: string;
}

/** The sandbox refused something, or set it right, without policy being asked. */
export interface SandboxEvent extends EventBase {
  readonly kind: "sandbox";
  /**
   * `connection`: a program tried a port or protocol that does not leave. `seal`: something that
   * the host would have run was undone. `limit`: the agent ran into what it may use. `deletion`,
   * `overwrite`: files of the workspace that were there at the start are gone, or hold something else.
   */
  readonly finding: "connection" | "seal" | "limit" | "gate" | "deletion" | "overwrite";
  /** In one line; an agent chose parts of it. */
  readonly detail: string;
  /** How often, since it was last told; at least 1, but for files that are back again. */
  readonly count: number;
  /** Of files that are gone or hold something else. */
  readonly action_class?: "filesystem.delete" | "filesystem.write";
  /** How many of these files there are now. */
  readonly total?: number;
  /** Some of those that were not named before, escaped as for a terminal. */
  readonly paths?: readonly string[];
  /** Found out when the agent had ended, whatever was seen before. */
  readonly final?: true;
  /** Which program, where it is known. */
  readonly program?: { readonly pid: number; readonly executable: string };
}

/** What a sandbox tells its Sidecar. */
export type SandboxFinding = Pick<
  SandboxEvent,
  "finding" | "detail" | "count" | "action_class" | "total" | "paths" | "final" | "program"
>;

/** One line of the audit log before it is chained and signed. */
export type ExecutionEvent =
  | SessionEvent
  | DecisionEvent
  | ExecEvent
  | OutcomeEvent
  | ApprovalEvent
  | PolicyEvent
  | ConfigEvent
  | KeyEvent
  | SandboxEvent;

/** A line of the audit log as it stands in the file. */
export type SignedEvent = ExecutionEvent & {
  /** Counts from 1 over the whole log. */
  readonly seq: number;
  /** SHA-256 of the previous line without its newline, hex; 64 zeros for the first. */
  readonly prev: string;
  /** Ed25519 over the RFC 8785 canonical form without this member, standard base64. */
  readonly signature: string;
};
