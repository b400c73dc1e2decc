import { setOperatorClasses } from "../../core/action_class.ts";
import type { FirmaError } from "../../core/result.ts";
import type { HostAndPort } from "../../net/http/uri_authority.ts";
import { LossScale } from "../losses/scale.ts";
import { MappingTable } from "../../mapping/table.ts";
import { offerCedar } from "../../policy/cedar_module.ts";
import { markChecked } from "../../policy/checked.ts";
import { LocalExecutions } from "../exec/executions.ts";
import { createPipeline, type Pipeline } from "../pipeline/pipeline.ts";
import { SessionTable } from "../pipeline/session_table.ts";
import { Standing } from "../pipeline/standing.ts";
import { BrokerClient } from "../credentials/broker_client.ts";
import { BrokeredCredentials } from "../credentials/brokered.ts";
import { type CallCredentials, NO_CREDENTIALS } from "../credentials/call_credentials.ts";
import { PlaceholderDesk } from "../credentials/request_desk.ts";
import { HandOuts } from "../credentials/hand_outs.ts";
import { MaskingCredentials, type MaskingOptions } from "../credentials/response_credentials.ts";
import { SecretsOfSessions } from "../credentials/response_secrets.ts";
import type { Learnt } from "../../secrets/learnt.ts";
import { startTransport, type Transport } from "../transport/transport.ts";
import { ApprovalClient } from "./approval_client.ts";
import { AuditGauge } from "./audit_gauge.ts";
import { EventQueue } from "./event_queue.ts";
import type { EventRing } from "./event_ring.ts";
import { LeafClient } from "./leaf_client.ts";
import type { CallInput } from "../gate.ts";
import type { FromWorker, Question, ToWorker, WorkerConfig } from "./messages.ts";

interface Running {
  readonly standing: Standing;
  readonly sessions: SessionTable;
  readonly pipeline: Pipeline;
  readonly executions: LocalExecutions;
  readonly losses: LossScale;
  readonly transport: Transport;
  readonly queue: EventQueue;
  readonly httpProxy: HostAndPort | undefined;
  readonly broker: BrokerClient;
  readonly handOuts: HandOuts;
  readonly secrets: SecretsOfSessions;
  readonly desk: PlaceholderDesk;
}

type Message<K extends ToWorker["kind"]> = Extract<ToWorker, { readonly kind: K }>;
type Order = Exclude<ToWorker, Message<"start" | "leaf" | "approval-answer" | "ping">>;

/** The main thread has read the same files, in full unless it knew them to be valid. */
const CHECKED = { checked: true };

/** How often calls under way are looked through for those that time has overtaken. */
const EXPIRE_MS = 1_000;

/** How long the outcomes of calls that were broken off may take. */
const DRAIN_LIMIT_MS = 1_000;

/** Carries out what the main thread says, message by message, in order. */
export class DataPlaneWorker {
  readonly #control: MessagePort;
  readonly #events: EventRing;
  readonly #leaves: LeafClient;
  readonly #approvals = new ApprovalClient((request) => this.#post(request));
  /** Sessions whose secrets are asked for before anything of theirs goes out. */
  readonly #recalling = new Set<string>();
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
    offerCedar(() => cedar);
    setOperatorClasses(config.actionClasses);
    const table = MappingTable.parse(mapping, CHECKED);
    if (!table.ok) return this.#post({ kind: "start-failed", errors: table.error });
    const queue = new EventQueue(
      this.#events,
      new AuditGauge(gauge),
      config.auditCapacity,
      () => this.#post({ kind: "events" }),
      config.auditIsDurable,
    );
    const standing = new Standing(table.value, config.defaultProtected);
    const sessions = new SessionTable();
    const desk = new PlaceholderDesk(config.credentials, config.secretStores);
    const pipeline = createPipeline({
      config,
      desk,
      standing,
      sessions,
      sink: queue,
      approvals: this.#approvals,
    });
    const broker = new BrokerClient();
    const secrets = new SecretsOfSessions((...which) => desk.book.textOf(...which));
    desk.secretOf = (sessionId, text) => secrets.of(sessionId).secretOf(text);
    const handOuts = new HandOuts(broker, (sessionId, issued) => secrets.learn(sessionId, issued));
    const { clockSkewMs } = config;
    const approvals = config.approvals && { desk: this.#approvals, config: config.approvals };
    const executions = new LocalExecutions({
      standing,
      sessions,
      sink: queue,
      clockSkewMs,
      approvals,
      config: config.localExec,
    });
    const losses = new LossScale({ standing, sessions, sink: queue, approvals });
    const transport = await startTransport({
      gate: pipeline.gate,
      executions,
      credentials: callCredentials(desk, handOuts, secrets, broker, config),
      leaf: (host) => this.#leaves.get(host),
      timeouts: config.timeouts,
    });
    const { httpProxy } = config;
    this.#running = {
      standing,
      sessions,
      pipeline,
      executions,
      losses,
      transport,
      queue,
      httpProxy,
      broker,
      handOuts,
      secrets,
      desk,
    };
    setInterval(() => {
      pipeline.expire();
      executions.expire();
    }, EXPIRE_MS);
    this.#post({ kind: "started" });
  }

  async #obey(running: Running, message: Order): Promise<void> {
    const { standing, sessions, pipeline, executions } = running;
    switch (message.kind) {
      case "bundle": {
        if (message.parsed) markChecked(message.bundle, message.parsed);
        const applied = standing.apply(message.bundle, message.freshUntilMs);
        if (applied.ok) {
          pipeline.review();
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
        return pipeline.review();
      case "revoked":
        standing.revoked = message.tokenIds && new Set(message.tokenIds);
        executions.forget();
        return pipeline.review();
      case "mapping": {
        const table = MappingTable.parse(message.mapping, CHECKED);
        if (table.ok) standing.mapping = table.value;
        return this.#post({ kind: "mapping-result", errors: table.ok ? [] : table.error });
      }
      case "session-open":
        return await this.#openSession(running, message);
      case "session-claims":
        sessions.setClaims(message.sessionId, message.claims);
        executions.forget();
        return pipeline.expire();
      case "advise": {
        const advice = await pipeline.gate.advise(callInput(message.question));
        return this.#post({ kind: "advised", number: message.number, advice });
      }
      case "weigh": {
        const verdict = await running.losses.weigh(message.question);
        return this.#post({ kind: "weighed", number: message.number, verdict });
      }
      case "broker":
        return running.broker.use(message.port);
      case "session-close":
        return await this.#closeSession(running, message.sessionId);
    }
  }

  async #openSession(
    { sessions, transport, httpProxy, desk, broker, secrets }: Running,
    { seed, entrance, resumes }: Message<"session-open">,
  ): Promise<void> {
    const { sessionId } = seed;
    let error: FirmaError | undefined;
    let proxy: HostAndPort | undefined;
    sessions.open(seed);
    desk.book.open(sessionId, seed.placeholders ?? []);
    if (resumes) {
      // Until it is known, answers could not be searched for it, and the session has no way in.
      this.#recalling.add(sessionId);
      const learnt = await broker.recall(sessionId);
      // It was closed meanwhile.
      if (!this.#recalling.delete(sessionId)) return;
      for (const each of learnt) learnAgain(sessionId, each, secrets, desk);
    }
    try {
      if (entrance.kind === "socket") await transport.openSession(sessionId, entrance.path);
      else proxy = await transport.admitSession(sessionId, entrance.secret, httpProxy!);
    } catch (cause) {
      sessions.forget(sessionId);
      desk.book.end(sessionId);
      error = entrance.kind === "socket"
        ? { code: "SESSION_SOCKET", message: `Cannot listen on "${entrance.path}": ${cause}` }
        : proxyError(httpProxy!, cause);
    }
    this.#post({ kind: "session-opened", sessionId, error, proxy });
  }

  async #closeSession(running: Running, sessionId: string): Promise<void> {
    this.#recalling.delete(sessionId);
    running.sessions.end(sessionId);
    running.pipeline.review();
    await running.transport.closeSession(sessionId);
    await settledWithin(DRAIN_LIMIT_MS, running.pipeline.drained(sessionId));
    running.queue.flush();
    running.sessions.forget(sessionId);
    running.handOuts.forget(sessionId);
    running.secrets.forget(sessionId);
    running.desk.book.end(sessionId);
    this.#post({ kind: "session-closed", sessionId });
  }
}

/** Without credentials and secret stores no session has secrets, and nothing is searched. */
function callCredentials(
  desk: PlaceholderDesk,
  handOuts: HandOuts,
  secrets: SecretsOfSessions,
  broker: BrokerClient,
  { secretStores: stores = [], maxSecretAnswerBytes }: WorkerConfig,
): CallCredentials {
  const { targets } = desk;
  if (targets.length === 0 && stores.length === 0) return NO_CREDENTIALS;
  const options: MaskingOptions = {
    targets,
    stores,
    maxStoreAnswerBytes: maxSecretAnswerBytes,
    learnt: async (sessionId, values) => {
      await broker.keep(sessionId, values);
      for (const value of values) desk.noteStored(sessionId, value);
    },
  };
  return new MaskingCredentials(new BrokeredCredentials(handOuts, desk), secrets, options);
}

/** What a data plane before this one learnt of a session. */
function learnAgain(
  sessionId: string,
  learnt: Learnt,
  secrets: SecretsOfSessions,
  desk: PlaceholderDesk,
): void {
  if (learnt.kind === "handed") return secrets.learn(sessionId, learnt);
  secrets.of(sessionId).learn(learnt.secret, learnt.placeholder);
  desk.noteStored(sessionId, learnt);
}

function callInput({ sessionId, body, ...call }: Question): CallInput {
  return {
    ...call,
    peer: { sessionId, provenance: { via: "api" } },
    httpVersion: "1.1",
    readBody: (limit) => Promise.resolve(body.length <= limit ? body : undefined),
  };
}

function proxyError({ host, port }: HostAndPort, cause: unknown): FirmaError {
  const isTaken = cause instanceof Deno.errors.AddrInUse;
  return {
    code: "PROXY_ADDRESS",
    message: `Cannot listen on "${host}" port ${port}: ${
      isTaken ? "another program listens there" : cause
    }`,
    cure: "end that program, or write another listen_addr in [sidecar.interceptor]",
  };
}

async function settledWithin(milliseconds: number, promise: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
