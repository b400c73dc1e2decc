import type { ApprovalDesk } from "../../approvals/answer.ts";
import { callFingerprint } from "../../approvals/fingerprint.ts";
import type { ApprovalSubject } from "../../approvals/subject.ts";
import { redactQuery } from "../../audit/redaction.ts";
import type { Denial, Draft } from "./draft.ts";
import { found } from "./draft.ts";
import { resourceId } from "./envelope.ts";
import { unchangeable } from "./policy.ts";
import { type ApprovalConfig, settle } from "./settle.ts";

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

/** Makes the last step of a decision about a call that wants a person. */
export function createHold({ desk, config, maxBodyBytes, again }: HoldOptions): Hold {
  let heldCalls = 0;
  let heldBytes = 0;

  async function settleCall(
    draft: Draft,
    body: Body,
    endMs: number,
  ): Promise<Denial | undefined> {
    const left = new AbortController();
    draft.input.onGone?.(() => left.abort());
    const { denial, approvalId } = await settle(
      {
        again: () => {
          const denial = again(draft);
          return { denial, remedy: draft.remedy };
        },
        subject: (challenges) => subjectOf(draft, challenges, body, config.redactNames),
        unchangeable: () => unchangeable(draft),
        endMs,
        left: left.signal,
      },
      desk,
      config,
    );
    if (approvalId !== undefined) draft.approvalId = approvalId;
    return denial;
  }

  return async (draft) => {
    const body = await readBody(draft, maxBodyBytes);
    if (body === undefined) return unhashable(maxBodyBytes);
    // A program that asks can ask again, and has nothing that would have to be held.
    const holds = config.mode === "sync_wait" && draft.input.peer.provenance.via !== "api" &&
      heldCalls < MOST_HELD && heldBytes + body.length <= MOST_HELD_BYTES;
    if (!holds) return await settleCall(draft, body, 0);
    heldCalls++;
    heldBytes += body.length;
    try {
      return await settleCall(draft, body, performance.now() + config.maxWaitMs);
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
