import type { ApprovalDesk } from "../../approvals/answer.ts";
import { createHold } from "./approval.ts";
import { bodyOverride } from "./body_override.ts";
import type { ApprovalConfig } from "./settle.ts";
import { canonicalise } from "./canonicalise.ts";
import { capability, uncovered } from "./capability.ts";
import { type Classification, classify } from "./classify.ts";
import { compose } from "./compose.ts";
import { credential, findPlaceholders, orMisplaced } from "./credential.ts";
import type { CredentialTarget } from "../credentials/request_judge.ts";
import { PlaceholderDesk } from "../credentials/request_desk.ts";
import type { SecretStore } from "../../secrets/store/secret_store.ts";
import { secretStore } from "./secret_store.ts";
import { credentialNeed } from "../credentials/credential_need.ts";
import type { Decoder } from "../../mapping/decoders/decoder.ts";
import { DECODERS } from "../../mapping/decoders/decoders.ts";
import { decode } from "./decode.ts";
import { type Denial, type Draft, found, type Stage } from "./draft.ts";
import { createGate } from "./gate.ts";
import { type LiveCall, LiveCalls } from "./live.ts";
import { locality } from "./locality.ts";
import { type Decider, isStillPermitted, judge, policy } from "./policy.ts";
import { NO_REVOCATIONS, type Readiness, readiness, STALE } from "./readiness.ts";
import type { EventSink } from "./record.ts";
import type { AdvisingGate } from "../gate.ts";
import { type ConnectorHost, routeTo } from "./route.ts";
import type { SessionTable } from "./session_table.ts";
import type { Standing } from "./standing.ts";
import { upgrade } from "./upgrade.ts";

/** The gate of a worker, and the way to make it think again about what it allowed. */
export interface Pipeline {
  readonly gate: AdvisingGate;
  /** Resolves once no call of a session is under way: every outcome is in the sink. */
  drained(sessionId: string): Promise<void>;
  /** Decides every call under way again and closes those that would be denied now. */
  review(): void;
  /** Closes the calls under way that time has overtaken: token expired, policies stale. */
  expire(): void;
}

/** What the operator configured for deciding and routing. */
export interface PipelineConfig {
  readonly connectors: readonly ConnectorHost[];
  /** Hosts and `*.` patterns whose TLS stays closed. */
  readonly bypassHosts: readonly string[];
  /** Where configured credentials go. @default {[]} */
  readonly credentials?: readonly CredentialTarget[];
  /** Where others went that there are none of any more. @default {[]} */
  readonly formerCredentials?: readonly CredentialTarget[];
  /** Stores of secrets. @default {[]} */
  readonly secretStores?: readonly SecretStore[];
  /** Largest body that a decoder may read, in bytes. */
  readonly maxBodyBytes: number;
  /** How far the clocks of Authority and Sidecar may differ, in milliseconds. @default {0} */
  readonly clockSkewMs?: number;
  /** How calls wait for people. */
  readonly approvals?: ApprovalConfig;
}

/** From a call to what becomes of it, in two steps: what it is, and whether it may be. */
export interface Stages {
  /** From the request as it came to what it is. May wait for its body. */
  readonly reading: Stage;
  /** The same for the CONNECT of a host whose TLS stays closed, its call being given. */
  readonly connecting: Stage;
  /**
   * From what it is to whether it may be, of both. Waits for nothing, and may be asked again: what
   * it goes by, such as how much the session has moved, must not change before it is recorded.
   */
  readonly decision: Stage;
}

/** Joins the stages in their order (see `docs/architecture.md`, the life of a call). */
export function createStages(
  options: {
    readonly config: PipelineConfig;
    readonly standing: Classification & Readiness;
    readonly engine: () => Decider | undefined;
    readonly decoders?: ReadonlyMap<string, Decoder> | undefined;
    /** @default {one that knows of no session} */
    readonly desk?: PlaceholderDesk;
  },
): Stages {
  const { config, standing, engine, decoders = DECODERS } = options;
  const { desk = new PlaceholderDesk(config.credentials) } = options;
  const dialled = config.connectors.filter(({ connectAddr }) => connectAddr !== undefined);
  const admission = [
    locality({ exemptHosts: new Set(dialled.map(({ host }) => host)) }),
    classify(() => standing),
  ];
  const reading = decode({
    decoders,
    limit: config.maxBodyBytes,
    mapping: () => standing.mapping,
  });
  const revoked = () => found(standing.revoked, "revoked");
  const override = bodyOverride(() => standing.mapping, config.maxBodyBytes);
  const decision = compose(
    readiness(() => standing),
    capability(revoked, config.clockSkewMs),
    policy(engine),
  );
  const ofCall = compose(credential(desk), secretStore(config.secretStores ?? []), decision);
  return {
    reading: compose(
      canonicalise(),
      findPlaceholders(desk, config.maxBodyBytes),
      orMisplaced(desk, compose(...admission, override, reading, upgrade())),
    ),
    connecting: compose(...admission),
    decision: (draft) => draft.transport === "connect" ? decision(draft) : ofCall(draft),
  };
}

/** Makes the gate of a worker. */
export function createPipeline(
  options: {
    readonly config: PipelineConfig;
    readonly standing: Standing;
    readonly sessions: SessionTable;
    readonly sink: EventSink;
    readonly decoders?: ReadonlyMap<string, Decoder>;
    /** @default {one that knows of no session} */
    readonly desk?: PlaceholderDesk;
    /** Where approvals are kept; what policies leave to people is denied without it. */
    readonly approvals?: ApprovalDesk;
    readonly now?: () => number;
  },
): Pipeline {
  const { config, standing, sessions, sink, approvals, now = Date.now } = options;
  const { desk = new PlaceholderDesk(config.credentials) } = options;
  const live = new LiveCalls();
  const connectors = new Map(config.connectors.map((connector) => [connector.host, connector]));
  const engine = () => standing.bundle?.engine;
  const stages = createStages({ ...options, desk, engine });
  const decide = (draft: Draft) => decideNow(draft, stages.decision, sessions, now());
  const hold = approvals && config.approvals && createHold({
    desk: approvals,
    config: config.approvals,
    maxBodyBytes: config.maxBodyBytes,
    again: decide,
  });
  const gate = createGate({
    hold,
    reading: stages.reading,
    connecting: stages.connecting,
    decide,
    sessions,
    sink,
    live,
    bundleVersion: () => standing.bundle?.version ?? "",
    bypasses: bypassMatcher(config.bypassHosts),
    need: (draft) => credentialNeed(draft, desk.targets),
    route: (call) => routeTo(call, connectors.get(call.host)),
    now,
  });
  const isObserved = (sessionId: string) => sessions.get(sessionId)?.observed === true;
  const overtaken = ({ session: { sessionId }, envelope }: LiveCall): string | undefined => {
    const { bundle } = standing;
    if (bundle !== undefined && now() > bundle.freshUntilMs) return STALE;
    const claims = sessions.get(sessionId)?.claims ?? [];
    const { clockSkewMs } = config;
    const { revoked } = standing;
    if (revoked === undefined) return NO_REVOCATIONS;
    const seen = isObserved(sessionId) ? undefined : envelope;
    const reason = uncovered(claims, seen, { nowMs: now(), revoked, clockSkewMs });
    return reason && `no capability token covers the call any more: ${reason}`;
  };
  return {
    gate,
    drained: (sessionId) => live.drained(sessionId),
    expire: () => live.review(overtaken),
    review: () =>
      live.review((call) => {
        const { session, envelope } = call;
        if (sessions.get(session.sessionId)?.ended !== false) return "the session has ended";
        if (envelope === undefined || isObserved(session.sessionId)) return overtaken(call);
        if (standing.revoked?.has(envelope.capability.token_id)) return "the token was revoked";
        const said = judge(engine(), envelope);
        if (isStillPermitted(said, call.taken)) return overtaken(call);
        const why = said.denial?.detail ?? "it would have to go without some of its headers";
        return `the policy now in force denies the call: ${why}`;
      }),
  };
}

/** Decides a call by what holds now. What was found out about the call itself stays. */
function decideNow(
  draft: Draft,
  decision: Stage,
  sessions: SessionTable,
  nowMs: number,
): Denial | undefined {
  const session = sessions.get(draft.session.sessionId) ?? { ...draft.session, ended: true };
  const nothing = {
    claims: undefined,
    envelope: undefined,
    policyIds: undefined,
    remedy: undefined,
  };
  Object.assign(draft, nothing, { session, nowMs });
  if (session.ended) return { reason: "TokenInvalid", detail: "the session has ended" };
  const said = decision(draft);
  if (said instanceof Promise) throw new Error("Cannot decide the call: a stage waits");
  return said;
}

/** `example.test` names itself, `*.example.test` every name below it but not itself. */
function bypassMatcher(patterns: readonly string[]): (host: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.startsWith("*.")));
  const suffixes = patterns.filter((pattern) => pattern.startsWith("*."))
    .map((pattern) => pattern.slice(1));
  return (host) => exact.has(host) || suffixes.some((suffix) => host.endsWith(suffix));
}
