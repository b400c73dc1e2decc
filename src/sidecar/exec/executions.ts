import type { ApprovalDesk } from "../../approvals/answer.ts";
import { actionClassLineage, parseActionClass } from "../../core/action_class.ts";
import { countsInSession } from "../../core/session_state.ts";
import { selectToken } from "../../capability/select.ts";
import type { ExecutionEnvelope } from "../../core/envelope.ts";
import type { Execution, GateMessage, SidecarMessage } from "../../core/local_exec.ts";
import type { Remedy } from "../../policy/outcome.ts";
import type { SocketReader } from "../../net/socket_reader.ts";
import type { Executions } from "../gate.ts";
import type { Denial, SessionView } from "../pipeline/draft.ts";
import { isObservable } from "../pipeline/observation.ts";
import { judge } from "../pipeline/policy.ts";
import { unready } from "../pipeline/readiness.ts";
import type { EventSink } from "../pipeline/record.ts";
import type { SessionTable } from "../pipeline/session_table.ts";
import { type ApprovalConfig, settle } from "../pipeline/settle.ts";
import type { Standing } from "../pipeline/standing.ts";
import { type Classified, execEnvelope } from "./envelope.ts";
import { execEvent } from "./exec_event.ts";
import { execSubject, unaskable } from "./hold.ts";
import { readMessages } from "./read_messages.ts";
import { isStable } from "./stable.ts";

/** What deciding executions needs. */
export interface ExecutionsOptions {
  readonly standing: Standing;
  readonly sessions: SessionTable;
  readonly sink: EventSink;
  readonly clockSkewMs?: number | undefined;
  /** Where approvals are kept, and how executions wait for them; without it nobody is asked. */
  readonly approvals?: { readonly desk: ApprovalDesk; readonly config: ApprovalConfig } | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** What is decided of an execution at a moment. */
interface Judged {
  readonly denial: Denial | undefined;
  readonly tokenId: string;
  readonly policyIds: readonly string[];
  readonly envelope?: ExecutionEnvelope;
  readonly remedy?: Remedy | undefined;
}

interface Concluded {
  readonly ask: Ask;
  readonly session: SessionView;
  readonly classified: Classified;
  readonly judged: Judged;
  readonly startedMs: number;
  readonly approvalId?: string | undefined;
}

const UNJUDGED: Judged = { denial: undefined, tokenId: "", policyIds: [] };

/** The gate of a sandbox waits for no more at once; what comes on top is answered instead. */
const MOST_HELD = 32;

type Ask = Extract<GateMessage, { readonly kind: "ask" }>;

const SYSTEM_EXECUTE = parseActionClass("system.execute")!;

/** Decides what programs are executed, by the same tokens and policies as calls. */
export class LocalExecutions implements Executions {
  readonly #options: ExecutionsOptions;
  readonly #lines = new Set<GateLine>();

  constructor(options: ExecutionsOptions) {
    this.#options = options;
  }

  async serve(sessionId: string, reader: SocketReader): Promise<void> {
    const line = new GateLine(sessionId, reader, this.#options);
    this.#lines.add(line);
    try {
      await line.serve();
    } finally {
      this.#lines.delete(line);
      reader.socket.destroy();
    }
  }

  /** What was decided before holds no longer: policies, tokens or revocations have changed. */
  forget(): void {
    for (const line of this.#lines) line.forget();
  }

  /** Withdraws what stood as long as policies were fresh, tokens valid and the log was written. */
  expire(): void {
    for (const line of this.#lines) line.expire();
  }
}

/** The gate of one session. */
class GateLine {
  readonly #sessionId: string;
  readonly #reader: SocketReader;
  readonly #options: ExecutionsOptions;
  readonly #now: () => number;
  /** The events whose decisions stand, by what they stand for. */
  readonly #standing = new Map<string, string>();
  /** What waits for a person, by the numbers of its questions. */
  readonly #held = new Map<number, AbortController>();

  constructor(sessionId: string, reader: SocketReader, options: ExecutionsOptions) {
    this.#sessionId = sessionId;
    this.#reader = reader;
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async serve(): Promise<void> {
    this.#say({ kind: "hello", governed: [] });
    try {
      for await (const message of readMessages(this.#reader)) {
        await this.#options.sink.relief();
        this.#hear(message);
      }
    } finally {
      for (const left of this.#held.values()) left.abort();
    }
  }

  forget(): void {
    this.#standing.clear();
    this.#say({ kind: "forget" });
  }

  expire(): void {
    if (this.#standing.size === 0) return;
    const session = this.#session();
    if (session === undefined || this.#admission(session, classify()).denial) this.forget();
  }

  #say(message: SidecarMessage): void {
    this.#reader.socket.write(`${JSON.stringify(message)}\n`);
  }

  #session(): SessionView | undefined {
    return this.#options.sessions.get(this.#sessionId);
  }

  #hear(message: GateMessage): void {
    switch (message.kind) {
      case "ask":
        return this.#decide(message);
      case "ran":
        return this.#note(message.execution);
      case "ended":
        return this.#noteEnded(message.execution, message.detail);
      case "gone":
        return this.#held.get(message.number)?.abort();
      case "counted":
        return;
      default:
        throw new Error("the gate says what it may not");
    }
  }

  #decide(ask: Ask): void {
    const startedMs = performance.now();
    const { number, execution } = ask;
    const session = this.#session();
    if (session === undefined) return this.#say({ kind: "answer", number, allow: false });
    const classified = classify();
    const judged = this.#judge(session, execution, classified);
    const { approvals } = this.#options;
    const wantsPerson = judged.denial?.reason === "StepUpRequired" && session.observed !== true;
    if (wantsPerson && approvals !== undefined) void this.#hold(ask, session, startedMs);
    else this.#conclude({ ask, session, classified, judged, startedMs });
  }

  /** Has a person decide. Never rejects. */
  async #hold(ask: Ask, session: SessionView, startedMs: number): Promise<void> {
    const { desk, config } = this.#options.approvals!;
    const { number, execution } = ask;
    const left = new AbortController();
    this.#held.set(number, left);
    const isHeld = config.mode === "sync_wait" && this.#held.size <= MOST_HELD;
    if (isHeld) this.#say({ kind: "held", number });
    let now = { session, classified: classify(), judged: UNJUDGED as Judged };
    const again = () => {
      const session = this.#session() ?? { ...now.session, ended: true };
      const classified = classify();
      now = { session, classified, judged: this.#judge(session, execution, classified) };
      return { denial: unaskableOf(now.judged, execution), remedy: now.judged.remedy };
    };
    const settled = await settle(
      {
        again,
        subject: (challenges) =>
          execSubject({
            execution,
            session: now.session,
            actionClass: now.classified.actionClass,
            policyIds: now.judged.policyIds,
          }, challenges),
        unchangeable: ({ dropHeaders }) => dropHeaders.length > 0 ? unchangeable() : undefined,
        endMs: isHeld ? performance.now() + config.maxWaitMs : 0,
        left: left.signal,
      },
      desk,
      config,
    ).catch((cause) => ({ denial: broken(cause), approvalId: undefined }));
    this.#held.delete(number);
    const { denial, approvalId } = settled;
    this.#conclude({ ask, ...now, judged: { ...now.judged, denial }, startedMs, approvalId });
  }

  /** Records what was decided, and tells the gate. */
  #conclude(
    { ask: { number, execution }, session, classified, judged, startedMs, approvalId }: Concluded,
  ): void {
    const observed = judged.denial !== undefined && session.observed === true &&
      isObservable(judged.denial.reason);
    const { sink, standing } = this.#options;
    const denial = judged.denial === undefined || observed
      ? sink.accepts() ? judged.denial : unrecordable()
      : judged.denial;
    const event = execEvent({
      ...judged,
      execution,
      session,
      actionClass: classified.actionClass,
      denial,
      observed,
      approvalId,
      bundleVersion: standing.bundle?.version ?? "",
      latencyUs: Math.round((performance.now() - startedMs) * 1000),
    });
    const allow = denial === undefined || (observed && denial === judged.denial);
    if (sink.accepts()) {
      sink.push(event, "now");
      if (countsInSession(event)) this.#options.sessions.record(event);
    } else sink.lose();
    if (!allow) return this.#say({ kind: "answer", number, allow });
    const stands = denial === undefined && approvalId === undefined &&
      isStable(standing.bundle?.engine.readsOf(classified.actionClass));
    if (stands) this.#standing.set(nameOf(execution), event.event_id);
    this.#say({ kind: "answer", number, allow, ...(stands && { standing: true }) });
  }

  #judge(session: SessionView, execution: Execution, classified: Classified): Judged {
    const admitted = this.#admission(session, classified);
    if (admitted.denial !== undefined) return { ...admitted, policyIds: [] };
    const { tokenId } = admitted;
    const nowMs = this.#now();
    const envelope = execEnvelope({ execution, classified, session, tokenId, nowMs });
    const { denial, policyIds, remedy } = judge(this.#options.standing.bundle?.engine, envelope);
    // There is no other form of an execution that could be let through in its place.
    const changed = denial ?? (remedy && unchangeable());
    return { tokenId, envelope, policyIds, denial: changed, remedy };
  }

  #admission(
    session: SessionView,
    { actionClass }: Classified,
  ): { readonly denial: Denial | undefined; readonly tokenId: string } {
    const nowMs = this.#now();
    const denial = unready(this.#options.standing, session, nowMs);
    if (denial !== undefined) return { denial, tokenId: "" };
    const token = selectToken(session.claims, {
      actionLineage: actionClassLineage(actionClass),
      host: undefined,
      path: "",
      nowMs,
      revoked: this.#options.standing.revoked!,
      clockSkewMs: this.#options.clockSkewMs,
    });
    if (token.ok) return { denial: undefined, tokenId: token.value.token_id };
    const detail = "no capability token covers the execution";
    return { denial: { reason: token.error, detail }, tokenId: "" };
  }

  /** The record of what ran by a standing answer; one that stands no more is told to be over. */
  #note(execution: Execution): void {
    const repeats = this.#standing.get(nameOf(execution));
    if (!this.#options.sink.accepts()) {
      this.#options.sink.lose();
      this.forget();
    } else this.#record(execution, undefined, repeats);
  }

  /** The record of what was ended again, because it was not what had been allowed. */
  #noteEnded(execution: Execution, detail: string): void {
    const denial = { reason: "FailClosed", detail: `ended: ${detail} ran instead` } as const;
    if (this.#options.sink.accepts()) this.#record(execution, denial);
    else this.#options.sink.lose();
  }

  #record(execution: Execution, denial: Denial | undefined, repeats?: string): void {
    const session = this.#session();
    if (session === undefined) return;
    const event = execEvent({
      execution,
      session,
      actionClass: SYSTEM_EXECUTE,
      denial,
      observed: false,
      tokenId: session.claims[0]?.token_id ?? "",
      bundleVersion: this.#options.standing.bundle?.version ?? "",
      policyIds: [],
      latencyUs: 0,
      ...(repeats !== undefined && { repeats }),
    });
    this.#options.sink.push(event, "soon");
    if (countsInSession(event)) this.#options.sessions.record(event);
  }
}

/** What a standing answer stands for, as the gate names it. */
function nameOf({ file, names }: Execution): string {
  return [file, ...names].join("\0");
}

function classify(): Classified {
  return { actionClass: SYSTEM_EXECUTE, ref: "", attributes: {} };
}

function unchangeable(): Denial {
  return {
    reason: "PolicyDenied",
    detail: "policy wants it changed, which an execution cannot be",
  };
}

/** A denial that a person could lift, unless the execution is not known well enough to ask. */
function unaskableOf({ denial }: Judged, execution: Execution): Denial | undefined {
  return denial?.reason === "StepUpRequired" ? unaskable(execution) ?? denial : denial;
}

function broken(cause: unknown): Denial {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return { reason: "FailClosed", detail: `the decision failed: ${detail}` };
}

function unrecordable(): Denial {
  return { reason: "FailClosed", detail: "the audit log cannot take the record of the execution" };
}
