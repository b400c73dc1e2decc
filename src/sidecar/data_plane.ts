import type { CheckedContents } from "../config/checked_contents.ts";
import type { CapabilityClaims } from "../core/capability.ts";
import type { PolicyBundle } from "../core/policy_bundle.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import type { Leaf } from "../pki/session_ca.ts";
import { parsedPolicies } from "../policy/checked.ts";
import type { Advice } from "./gate.ts";
import type { AuditFeed } from "./audit_feed.ts";
import { type Mapped, readMapped } from "./mapped.ts";
import type { Notify } from "./notices.ts";
import type { SessionSeed } from "./pipeline/session_table.ts";
import { SessionFold } from "./session_fold.ts";
import type { SocketPool } from "./socket_pool.ts";
import { planePermissions, type SpareWorker } from "./spare_worker.ts";
import { Waiting } from "./waiting.ts";
import { AuditGauge } from "./worker/audit_gauge.ts";
import type {
  FromWorker,
  MappingSource,
  Question,
  ToWorker,
  WorkerConfig,
} from "./worker/messages.ts";
import { WorkerHandle } from "./worker_handle.ts";

/** What a data plane is made of. */
export interface DataPlaneOptions {
  readonly config: WorkerConfig;
  readonly mapping: readonly MappingSource[];
  /** Remembers which mappings are valid; where nothing does, each start reads them twice. */
  readonly known?: CheckedContents;
  readonly sockets: SocketPool;
  /** Becomes the first worker, where it may do just what that worker is to. */
  readonly spare?: SpareWorker | undefined;
  /** Compiled while the worker loads. When it cannot be, nothing is ever decided. */
  readonly cedar: Promise<WebAssembly.Module>;
  readonly audit: AuditFeed;
  readonly leaf: (host: string) => Promise<Leaf>;
  readonly notify: Notify;
}

type SessionBase = Omit<SessionSeed, "state">;

interface OpenSession {
  base: SessionBase;
  readonly frontSocketPath: string;
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

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5_000;
/** A worker that lived this long was healthy: the next one starts at once. */
const HEALTHY_MS = 10_000;

/**
 * The data plane as the main thread sees it: one worker, and everything that is
 * needed to build the next one when that worker ends or must be replaced because
 * the mapping names other hosts. Nothing that a session did is lost by that.
 */
export class DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #fold = new SessionFold();
  readonly #sessions = new Map<string, OpenSession>();
  #mapping: readonly MappingSource[];
  #mapped: Mapped;
  #bundle: Vouched | undefined;
  #bundleSinceMs = 0;
  /** Sent to the worker, which has not said yet whether it is valid. */
  #proposed: Vouched | undefined;
  #revoked: readonly string[] | undefined;
  #worker: WorkerHandle | undefined;
  #gauge = new AuditGauge();
  /** Whether the worker takes orders. */
  #serving = false;
  #startedAt = 0;
  #retryMs = FIRST_RETRY_MS;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  readonly #bundleResults = new Waiting<number, readonly FirmaError[]>();
  readonly #openings = new Waiting<string, FirmaError | undefined>();
  readonly #closings = new Waiting<string, void>();
  readonly #advice = new Waiting<number, Advice>();
  #questions = 0;

  private constructor(options: DataPlaneOptions, mapped: Mapped) {
    this.#options = options;
    this.#mapping = options.mapping;
    this.#mapped = mapped;
  }

  /**
   * Starts the first worker, and does not wait for it: what it is told meanwhile
   * reaches it in time. Fails when the mapping is not valid.
   */
  static async start(options: DataPlaneOptions): Promise<Result<DataPlane, FirmaError[]>> {
    const mapped = readMapped(options.mapping, options.known);
    if (!mapped.ok) return mapped;
    const plane = new DataPlane(options, mapped.value);
    await plane.#build();
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
    return this.#fold.openCalls;
  }

  /** How many denials could not be recorded since the last time this was asked. */
  takeLost(): number {
    return this.#gauge.takeLost();
  }

  /** What a session has done so far. */
  sessionState(sessionId: string): SessionSeed["state"] {
    return this.#fold.state(sessionId);
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
    this.#send({ kind: "bundle", parsed: parsedPolicies(bundle), ...this.#proposed });
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
    this.#send({ kind: "revoked", tokenIds });
  }

  /**
   * Puts a mapping in force, or says why it cannot be. A mapping that names other
   * hosts needs a worker with other permissions: open calls are closed then.
   */
  setMapping(mapping: readonly MappingSource[]): Result<void, FirmaError[]> {
    const mapped = readMapped(mapping, this.#options.known);
    if (!mapped.ok) return mapped;
    const sameHosts = mapped.value.hosts.join(" ") === this.#mapped.hosts.join(" ");
    this.#mapping = mapping;
    this.#mapped = mapped.value;
    if (sameHosts) this.#send({ kind: "mapping", mapping });
    else this.replace("the mapping names other hosts");
    return ok(undefined);
  }

  /** Takes a session on; the socket's path comes back. */
  async openSession(base: SessionBase): Promise<Result<string>> {
    const frontSocketPath = await this.#options.sockets.take();
    if (frontSocketPath === undefined) {
      return err({
        code: "TOO_MANY_SESSIONS",
        message: "Cannot open the session: every session socket is taken",
        cure: "end a session, or start another Sidecar",
      });
    }
    const { sessionId } = base;
    this.#fold.begin(sessionId);
    const session = { base, frontSocketPath };
    this.#sessions.set(sessionId, session);
    const answer = this.#openings.answer(sessionId);
    this.#postSession(session);
    const error = await answer;
    if (error === undefined) return ok(frontSocketPath);
    this.#sessions.delete(sessionId);
    this.#options.sockets.release(frontSocketPath);
    this.#fold.end(sessionId);
    return err(error);
  }

  /** Replaces the tokens of a session. */
  setClaims(sessionId: string, claims: readonly CapabilityClaims[]): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    session.base = { ...session.base, claims };
    this.#send({ kind: "session-claims", sessionId, claims });
  }

  /** Has a call decided that somebody else makes. Without a worker nothing is allowed. */
  async advise(question: Question): Promise<Advice> {
    if (!this.#serving) return UNDECIDED;
    const number = ++this.#questions;
    const answer = this.#advice.answer(number);
    this.#send({ kind: "advise", number, question });
    return await answer;
  }

  /** Ends a session: closes its socket and its calls, and waits for their records. */
  async closeSession(sessionId: string): Promise<void> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    // From here on no other worker takes it over.
    this.#sessions.delete(sessionId);
    if (this.#serving) {
      const closed = this.#closings.answer(sessionId);
      this.#send({ kind: "session-close", sessionId });
      await closed;
    }
    this.#options.sockets.release(session.frontSocketPath);
    this.#fold.end(sessionId);
  }

  /** Ends the worker and builds another from what is known here. */
  replace(reason: string): void {
    if (this.#worker === undefined) return;
    this.#worker.end();
    this.#succeed(reason);
  }

  /** Ends the worker for good. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#worker?.end();
    this.#advice.settleAll(UNDECIDED);
    this.#abandonCalls("the Sidecar has ended");
  }

  /** Tells the worker, when there is one; otherwise the next one is told in {@linkcode #handOver}. */
  #send(message: ToWorker): void {
    if (this.#serving) this.#worker?.post(message);
  }

  #abandonCalls(detail: string): void {
    for (const outcome of this.#fold.abandon(detail)) this.#options.audit.append(outcome);
    this.#options.audit.detach(this.#gauge);
  }

  /** Follows a worker that ended, whatever ended it. */
  #succeed(reason: string): void {
    this.#worker = undefined;
    this.#serving = false;
    this.#abandonCalls(`the data plane ended: ${reason}`);
    // Whoever waited for the old worker to close a session has what it wanted.
    this.#closings.settleAll();
    this.#advice.settleAll(UNDECIDED);
    this.#options.notify("warn", `The data plane starts again, open calls were closed: ${reason}`);
    if (performance.now() - this.#startedAt > HEALTHY_MS) this.#retryMs = FIRST_RETRY_MS;
    const wait = this.#retryMs;
    this.#retryMs = Math.min(wait * 2, LAST_RETRY_MS);
    this.#retry = setTimeout(() => {
      this.#build().catch((cause) => {
        if (!this.#stopped) this.#succeed(`cannot start: ${cause}`);
      });
    }, wait);
  }

  async #build(): Promise<void> {
    const { config, sockets, cedar, audit, spare } = this.#options;
    await sockets.clear();
    if (this.#stopped) return;
    this.#startedAt = performance.now();
    this.#gauge = new AuditGauge();
    const gauge = this.#gauge;
    audit.attach(gauge);
    const permissions = planePermissions(this.#mapped.hosts, config, sockets);
    const mapping = this.#mapping;
    const worker = new WorkerHandle({ permissions, worker: spare?.take(permissions) }, {
      message: (message) => this.#receive(worker, mapping, message),
      event: (event) => {
        this.#fold.take(event);
        audit.take(event, gauge);
      },
      died: (reason) => this.#succeed(reason),
    });
    this.#worker = worker;
    cedar.then(
      (module) =>
        worker.post({ kind: "start", config, mapping, cedar: module, gauge: gauge.buffer }),
      () => worker.end(), // whoever loads Cedar says what is wrong with it
    );
  }

  #receive(
    worker: WorkerHandle,
    startedWith: readonly MappingSource[],
    message: FromWorker,
  ): void {
    switch (message.kind) {
      case "started":
        return this.#handOver(worker, startedWith);
      case "start-failed":
        worker.end();
        return this.#succeed(message.errors.map((error) => error.message).join("; "));
      case "leaf-request":
        return this.#answerLeaf(worker, message.request, message.host);
      case "bundle-result":
        this.#bundleResults.settle(message.revision, message.errors);
        return;
      case "advised":
        this.#advice.settle(message.number, message.advice);
        return;
      case "session-opened":
        return this.#sessionOpened(message.sessionId, message.error);
      case "session-closed":
        this.#closings.settle(message.sessionId);
        return;
    }
  }

  /** Tells a new worker everything that the one before knew. */
  #handOver(worker: WorkerHandle, startedWith: readonly MappingSource[]): void {
    this.#serving = true;
    if (startedWith !== this.#mapping) this.#send({ kind: "mapping", mapping: this.#mapping });
    for (const vouched of [this.#bundle, this.#proposed]) {
      if (vouched === undefined) continue;
      worker.post({ kind: "bundle", parsed: parsedPolicies(vouched.bundle), ...vouched });
    }
    if (this.#revoked !== undefined) worker.post({ kind: "revoked", tokenIds: this.#revoked });
    for (const session of this.#sessions.values()) this.#postSession(session);
  }

  #postSession({ base, frontSocketPath }: OpenSession): void {
    const seed = { ...base, state: this.#fold.state(base.sessionId) };
    this.#send({ kind: "session-open", seed, frontSocketPath });
  }

  #sessionOpened(sessionId: string, error: FirmaError | undefined): void {
    const handedOver = !this.#openings.settle(sessionId, error);
    if (handedOver && error !== undefined) {
      this.#options.notify("error", `Session ${sessionId} has no way out: ${error.message}`);
    }
  }

  #answerLeaf(worker: WorkerHandle, request: number, host: string): void {
    // Certificates name addresses without brackets.
    this.#options.leaf(host.replace(/^\[(.*)\]$/, "$1")).then(
      (leaf) => worker.post({ kind: "leaf", request, leaf }),
      () => worker.post({ kind: "leaf", request, leaf: undefined }),
    );
  }
}
