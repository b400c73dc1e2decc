import type { ApprovalAnswer, ApprovalDesk } from "../../approvals/answer.ts";
import { callFingerprint } from "../../approvals/fingerprint.ts";
import type { ApprovalSubject } from "../../approvals/subject.ts";
import { redactQuery } from "../../audit/redaction.ts";
import type { Denial, Draft } from "./draft.ts";
import { found } from "./draft.ts";
import { resourceId } from "./envelope.ts";
import { deferred, unchangeable } from "./policy.ts";

/** How calls wait for people. */
export interface ApprovalConfig {
  /** `sync_wait` holds a call until somebody decides, `async_token` answers at once. */
  readonly mode: "sync_wait" | "async_token";
  /** How long a call is held, in milliseconds. */
  readonly maxWaitMs: number;
  /** After how long it is worth asking again, in milliseconds. */
  readonly retryAfterMs: number;
  /** Query parameters whose values nobody is shown, beside those whose names say so. */
  readonly redactNames: readonly string[];
}

/** What holding calls needs. */
export interface HoldOptions {
  readonly desk: ApprovalDesk;
  readonly config: ApprovalConfig;
  /** Largest body that is read to know a call again, in bytes. */
  readonly maxBodyBytes: number;
  /** Decides a call anew, by what holds at this moment. */
  readonly again: (draft: Draft) => Denial | undefined;
}

/** Has people decide a call that policies leave to them; says why it goes no further, or nothing. */
export type Hold = (draft: Draft) => Promise<Denial | undefined>;

/** Held calls keep their bodies in memory; beyond this they are answered instead. */
const MOST_HELD = 256;
const MOST_HELD_BYTES = 64 * 1024 * 1024;

/**
 * Makes the last step of a decision that wants a person. Policies, tokens and the session may change
 * while it waits, so that the call is decided again after each wait: an approval lifts exactly the
 * question that somebody answered, and nothing else.
 */
export function createHold({ desk, config, maxBodyBytes, again }: HoldOptions): Hold {
  let heldCalls = 0;
  let heldBytes = 0;

  async function settle(draft: Draft, body: Body, endMs: number): Promise<Denial | undefined> {
    const left = new AbortController();
    draft.input.onGone?.(() => left.abort());
    for (;;) {
      const denial = again(draft);
      const { remedy } = draft;
      if (denial?.reason !== "StepUpRequired" || remedy === undefined) return denial;
      const waitMs = Math.max(0, endMs - performance.now());
      if (endMs > 0 && waitMs === 0) return timedOut(config.maxWaitMs);
      const subject = subjectOf(draft, remedy.challenges, body, config.redactNames);
      const question = { subject, use: remedy.deferMs === 0, waitMs };
      const answer = await desk.ask(question, left.signal);
      if (answer.kind === "decided") continue;
      if (answer.kind === "passed") return passed(draft, remedy.challenges, answer.id);
      const isOver = answer.kind === "pending" && waitMs > 0 && !left.signal.aborted;
      return isOver ? timedOut(config.maxWaitMs, answer.id) : refusal(answer, denial);
    }
  }

  /** The call goes out by an approval, unless something else has come up meanwhile. */
  function passed(
    draft: Draft,
    approved: readonly string[],
    id: string,
  ): Denial | undefined {
    const denial = again(draft);
    draft.approvalId = id;
    const { remedy } = draft;
    if (denial?.reason !== "StepUpRequired" || remedy === undefined) return denial;
    if (!remedy.challenges.every((challenge) => approved.includes(challenge))) return denial;
    return remedy.deferMs > 0 ? deferred(remedy.deferMs) : unchangeable(draft);
  }

  /** What is said of a call that nobody approved. */
  function refusal(answer: Exclude<ApprovalAnswer, { kind: "passed" }>, denial: Denial): Denial {
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
        const approval = { id, state: "pending", untilMs } as const;
        return { ...denial, retryAfterMs: config.retryAfterMs, approval };
      }
      case "decided":
        return denial;
    }
  }

  return async (draft) => {
    const body = await readBody(draft, maxBodyBytes);
    if (body === undefined) return unhashable(maxBodyBytes);
    // A program that asks can ask again, and has nothing that would have to be held.
    const holds = config.mode === "sync_wait" && draft.input.peer.provenance.via !== "api" &&
      heldCalls < MOST_HELD && heldBytes + body.length <= MOST_HELD_BYTES;
    if (!holds) return await settle(draft, body, 0);
    heldCalls++;
    heldBytes += body.length;
    try {
      return await settle(draft, body, performance.now() + config.maxWaitMs);
    } finally {
      heldCalls--;
      heldBytes -= body.length;
    }
  };
}

interface Body {
  readonly length: number;
  /** Hex. */
  readonly sha256: string;
}

async function readBody({ input, transport }: Draft, limit: number): Promise<Body | undefined> {
  const bytes = transport === "connect" ? new Uint8Array() : await input.readBody(limit);
  if (bytes === undefined) return undefined;
  // Copied where it might be shared, which WebCrypto does not take.
  const digest = await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes));
  return { length: bytes.length, sha256: new Uint8Array(digest).toHex() };
}

function subjectOf(
  draft: Draft,
  challenges: readonly string[],
  body: Body,
  redactNames: readonly string[],
): ApprovalSubject {
  const { input, session, policyIds = [], rule, attributes = {} } = draft;
  const call = found(draft.call, "call");
  const { via, executable = "", address = "" } = input.peer.provenance;
  const url = `${call.scheme}://${resourceId(call)}${redactQuery(call.query, redactNames)}`;
  const decoded = Object.entries(attributes).map(([name, value]) => [name, String(value)] as const);
  return {
    kind: via === "api" ? "question" : "call",
    sessionId: session.sessionId,
    sandboxId: session.sandboxId,
    agentId: session.agentId,
    fingerprint: callFingerprint(call, input.headers, body.sha256),
    actionClass: rule?.actionClass ?? "",
    challenges,
    policyIds,
    summary: `${call.method} ${url}`,
    details: [
      ...decoded,
      ["does also", (draft.operations ?? []).map((each) => each.action_class).join(", ")],
      ["body", body.length === 0 ? "" : `${body.length} bytes, SHA-256 ${body.sha256}`],
      ["program", executable],
      ["from", address],
    ],
  };
}

function unhashable(limit: number): Denial {
  const detail = `a person would have to approve it, and its body breaks off or is larger than ` +
    `${limit} bytes, so that nobody could tell it from another one`;
  return { reason: "MalformedRequest", detail };
}

function timedOut(maxWaitMs: number, id?: string): Denial {
  const detail = `nobody decided within ${maxWaitMs / 1_000} s`;
  return {
    reason: "EnforcementTimeout",
    detail,
    ...(id !== undefined && { approval: { id, state: "pending" } as const }),
  };
}
