import { after, every } from "../../core/after.ts";
import { setOperatorClasses } from "../../core/action_class.ts";
import { Late } from "../../core/late.ts";
import type { FirmaError } from "../../core/result.ts";
import type { HostAndPort } from "../../net/http/uri_authority.ts";
import { LossScale } from "../losses/scale.ts";
import { offerCedar } from "../../policy/cedar_module.ts";
import { markChecked } from "../../policy/checked.ts";
import { LocalExecutions } from "../exec/executions.ts";
import { SessionTable } from "../pipeline/session_table.ts";
import { Standing } from "../pipeline/standing.ts";
import type { KnownStubs } from "../stores/known_stubs.ts";
import { LateTransport, type Transport } from "../transport/transport.ts";
import { ApprovalClient } from "./approval_client.ts";
import { AuditGauge } from "./audit_gauge.ts";
import type { Calls } from "./calls.ts";
import { takeFromCedarMemory } from "./cedar_memory.ts";
import { EventQueue } from "./event_queue.ts";
import type { EventRing } from "./event_ring.ts";
import { LeafClient } from "./leaf_client.ts";
import type { CallInput } from "../gate.ts";
import type { FromWorker, Question, ToWorker, WorkerConfig } from "./messages.ts";
import { proxyError } from "./proxy_error.ts";

interface Running {
  readonly standing: Standing;
  readonly sessions: SessionTable;
  /** What calls need; loaded when the first one comes. */
  readonly calls: Late<Calls>;
  readonly executions: LocalExecutions;
  readonly losses: LossScale;
  readonly transport: Transport;
  readonly queue: EventQueue;
  readonly httpProxy: HostAndPort | undefined;
}

type Message<K extends ToWorker["kind"]> = Extract<ToWorker, { readonly kind: K }>;
type Order = Exclude<ToWorker, Message<"start" | "leaf" | "approval-answer" | "ping">>;

/** How often calls under way are looked through for those that time has overtaken. */
const EXPIRE_MS = 1_000;

/**
 * How long after a session has begun what calls need is loaded if none has come: agents take longer
 * to start, and many a command makes no call.
 */
const LOAD_CALLS_MS = 200;

/** Its answers could not be searched for what it was handed. */
const FORGOTTEN: FirmaError = {
  code: "SESSION_SECRETS",
  message: "Cannot go on with the session: nobody knows any more what it must not see",
  cure: "end the Sidecar and start it again",
};

/** How long the outcomes of calls that were broken off may take. */
const DRAIN_LIMIT_MS = 1_000;

/** Carries out what the main thread says, message by message, in order. */
export class DataPlaneWorker {
  readonly #control: MessagePort;
  readonly #events: EventRing;
  readonly #leaves: LeafClient;
  readonly #approvals = new ApprovalClient((request) => this.#post(request));
  #running: Running | undefined;

  constructor(control: MessagePort, events: EventRing) {
    this.#control = control;
    this.#events = events;
    this.#leaves = new LeafClient((request, host) =>
      this.#post({ kind: "leaf-request", request, host })
    );
  }

  /** Starts to listen. */
  listen(): void {
    this.#control.onmessage = ({ data }: MessageEvent<ToWorker>) => {
      this.#receive(data).catch((cause) => {
        // What cannot be carried out leaves the worker in a state that nobody
        // knows. An uncaught error ends it, and the main thread builds another.
        queueMicrotask(() => {
          throw cause;
        });
      });
    };
  }

  #post(message: FromWorker): void {
    this.#control.postMessage(message);
  }

  async #receive(message: ToWorker): Promise<void> {
    if (message.kind === "start") return await this.#start(message);
    if (message.kind === "leaf") return this.#leaves.answer(message.request, message.leaf);
    if (message.kind === "approval-answer") {
      return this.#approvals.answer(message.number, message.answer);
    }
    if (message.kind === "ping") return this.#post({ kind: "pong", number: message.number });
    if (this.#running === undefined) throw new Error(`Cannot do "${message.kind}": not started`);
    await this.#obey(this.#running, message);
  }

  async #start({ config, mapping, cedar, gauge }: Message<"start">): Promise<void> {
    offerCedar(() => takeFromCedarMemory(cedar, () => this.#post({ kind: "cedar-wanted" })));
    setOperatorClasses(config.actionClasses);
    const queue = new EventQueue(
      this.#events,
      new AuditGauge(gauge),
      config.auditCapacity,
      () => this.#post({ kind: "events" }),
      config.auditIsDurable,
    );
    const standing = new Standing(undefined, config.defaultProtected);
    const sessions = new SessionTable();
    const { clockSkewMs } = config;
    const approvals = config.approvals && { desk: this.#approvals, config: config.approvals };
    const executions = new LocalExecutions({
      standing,
      sessions,
      sink: queue,
      clockSkewMs,
      approvals,
      config: config.localExec,
      stubs: await stubsOf(config),
    });
    const losses = new LossScale({ standing, sessions, sink: queue, approvals });
    const parts = {
      config,
      mapping,
      standing,
      sessions,
      queue,
      approvals: this.#approvals,
      leaves: this.#leaves,
    };
    let errors: readonly FirmaError[] = [];
    const calls = new Late(async () => {
      const { Calls } = await import("./calls.ts");
      const opened = Calls.open(parts);
      if (opened.ok) return opened.value;
      errors = opened.error;
      throw new Error(errors[0]?.message);
    });
    if (holdsCredentials(config)) {
      await calls.get().catch(() => {});
      if (errors.length > 0) return this.#post({ kind: "start-failed", errors });
    }
    const transport = new LateTransport({
      executions,
      calls: new Late(async () => (await calls.get()).transport),
      timeouts: config.timeouts,
    });
    const { httpProxy } = config;
    this.#running = {
      standing,
      sessions,
      calls,
      executions,
      losses,
      transport,
      queue,
      httpProxy,
    };
    every(EXPIRE_MS, () => {
      calls.value?.pipeline.expire();
      executions.expire();
    });
    this.#post({ kind: "started" });
  }

  async #obey(running: Running, message: Order): Promise<void> {
    const { standing, sessions, calls, executions } = running;
    switch (message.kind) {
      case "bundle": {
        if (message.parsed) markChecked(message.bundle, message.parsed);
        const applied = standing.apply(message.bundle, message.freshUntilMs);
        if (applied.ok) {
          calls.value?.pipeline.review();
          executions.forget();
        }
        const errors = applied.ok ? [] : applied.error;
        return this.#post({ kind: "bundle-result", revision: message.bundle.revision, errors });
      }
      case "bundle-fresh":
        return standing.renew(message.revision, message.freshUntilMs);
      case "bundle-gone":
        standing.bundle = undefined;
        executions.forget();
        return calls.value?.pipeline.review();
      case "revoked":
        standing.revoked = message.tokenIds && new Set(message.tokenIds);
        executions.forget();
        return calls.value?.pipeline.review();
      case "mapping": {
        const errors = (await calls.get()).remap(message.mapping);
        return this.#post({ kind: "mapping-result", errors });
      }
      case "session-open":
        return await this.#openSession(running, message);
      case "session-claims":
        sessions.setClaims(message.sessionId, message.claims);
        executions.forget();
        return calls.value?.pipeline.expire();
      case "advise": {
        const advice = await (await calls.get()).pipeline.gate.advise(callInput(message.question));
        return this.#post({ kind: "advised", number: message.number, advice });
      }
      case "weigh": {
        const verdict = await running.losses.weigh(message.question);
        return this.#post({ kind: "weighed", number: message.number, verdict });
      }
      case "credentials":
        (await calls.get()).setCredentials(message.targets, message.former);
        return this.#post({ kind: "credentials-taken", number: message.number });
      case "broker":
        return (await calls.get()).broker.use(message.port);
      case "session-close":
        return await this.#closeSession(running, message.sessionId);
    }
  }

  async #openSession(
    { sessions, transport, httpProxy, calls }: Running,
    { seed, entrance, resumes }: Message<"session-open">,
  ): Promise<void> {
    const { sessionId } = seed;
    let error: FirmaError | undefined;
    let proxy: HostAndPort | undefined;
    sessions.open(seed);
    const { placeholders = [] } = seed;
    const isKnown = resumes || placeholders.length > 0
      ? await (await calls.get()).openSession(sessionId, placeholders, resumes)
      : true;
    // It was closed meanwhile.
    if (sessions.get(sessionId)?.ended !== false) return;
    if (!isKnown) return this.#post({ kind: "session-opened", sessionId, error: FORGOTTEN });
    try {
      if (entrance.kind === "socket") await transport.openSession(sessionId, entrance.path);
      else proxy = await transport.admitSession(sessionId, entrance.secret, httpProxy!);
    } catch (cause) {
      sessions.forget(sessionId);
      calls.value?.forgetSession(sessionId);
      error = entrance.kind === "socket"
        ? { code: "SESSION_SOCKET", message: `Cannot listen on "${entrance.path}": ${cause}` }
        : proxyError(httpProxy!, cause);
    }
    this.#post({ kind: "session-opened", sessionId, error, proxy });
    after(LOAD_CALLS_MS, () => void calls.get());
  }

  async #closeSession(running: Running, sessionId: string): Promise<void> {
    const { sessions, calls, transport, queue } = running;
    calls.value?.leaveSession(sessionId);
    sessions.end(sessionId);
    calls.value?.pipeline.review();
    await transport.closeSession(sessionId);
    const drained = calls.value?.pipeline.drained(sessionId);
    if (drained) await settledWithin(DRAIN_LIMIT_MS, drained);
    queue.flush();
    sessions.forget(sessionId);
    calls.value?.forgetSession(sessionId);
    this.#post({ kind: "session-closed", sessionId });
  }
}

/** Whether what sessions hold has to be known from their first moment. */
function holdsCredentials(
  { credentials = [], formerCredentials = [], secretStores = [], secretPrograms = [] }:
    WorkerConfig,
): boolean {
  return [credentials, formerCredentials, secretStores, secretPrograms]
    .some(({ length }) => length > 0);
}

/** Loaded where there are any: most projects have none. */
async function stubsOf({ secretPrograms = [] }: WorkerConfig): Promise<KnownStubs | undefined> {
  if (secretPrograms.length === 0) return undefined;
  return await (await import("../stores/known_stubs.ts")).knownStubs(secretPrograms);
}

function callInput({ sessionId, body, ...call }: Question): CallInput {
  return {
    ...call,
    peer: { sessionId, provenance: { via: "api" } },
    httpVersion: "1.1",
    readBody: (limit) => Promise.resolve(body.length <= limit ? body : undefined),
  };
}

async function settledWithin(milliseconds: number, promise: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const stop = after(milliseconds, resolve);
  await Promise.race([promise, late]);
  stop();
}
