import type { ApprovalDesk } from "../approvals/answer.ts";
import type { CheckedContents } from "../config/checked_contents.ts";
import type { CapabilityClaims } from "../core/capability.ts";
import type { PolicyBundle } from "../core/policy_bundle.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import type { Leaf } from "../pki/session_ca.ts";
import { parsedPolicies } from "../policy/checked.ts";
import { ApprovalCounter } from "./approval_counter.ts";
import type { BrokerKeeper } from "./credentials/broker_keeper.ts";
import type { CredentialTarget } from "./credentials/request_judge.ts";
import type { Advice } from "./gate.ts";
import type { LossQuestion, LossVerdict } from "./losses/question.ts";
import type { Mapped } from "./known_mapping.ts";
import { readMapped } from "./mapped.ts";
import type { Notify } from "./notices.ts";
import { PlaneSessions, type SessionBase, type WayIn } from "./plane_sessions.ts";
import type { SessionSeed } from "./pipeline/session_table.ts";
import type { ProxySecret } from "./transport/proxy_credentials.ts";
import { Waiting } from "./waiting.ts";
import type { MappingSource, Question, ToWorker, WorkerConfig } from "./worker/messages.ts";
import {
  type Orders,
  type Report,
  WorkerKeeper,
  type WorkerKeeperOptions,
} from "./worker_keeper.ts";

/** What a data plane is made of. */
export interface DataPlaneOptions
  extends Pick<WorkerKeeperOptions, "sockets" | "spare" | "cedar" | "audit"> {
  readonly config: WorkerConfig;
  readonly mapping: readonly MappingSource[];
  /** Remembers which mappings are valid; where nothing does, each start reads them twice. */
  readonly known?: CheckedContents;
  readonly leaf: (host: string) => Promise<Leaf>;
  readonly notify: Notify;
  /** Where credentials come from, and what sessions must not see is kept. @default there are none */
  readonly broker?: Pick<BrokerKeeper, "open" | "forget">;
  /** Where approvals are kept; what policies leave to people is denied without it. */
  readonly approvals?: ApprovalDesk;
  /** Hears of a session whose way in was lost for good when the data plane started again. */
  readonly lost?: (sessionId: string) => void;
}

interface Vouched {
  readonly bundle: PolicyBundle;
  readonly freshUntilMs: number;
}

/** A policy bundle that decides; times are in milliseconds since the epoch. */
export interface BundleInForce {
  readonly version: string;
  readonly sinceMs: number;
  readonly freshUntilMs: number;
}

/** What is said where there is nothing to decide with; there is no record of it either. */
const UNDECIDED: Advice = { allowed: false, decision: "DENY", actionClass: "", eventId: "" };

/**
 * The data plane as the main thread sees it: one worker, and everything that is
 * needed to build the next one when that worker ends or must be replaced because
 * the mapping names other hosts. Nothing that a session did is lost by that.
 */
export class DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #keeper: WorkerKeeper;
  readonly #sessions: PlaneSessions;
  #config: WorkerConfig;
  #mapping: readonly MappingSource[];
  #mapped: Mapped;
  #bundle: Vouched | undefined;
  #bundleSinceMs = 0;
  /** Sent to the worker, which has not said yet whether it is valid. */
  #proposed: Vouched | undefined;
  #revoked: readonly string[] | undefined;
  #areRevocationsHeard = true;
  #stopped = false;
  readonly #bundleResults = new Waiting<number, readonly FirmaError[]>();
  readonly #advice = new Waiting<number, Advice>();
  readonly #credentials = new Waiting<number, void>();
  /** Where credentials went that there are none of any more: who is there may know a secret. */
  #former: readonly CredentialTarget[] = [];
  readonly #verdicts = new Waiting<number, LossVerdict>();
  #questions = 0;
  readonly #approvals: ApprovalCounter;

  private constructor(options: DataPlaneOptions, mapped: Mapped) {
    this.#options = options;
    this.#config = options.config;
    this.#mapping = options.mapping;
    this.#mapped = mapped;
    const { sockets, notify, lost } = options;
    this.#approvals = new ApprovalCounter(options.approvals);
    this.#sessions = new PlaneSessions({
      sockets,
      notify,
      send: (message) => this.#send(message),
      lost,
    });
    this.#keeper = new WorkerKeeper({
      ...options,
      orders: () => this.#orders(),
      started: (orders) => this.#handOver(orders),
      received: (report, reply) => this.#receive(report, reply),
      event: (event) => this.#sessions.fold.take(event),
      ended: (reason) => this.#workerEnded(reason),
    });
  }

  /**
   * Starts the first worker, and does not wait for it: what it is told meanwhile
   * reaches it in time. Fails when the mapping is not valid.
   */
  static async start(options: DataPlaneOptions): Promise<Result<DataPlane, FirmaError[]>> {
    const mapped = await readMapped(options.mapping, options.known);
    if (!mapped.ok) return mapped;
    const plane = new DataPlane(options, mapped.value);
    await plane.#keeper.build();
    return ok(plane);
  }

  /** Number of mapping rules in force. */
  get rules(): number {
    return this.#mapped.size;
  }

  /** Version of the policy bundle in force, `""` when there is none. */
  get bundleVersion(): string {
    return this.#bundle?.bundle.version ?? "";
  }

  /** The policy bundle in force, `undefined` when there is none. */
  get bundleInForce(): BundleInForce | undefined {
    if (this.#bundle === undefined) return undefined;
    const { bundle: { version }, freshUntilMs } = this.#bundle;
    return { version, sinceMs: this.#bundleSinceMs, freshUntilMs };
  }

  /** Calls that are allowed and not ended. */
  get openCalls(): number {
    return this.#sessions.fold.openCalls;
  }

  /** How many denials could not be recorded since the last time this was asked. */
  takeLost(): number {
    return this.#keeper.takeLost();
  }

  /** What a session has done so far. */
  sessionState(sessionId: string): SessionSeed["state"] {
    return this.#sessions.fold.state(sessionId);
  }

  /**
   * Puts a bundle in force, or says why it cannot be; then the one before stays.
   * One at a time: the caller awaits the answer before the next bundle.
   */
  async setBundle(
    bundle: PolicyBundle,
    freshUntilMs: number,
  ): Promise<Result<void, readonly FirmaError[]>> {
    const answer = this.#bundleResults.answer(bundle.revision);
    this.#proposed = { bundle, freshUntilMs };
    this.#sendBundle(this.#proposed);
    const errors = await answer;
    if (errors.length === 0) {
      this.#bundle = this.#proposed;
      this.#bundleSinceMs = Date.now();
    }
    this.#proposed = undefined;
    return errors.length === 0 ? ok(undefined) : err(errors);
  }

  /** Renews the bundle in force: the Authority vouches for it until then. */
  renewBundle(freshUntilMs: number): void {
    if (this.#bundle === undefined) return;
    this.#bundle = { ...this.#bundle, freshUntilMs };
    const { revision } = this.#bundle.bundle;
    this.#send({ kind: "bundle-fresh", revision, freshUntilMs });
  }

  /** There is no policy any more: every call is denied and every open one closed. */
  dropBundle(): void {
    this.#bundle = undefined;
    this.#send({ kind: "bundle-gone" });
  }

  /** Replaces the set of revoked tokens. */
  setRevoked(tokenIds: readonly string[]): void {
    this.#revoked = tokenIds;
    this.#sendRevoked();
  }

  /** Says whether what is revoked can be heard; while it cannot, every call is denied. */
  setRevocationsHeard(areHeard: boolean): void {
    this.#areRevocationsHeard = areHeard;
    this.#sendRevoked();
  }

  #sendRevoked(): void {
    const tokenIds = this.#areRevocationsHeard ? this.#revoked : undefined;
    this.#send({ kind: "revoked", tokenIds });
  }

  /**
   * Puts a mapping in force, or says why it cannot be. A mapping that names other
   * hosts needs a worker with other permissions: open calls are closed then.
   */
  async setMapping(mapping: readonly MappingSource[]): Promise<Result<void, FirmaError[]>> {
    const mapped = await readMapped(mapping, this.#options.known);
    if (!mapped.ok) return mapped;
    this.#mapping = mapping;
    this.#mapped = mapped.value;
    if (this.#keeper.fits(this.#orders())) this.#send({ kind: "mapping", mapping });
    else this.replace("the mapping names other hosts");
    return ok(undefined);
  }

  /** Puts another configuration in force, with a mapping, or says why it cannot be. */
  async setConfig(
    config: WorkerConfig,
    mapping: readonly MappingSource[],
  ): Promise<Result<void, FirmaError[]>> {
    const mapped = await readMapped(mapping, this.#options.known);
    if (!mapped.ok) return mapped;
    this.#config = config;
    this.#mapping = mapping;
    this.#mapped = mapped.value;
    this.replace("the configuration changed");
    return ok(undefined);
  }

  /**
   * Puts other credentials in force. When this resolves, no call is given what is not among them,
   * nor what was kept of it; open calls go on with what they have.
   */
  async setCredentials(targets: readonly CredentialTarget[]): Promise<void> {
    const editions = new Set([...targets, ...this.#former].map(({ edition }) => edition));
    const gone = (this.#config.credentials ?? []).filter(({ edition }) => !editions.has(edition));
    this.#former = [...this.#former, ...gone];
    this.#config = { ...this.#config, credentials: targets };
    // One that has not started yet is told when it has.
    if (!this.#keeper.serving) return;
    const number = ++this.#questions;
    const taken = this.#credentials.answer(number);
    this.#sendCredentials(number);
    await taken;
  }

  #sendCredentials(number: number): void {
    const targets = this.#config.credentials ?? [];
    this.#send({ kind: "credentials", number, targets, former: this.#former });
  }

  /**
   * Takes a session on, by the proxy if it has a secret for it; its way in comes back. `state` is
   * what it had done before, under another Sidecar.
   */
  openSession(
    base: SessionBase,
    proxySecret?: ProxySecret,
    state?: SessionSeed["state"],
  ): Promise<Result<WayIn>> {
    const hasProxy = this.#config.httpProxy !== undefined;
    return this.#sessions.open(base, proxySecret, hasProxy, state);
  }

  /** Replaces the tokens of a session. */
  setClaims(sessionId: string, claims: readonly CapabilityClaims[]): void {
    this.#sessions.setClaims(sessionId, claims);
  }

  /** Has a call decided that somebody else makes. Without a worker nothing is allowed. */
  async advise(question: Question): Promise<Advice> {
    if (!this.#keeper.serving) return UNDECIDED;
    const number = ++this.#questions;
    const answer = this.#advice.answer(number);
    this.#send({ kind: "advise", number, question });
    return await answer;
  }

  /** Has decided what becomes of an agent whose workspace lost files. */
  async weighLosses(question: LossQuestion): Promise<LossVerdict> {
    if (!this.#keeper.serving) return { kind: "unknown" };
    const number = ++this.#questions;
    const answer = this.#verdicts.answer(number);
    this.#send({ kind: "weigh", number, question });
    return await answer;
  }

  /** Ends a session: closes its way in and its calls, and waits for their records. */
  async closeSession(sessionId: string): Promise<void> {
    await this.#sessions.close(sessionId, this.#keeper.serving);
    this.#options.broker?.forget(sessionId);
  }

  /** The keeper of the broker has ended: whoever waits for a credential is told. */
  loseBroker(): void {
    this.#send({ kind: "broker", port: undefined });
  }

  /** Ends the worker and builds another from what is known here. */
  replace(reason: string): void {
    this.#keeper.replace(reason);
  }

  /** Ends the worker for good. */
  stop(): void {
    this.#stopped = true;
    this.#keeper.stop();
  }

  #send(message: ToWorker): void {
    this.#keeper.send(message);
  }

  #sendBundle(vouched: Vouched): void {
    this.#send({ kind: "bundle", parsed: parsedPolicies(vouched.bundle), ...vouched });
  }

  #orders(): Orders {
    const config = this.#config;
    const { proxyPort } = this.#sessions;
    const httpProxy = config.httpProxy && proxyPort
      ? { ...config.httpProxy, port: proxyPort }
      : config.httpProxy;
    const whole = { ...config, httpProxy, formerCredentials: this.#former };
    return { config: whole, mapping: this.#mapping, hosts: this.#mapped.hosts };
  }

  #receive(report: Report, reply: (message: ToWorker) => void): void {
    switch (report.kind) {
      case "leaf-request":
        return this.#answerLeaf(report.request, report.host, reply);
      case "bundle-result":
        this.#bundleResults.settle(report.revision, report.errors);
        return;
      case "approval-ask":
      case "approval-leave":
        return this.#approvals.take(
          report,
          (number, answer) => reply({ kind: "approval-answer", number, answer }),
        );
      case "advised":
        this.#advice.settle(report.number, report.advice);
        return;
      case "weighed":
        this.#verdicts.settle(report.number, report.verdict);
        return;
      case "credentials-taken":
        this.#credentials.settle(report.number);
        return;
      case "session-opened":
        return this.#sessions.opened(report);
      case "session-closed":
        return this.#sessions.closed(report.sessionId);
    }
  }

  /** Whoever waited for the worker that ended has what it wanted, or gets no answer. */
  #workerEnded(reason: string): void {
    const detail = this.#stopped ? reason : `the data plane ended: ${reason}`;
    for (const outcome of this.#sessions.fold.abandon(detail)) this.#options.audit.append(outcome);
    this.#advice.settleAll(UNDECIDED);
    this.#verdicts.settleAll({ kind: "unknown" });
    // The next one starts with what is in force.
    this.#credentials.settleAll();
    this.#approvals.workerEnded();
    if (this.#stopped) return;
    this.#sessions.workerEnded();
    this.#options.notify("warn", `The data plane starts again, open calls were closed: ${reason}`);
  }

  /** Tells a new worker everything that the one before knew. */
  #handOver(startedWith: Orders): void {
    if (startedWith.mapping !== this.#mapping) {
      this.#send({ kind: "mapping", mapping: this.#mapping });
    }
    if (startedWith.config.credentials !== this.#config.credentials) this.#sendCredentials(0);
    for (const vouched of [this.#bundle, this.#proposed]) {
      if (vouched !== undefined) this.#sendBundle(vouched);
    }
    this.#sendRevoked();
    const { broker } = this.#options;
    if (broker !== undefined) this.#send({ kind: "broker", port: broker.open() });
    this.#sessions.handOver();
  }

  #answerLeaf(request: number, host: string, reply: (message: ToWorker) => void): void {
    // Certificates name addresses without brackets.
    this.#options.leaf(host.replace(/^\[(.*)\]$/, "$1")).then(
      (leaf) => reply({ kind: "leaf", request, leaf }),
      () => reply({ kind: "leaf", request, leaf: undefined }),
    );
  }
}
