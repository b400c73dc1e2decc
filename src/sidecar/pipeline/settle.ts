import type { ApprovalAnswer, ApprovalDesk } from "../../approvals/answer.ts";
import type { ApprovalSubject } from "../../approvals/subject.ts";
import type { Remedy } from "../../policy/outcome.ts";
import type { Denial } from "./draft.ts";
import { deferred } from "./policy.ts";

/** How requests wait for people. */
export interface ApprovalConfig {
  /** `sync_wait` holds a request until somebody decides, `async_token` answers at once. */
  readonly mode: "sync_wait" | "async_token";
  /** How long a request is held, in milliseconds. */
  readonly maxWaitMs: number;
  /** After how long it is worth asking again, in milliseconds. */
  readonly retryAfterMs: number;
  /** Query parameters whose values nobody is shown, beside those whose names say so. */
  readonly redactNames: readonly string[];
}

/** What is decided of a request at a moment. */
export interface Decided {
  readonly denial: Denial | undefined;
  readonly remedy: Remedy | undefined;
}

/** A request that policies leave to a person, network call or execution. */
export interface HeldRequest {
  /** Decides it anew, by what holds at this moment. */
  again(): Decided;
  /** What people are shown of it, and what an approval of it is bound to. */
  subject(challenges: readonly string[]): ApprovalSubject;
  /** Why what policies want changed of it cannot be. */
  unchangeable(remedy: Remedy): Denial | undefined;
  /** Until when it is held, on the clock of `performance.now()`; `0` when it is not. */
  readonly endMs: number;
  /** Whoever wants the answer is gone. */
  readonly left: AbortSignal;
}

/** What became of it. */
export interface Settled {
  /** Why it goes no further, or nothing. */
  readonly denial: Denial | undefined;
  /** The approval that it goes out by. */
  readonly approvalId?: string;
}

/**
 * The last step of a decision that wants a person. Policies, tokens and the session may change while
 * a request waits, so that it is decided again after each wait: an approval lifts exactly the
 * questions that somebody answered, and nothing else.
 */
export async function settle(
  request: HeldRequest,
  desk: ApprovalDesk,
  config: ApprovalConfig,
): Promise<Settled> {
  const { endMs, left } = request;
  for (;;) {
    const { denial, remedy } = request.again();
    if (denial?.reason !== "StepUpRequired" || remedy === undefined) return { denial };
    const waitMs = Math.max(0, endMs - performance.now());
    if (endMs > 0 && waitMs === 0) return { denial: timedOut(config.maxWaitMs) };
    const subject = request.subject(remedy.challenges);
    const answer = await desk.ask({ subject, use: remedy.deferMs === 0, waitMs }, left);
    if (answer.kind === "decided") continue;
    if (answer.kind === "passed") return passed(request, remedy.challenges, answer.id);
    const isOver = answer.kind === "pending" && waitMs > 0 && !left.aborted;
    return {
      denial: isOver ? timedOut(config.maxWaitMs, answer.id) : refusal(answer, denial, config),
    };
  }
}

/** The request goes on by an approval, unless something else has come up meanwhile. */
function passed(request: HeldRequest, approved: readonly string[], approvalId: string): Settled {
  const { denial, remedy } = request.again();
  if (denial?.reason !== "StepUpRequired" || remedy === undefined) return { denial, approvalId };
  if (!remedy.challenges.every((challenge) => approved.includes(challenge))) return { denial };
  const rest = remedy.deferMs > 0 ? deferred(remedy.deferMs) : request.unchangeable(remedy);
  return { denial: rest, approvalId };
}

/** What is said of a request that nobody approved. */
function refusal(
  answer: Exclude<ApprovalAnswer, { readonly kind: "passed" | "decided" }>,
  denial: Denial,
  { retryAfterMs }: ApprovalConfig,
): Denial {
  switch (answer.kind) {
    case "refused":
      return { reason: answer.reason, detail: answer.detail };
    case "denied": {
      const why = answer.reason === "" ? "" : `: ${answer.reason}`;
      const detail = `${answer.id} was denied by a person${why}`;
      return { reason: "PolicyDenied", detail, approval: { id: answer.id, state: "denied" } };
    }
    case "pending": {
      const { id, untilMs } = answer;
      return { ...denial, retryAfterMs, approval: { id, state: "pending", untilMs } };
    }
  }
}

function timedOut(maxWaitMs: number, id?: string): Denial {
  const detail = `nobody decided within ${maxWaitMs / 1_000} s`;
  const approval = id === undefined ? {} : { approval: { id, state: "pending" } as const };
  return { reason: "EnforcementTimeout", detail, ...approval };
}
