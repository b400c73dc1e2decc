import { actionClassLineage, parseActionClass } from "../../core/action_class.ts";
import { countsInSession } from "../../core/session_state.ts";
import { selectToken } from "../../capability/select.ts";
import type { Execution, GateMessage, SidecarMessage } from "../../core/local_exec.ts";
import type { SocketReader } from "../../net/socket_reader.ts";
import type { Executions } from "../gate.ts";
import type { Denial, SessionView } from "../pipeline/draft.ts";
import { isObservable } from "../pipeline/observation.ts";
import { judge } from "../pipeline/policy.ts";
import { unready } from "../pipeline/readiness.ts";
import type { EventSink } from "../pipeline/record.ts";
import type { SessionTable } from "../pipeline/session_table.ts";
import type { Standing } from "../pipeline/standing.ts";
import { type Classified, execEnvelope } from "./envelope.ts";
import { execEvent } from "./exec_event.ts";
import { readMessages } from "./read_messages.ts";
import { isStable } from "./stable.ts";

/** What deciding executions needs. */
export interface ExecutionsOptions {
  readonly standing: Standing;
  readonly sessions: SessionTable;
  readonly sink: EventSink;
  readonly clockSkewMs?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

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

  constructor(sessionId: string, reader: SocketReader, options: ExecutionsOptions) {
    this.#sessionId = sessionId;
    this.#reader = reader;
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async serve(): Promise<void> {
    this.#say({ kind: "hello", governed: [] });
    for await (const message of readMessages(this.#reader)) {
      await this.#options.sink.relief();
      this.#hear(message);
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
      case "counted":
      case "gone":
        return;
      default:
        throw new Error("the gate says what it may not");
    }
  }

  #decide({ number, execution }: Ask): void {
    const startedMs = performance.now();
    const session = this.#session();
    if (session === undefined) return this.#say({ kind: "answer", number, allow: false });
    const classified = classify();
    const judged = this.#judge(session, execution, classified);
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
      bundleVersion: standing.bundle?.version ?? "",
      latencyUs: Math.round((performance.now() - startedMs) * 1000),
    });
    const allow = denial === undefined || (observed && denial === judged.denial);
    if (sink.accepts()) {
      sink.push(event, "now");
      if (countsInSession(event)) this.#options.sessions.record(event);
    } else sink.lose();
    if (!allow) return this.#say({ kind: "answer", number, allow });
    const stands = denial === undefined &&
      isStable(standing.bundle?.engine.readsOf(classified.actionClass));
    if (stands) this.#standing.set(nameOf(execution), event.event_id);
    this.#say({ kind: "answer", number, allow, ...(stands && { standing: true }) });
  }

  #judge(session: SessionView, execution: Execution, classified: Classified) {
    const admitted = this.#admission(session, classified);
    if (admitted.denial !== undefined) return { ...admitted, policyIds: [] };
    const { tokenId } = admitted;
    const nowMs = this.#now();
    const envelope = execEnvelope({ execution, classified, session, tokenId, nowMs });
    const { denial, policyIds, remedy } = judge(this.#options.standing.bundle?.engine, envelope);
    // There is no other form of an execution that could be let through in its place.
    const changed = denial ?? (remedy && unchangeable());
    return { tokenId, envelope, policyIds, denial: changed };
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

function unrecordable(): Denial {
  return { reason: "FailClosed", detail: "the audit log cannot take the record of the execution" };
}
