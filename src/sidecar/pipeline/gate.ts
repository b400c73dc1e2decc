import type { CredentialNeed } from "../../broker/hand_out.ts";
import { type AbortReason, denialDecision } from "../../core/decision.ts";
import { newId } from "../../core/id.ts";
import { connectCall } from "../../mapping/call.ts";
import { normaliseHost } from "../../mapping/host.ts";
import type { AbortProblem, DenyProblem } from "../../core/problem.ts";
import type {
  Advice,
  AdvisingGate,
  CallInput,
  CallOutcome,
  ConnectVerdict,
  Peer,
  Route,
  Verdict,
} from "../gate.ts";
import type { DecisionEvent } from "../../core/event.ts";
import type { HttpCall } from "../../core/envelope.ts";
import type { Hold } from "./approval.ts";
import type { Denial, Draft, SessionView, Stage } from "./draft.ts";
import type { LiveCalls } from "./live.ts";
import { isOnlyObserved } from "./observation.ts";
import { isStillPermitted } from "./policy.ts";
import { placeholderOrders } from "./credential.ts";
import { abortProblem, denyProblem, type Refused } from "./problems.ts";
import { decisionEvent, eventBase, type EventSink, RecordingEnded } from "./record.ts";

/** The sessions of a data plane, as deciding needs them. */
export interface SessionBook {
  /** `undefined` for a session that never was or is forgotten. */
  get(sessionId: string): SessionView | undefined;
  /** Moves the session's state on by a recorded decision. */
  record(event: DecisionEvent): void;
}

/** What a gate is made of. */
export interface GateOptions {
  /** From the request as it came to what it is. */
  readonly reading: Stage;
  /** The same for the CONNECT of a host on the bypass list, its call being given. */
  readonly connecting: Stage;
  /** Whether what it is may be, by what holds at this moment. */
  readonly decide: (draft: Draft) => Denial | undefined;
  readonly sessions: SessionBook;
  readonly sink: EventSink;
  readonly live: LiveCalls;
  /** Has people decide what policies leave to them; where nobody does, that is denied. */
  readonly hold?: Hold | undefined;
  readonly bundleVersion: () => string;
  /** Whether TLS to this host stays closed to firma. */
  readonly bypasses: (host: string) => boolean;
  readonly route: (call: HttpCall) => Route;
  /** The credential that an allowed call goes out with. @default none */
  readonly need?: (draft: Draft) => CredentialNeed | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

type Refusal = Extract<Verdict, { readonly kind: "deny" }>;

interface Allowed {
  readonly kind: "allow";
  readonly eventId: string;
  readonly signal: AbortSignal;
  /** Denied, and not held back. */
  readonly observed: boolean;
}

/** Of a call that nobody here can break off. */
const NEVER = new AbortController().signal;

const UNKNOWN_SESSION = {
  sandboxId: "",
  agentId: "",
  startedMs: 0,
  claims: [],
  state: { actionCount: 0, denyCount: 0, recentActionClasses: [], lastResource: "" },
  ended: true,
} as const;

/** Joins stages, record and verdict to the gate that the transport asks. */
export function createGate(options: GateOptions): AdvisingGate {
  const { sink, sessions, live } = options;

  function newDraft(input: CallInput, transport: Draft["transport"]): Draft {
    const { sessionId } = input.peer;
    const session = sessions.get(sessionId) ?? { ...UNKNOWN_SESSION, sessionId };
    return { input, session, nowMs: options.now(), transport };
  }

  function record(
    draft: Draft,
    denial: Denial | undefined,
    startedMs: number,
    observed = false,
  ): DecisionEvent {
    const latencyUs = Math.round((performance.now() - startedMs) * 1000);
    const bundleVersion = options.bundleVersion();
    const event = decisionEvent(draft, { denial, bundleVersion, latencyUs, observed });
    if (sink.accepts()) {
      sink.push(event, "now");
      sessions.record(event);
    } else {
      sink.lose();
    }
    return event;
  }

  function deny(draft: Draft, denial: Denial, startedMs: number): Refusal {
    try {
      const event = record(draft, denial, startedMs);
      const problem = denyProblem(denial.reason, refusedBy(event), denial);
      const { denialForm: form } = draft;
      return { kind: "deny", eventId: event.event_id, problem, ...(form && { form }) };
    } catch (cause) {
      if (cause instanceof RecordingEnded) throw cause;
      sink.lose();
      const eventId = newId("aevt");
      const refused = { eventId, actionClass: "", resource: "", method: "" };
      return { kind: "deny", eventId, problem: denyProblem("FailClosed", refused) };
    }
  }

  /** The last stage of all: the call leaves only once its record is on its way, or on the disk. */
  function conclude(
    draft: Draft,
    said: Denial | undefined,
    startedMs: number,
    isOurs: boolean,
  ): Allowed | Refusal | Promise<Allowed | Refusal> {
    const observed = said !== undefined && isOnlyObserved(draft, said);
    const stopped = observed ? undefined : said;
    const denial = stopped ?? (sink.accepts() ? undefined : unrecordable());
    if (denial !== undefined) return deny(draft, denial, startedMs);
    try {
      const event = record(draft, said, startedMs, observed);
      const { event_id: eventId } = event;
      const recorded = sink.recorded();
      const { session, envelope } = draft;
      const signal = isOurs ? live.add({ eventId, session, envelope, taken: draft.remedy }) : NEVER;
      const allowed: Allowed = { kind: "allow", eventId, signal, observed };
      if (recorded === undefined) return allowed;
      return recorded.then((isRecorded) => isRecorded ? allowed : takeBack(event));
    } catch (cause) {
      return deny(draft, broken(cause), startedMs);
    }
  }

  /** A call that was allowed and has not left: the log failed before its record was on the disk. */
  function takeBack(event: DecisionEvent): Refusal {
    const { event_id: eventId } = event;
    end(eventId, { ...NOT_SENT, detail: unrecordable().detail });
    return { kind: "deny", eventId, problem: denyProblem("FailClosed", refusedBy(event)) };
  }

  /** Records how an allowed call ended, once. */
  function end(eventId: string, outcome: CallOutcome): void {
    const ended = live.end(eventId);
    if (ended === undefined) return;
    sink.push({
      ...eventBase(ended.call.session),
      kind: "outcome",
      decision_event_id: eventId,
      status: outcome.status,
      abort_reason: outcome.abortReason,
      detail: ended.closedBecause || outcome.detail,
      request_bytes: outcome.requestBytes,
      response_bytes: outcome.responseBytes,
      head_latency_us: outcome.headLatencyUs,
      latency_us: outcome.latencyUs,
      ...(outcome.credential && { credential: outcome.credential }),
    }, "soon");
  }

  /** Every error on the way to a decision denies. */
  function judge(
    reading: Stage,
    draft: Draft,
    startedMs: number,
    isOurs = true,
  ): Allowed | Refusal | Promise<Allowed | Refusal> {
    let said: ReturnType<Stage>;
    try {
      said = reading(draft);
    } catch (cause) {
      return deny(draft, broken(cause), startedMs);
    }
    if (!(said instanceof Promise)) return settle(draft, said, startedMs, isOurs);
    return said.then(
      (denial) => settle(draft, denial, startedMs, isOurs),
      (cause) => deny(draft, broken(cause), startedMs),
    );
  }

  /**
   * Decides, and records it in the same step: calls that come together would else all be decided
   * before one of them counts. Most are decided by then; some are left to a person.
   */
  function settle(
    draft: Draft,
    unread: Denial | undefined,
    startedMs: number,
    isOurs: boolean,
  ): Allowed | Refusal | Promise<Allowed | Refusal> {
    const said = unread ?? decided(draft);
    const wantsPerson = said?.reason === "StepUpRequired" && draft.session.observed !== true;
    if (!wantsPerson || options.hold === undefined) return conclude(draft, said, startedMs, isOurs);
    return options.hold(draft).then(
      (denial) => conclude(draft, denial ?? overtaken(draft), startedMs, isOurs),
      (cause) => deny(draft, broken(cause), startedMs),
    );
  }

  function decided(draft: Draft): Denial | undefined {
    try {
      return options.decide(draft);
    } catch (cause) {
      return broken(cause);
    }
  }

  /** What has come up since a person's answer was taken: others that waited may have gone first. */
  function overtaken(draft: Draft): Denial | undefined {
    const { remedy: taken } = draft;
    const denial = decided(draft);
    return isStillPermitted({ denial, remedy: draft.remedy }, taken) ? undefined : denial;
  }

  function toVerdict(draft: Draft, judged: Allowed | Refusal): Verdict {
    if (judged.kind === "deny") return judged;
    const call = draft.call!;
    // What is let out in spite of policies, or undecided, goes without.
    const need = judged.observed ? undefined : options.need?.(draft);
    return {
      kind: "forward",
      eventId: judged.eventId,
      actionClass: draft.rule?.actionClass ?? "",
      call,
      route: options.route(call),
      dropHeaders: droppedHeaders(draft.input.headers, removedByPolicy(draft)),
      setHeaders: [],
      sessionId: draft.session.sessionId,
      ...placeholderOrders(draft),
      ...(need && { need }),
      signal: judged.signal,
    };
  }

  function decideNow(input: CallInput, startedMs: number): Verdict | Promise<Verdict> {
    const draft = newDraft(input, input.scheme);
    const judged = judge(options.reading, draft, startedMs);
    if (judged instanceof Promise) return judged.then((value) => toVerdict(draft, value));
    return toVerdict(draft, judged);
  }

  return {
    connect(peer: Peer, host: string, port: number): ConnectVerdict | Promise<ConnectVerdict> {
      const startedMs = performance.now();
      const draft = newDraft(connectInput(peer, `${host}:${port}`), "connect");
      const name = normaliseHost(host);
      if (!name.ok) return deny(draft, malformed(name.error.message), startedMs);
      if (!Number.isInteger(port) || port < 1 || port > 65535) {
        return deny(draft, malformed(`${port} is not a port`), startedMs);
      }
      if (!options.bypasses(name.value)) return { kind: "terminate" };
      const call = connectCall(name.value, port);
      draft.call = call;
      const opened = (judged: Allowed | Refusal): ConnectVerdict =>
        judged.kind === "deny" ? judged : { ...judged, kind: "tunnel", route: options.route(call) };
      const judged = judge(options.connecting, draft, startedMs);
      return judged instanceof Promise ? judged.then(opened) : opened(judged);
    },

    decide(input: CallInput): Verdict | Promise<Verdict> {
      const startedMs = performance.now();
      const relief = sink.relief();
      return relief === undefined
        ? decideNow(input, startedMs)
        : relief.then(() => decideNow(input, startedMs));
    },

    async advise(input: CallInput): Promise<Advice> {
      const startedMs = performance.now();
      await sink.relief();
      const draft = newDraft(input, input.scheme);
      const judged = await judge(options.reading, draft, startedMs, false);
      const allowed = judged.kind === "allow";
      return {
        allowed,
        decision: !allowed
          ? denialDecision(judged.problem.reason)
          : draft.passthrough || judged.observed
          ? "PASSTHROUGH"
          : "ALLOW",
        actionClass: draft.rule?.actionClass ?? "",
        eventId: judged.eventId,
        ...(!allowed && { problem: judged.problem }),
      };
    },

    refuse(peer, what): DenyProblem {
      const input = { ...connectInput(peer, what.resource), method: what.method ?? "" };
      const draft = newDraft(input, what.method === undefined ? "connect" : "http");
      const { reason = "MalformedRequest", detail } = what;
      return deny(draft, { reason, detail }, performance.now()).problem;
    },

    outcome: end,

    abortProblem(eventId: string, actionClass: string, reason: AbortReason): AbortProblem {
      return abortProblem(reason, { eventId, actionClass });
    },
  };
}

/** What became of a call that nobody sent. */
const NOT_SENT = {
  status: 0,
  abortReason: "",
  requestBytes: 0,
  responseBytes: 0,
  headLatencyUs: 0,
  latencyUs: 0,
} as const;

function malformed(detail: string): Denial {
  return { reason: "MalformedRequest", detail };
}

function broken(cause: unknown): Denial {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return { reason: "FailClosed", detail: `the decision failed: ${detail}` };
}

function unrecordable(): Denial {
  return { reason: "FailClosed", detail: "the audit log cannot take the record of the call" };
}

function refusedBy(event: DecisionEvent): Refused {
  return {
    eventId: event.event_id,
    actionClass: event.action_class,
    resource: event.resource.split("?", 1)[0]!,
    method: event.method,
  };
}

/** A connection that is no request yet, in the shape of one. */
function connectInput(peer: Peer, authority: string): CallInput {
  return {
    peer,
    scheme: "https",
    httpVersion: "1.1",
    method: "CONNECT",
    authority,
    target: "",
    headers: [],
    readBody: () => Promise.resolve(undefined),
  };
}

/** Where policies only observe, they change nothing either. */
function removedByPolicy({ remedy, session }: Draft): readonly string[] {
  return remedy === undefined || session.observed ? [] : remedy.dropHeaders;
}

/**
 * What must not reach the server: attribution that the agent made up, and the
 * upgrade to clear-text HTTP/2, behind which further requests would go unseen
 * (RFC 9113, 3.1).
 */
function droppedHeaders(headers: CallInput["headers"], also: readonly string[]): string[] {
  const dropped = new Set<string>(also);
  for (const [name, value] of headers) {
    const foreign = name === "upgrade" && value.trim().toLowerCase() !== "websocket";
    if (foreign || name === "http2-settings" || name.startsWith("x-firma-")) dropped.add(name);
  }
  return [...dropped];
}
