import { err, ok, type Result } from "../core/result.ts";
import type { ApprovalSubject } from "./subject.ts";

/** Where an approval is in its life; the last three are its ends. */
export type ApprovalState = "pending" | "approved" | "denied" | "used" | "expired" | "revoked";

/**
 * What somebody permits: the request `once`, any number of times for a `period`, or as long as the
 * `session` lasts.
 */
export type Grant = "once" | "period" | "session";

/** A person, by what the system says of the process that they spoke through. */
export interface Approver {
  readonly uid: number;
  readonly user: string;
  readonly via: "cli" | "monitor" | "web";
}

/** An approval as it is at a moment. Times are in milliseconds since the epoch. */
export interface Approval {
  /** `apr_…` */
  readonly id: string;
  readonly subject: ApprovalSubject;
  readonly state: ApprovalState;
  readonly requestedMs: number;
  /** When this state ends by itself; of an end, when that came. */
  readonly untilMs: number;
  /** Of one that was approved. */
  readonly grant?: Grant;
  /** Who decided last, when, and why. */
  readonly by?: Approver;
  readonly decidedMs?: number;
  readonly reason?: string;
  readonly uses: number;
}

/** Something that happens to an approval. */
export type ApprovalChange =
  | {
    readonly change: "requested";
    readonly id: string;
    readonly atMs: number;
    readonly subject: ApprovalSubject;
    readonly untilMs: number;
  }
  | Decided & { readonly change: "approved"; readonly grant: Grant; readonly untilMs: number }
  | Decided & { readonly change: "denied"; readonly untilMs: number }
  | Decided & { readonly change: "revoked" }
  | { readonly change: "used"; readonly id: string; readonly atMs: number }
  | {
    readonly change: "expired";
    readonly id: string;
    readonly atMs: number;
    readonly detail: string;
  };

interface Decided {
  readonly id: string;
  readonly atMs: number;
  readonly by: Approver;
  readonly reason: string;
}

/** Of approvals that time alone does not end. */
export const NO_END_MS = Number.MAX_SAFE_INTEGER;

const VERBS = {
  requested: "ask for",
  approved: "approve",
  denied: "deny",
  used: "use",
  expired: "end",
  revoked: "revoke",
} as const;

/** States from which a change may come. */
const FROM: Readonly<Record<Exclude<ApprovalChange["change"], "requested">, ApprovalState[]>> = {
  approved: ["pending"],
  denied: ["pending"],
  used: ["approved"],
  expired: ["pending", "approved", "denied"],
  revoked: ["pending", "approved", "denied"],
};

/** The approval after a change, or why that cannot come now. */
export function advance(before: Approval | undefined, change: ApprovalChange): Result<Approval> {
  if (change.change === "requested") {
    const { id, atMs, subject, untilMs } = change;
    if (before !== undefined) {
      return refuse(change, { code: "APPROVAL_DECIDED", state: "it is there already" });
    }
    return ok({ id, subject, state: "pending", requestedMs: atMs, untilMs, uses: 0 });
  }
  if (before === undefined) {
    return refuse(change, { code: "NO_APPROVAL", state: "there is none of this name" });
  }
  const isOver = change.change !== "expired" && change.atMs >= before.untilMs;
  if (isOver || !FROM[change.change].includes(before.state)) return refuseNow(before, change);
  switch (change.change) {
    case "approved":
    case "denied": {
      const { change: state, untilMs, by, atMs: decidedMs, reason } = change;
      const grant = change.change === "approved" ? { grant: change.grant } : {};
      return ok({ ...before, state, untilMs, by, decidedMs, reason, ...grant });
    }
    case "used": {
      const uses = before.uses + 1;
      if (before.grant !== "once") return ok({ ...before, uses });
      return ok({ ...before, state: "used", untilMs: change.atMs, uses });
    }
    case "revoked": {
      const { by, atMs, reason } = change;
      return ok({ ...before, state: "revoked", untilMs: atMs, by, decidedMs: atMs, reason });
    }
    case "expired":
      return ok({ ...before, state: "expired", untilMs: change.atMs, reason: change.detail });
  }
}

function refuseNow(before: Approval, change: ApprovalChange): Result<never> {
  const { state, by, decidedMs = 0, untilMs } = before;
  const decided = `by ${by?.user} (uid ${by?.uid}) at ${timeOf(decidedMs)}`;
  switch (state) {
    case "used":
      return refuse(change, { code: "APPROVAL_USED", state: `it was used at ${timeOf(untilMs)}` });
    case "revoked":
      return refuse(change, { code: "APPROVAL_REVOKED", state: `it was revoked ${decided}` });
    case "expired":
      return refuse(change, {
        code: "APPROVAL_EXPIRED",
        state: `it expired at ${timeOf(untilMs)}`,
      });
  }
  if (change.atMs >= untilMs) {
    return refuse(change, { code: "APPROVAL_EXPIRED", state: `it expired at ${timeOf(untilMs)}` });
  }
  if (state === "pending") {
    return refuse(change, { code: "APPROVAL_PENDING", state: "nobody has decided it yet" });
  }
  return refuse(change, { code: "APPROVAL_DECIDED", state: `it was ${state} already, ${decided}` });
}

function refuse(
  { change, id }: ApprovalChange,
  { code, state }: { readonly code: string; readonly state: string },
): Result<never> {
  return err({ code, message: `Cannot ${VERBS[change]} "${id}": ${state}` });
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
