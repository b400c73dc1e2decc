import { type FirmaError, ok, type Result } from "../../core/result.ts";
import { MappingTable } from "../../mapping/table.ts";
import type { Learnt, StoredValue } from "../../secrets/learnt.ts";
import type { Placeholder } from "../../secrets/placeholder.ts";
import { BrokerClient } from "../credentials/broker_client.ts";
import { BrokeredCredentials } from "../credentials/brokered.ts";
import { type CallCredentials, onceNeeded } from "../credentials/call_credentials.ts";
import { HandOuts } from "../credentials/hand_outs.ts";
import type { CredentialTarget } from "../credentials/request_judge.ts";
import { PlaceholderDesk } from "../credentials/request_desk.ts";
import { unseen } from "../credentials/response_failure.ts";
import { MaskingCredentials, type MaskingOptions } from "../credentials/response_credentials.ts";
import { SecretsOfSessions } from "../credentials/response_secrets.ts";
import { DEFAULT_EXEC_CONFIG } from "../exec/decide.ts";
import { createPipeline, type Pipeline } from "../pipeline/pipeline.ts";
import type { SessionTable } from "../pipeline/session_table.ts";
import type { Standing } from "../pipeline/standing.ts";
import { StubService } from "../stores/secret_programs.ts";
import { CallTransport } from "../transport/call_transport.ts";
import type { ApprovalClient } from "./approval_client.ts";
import type { EventQueue } from "./event_queue.ts";
import type { LeafClient } from "./leaf_client.ts";
import type { MappingSource, WorkerConfig } from "./messages.ts";

/** What calls are decided and carried with. */
export interface CallParts {
  readonly config: WorkerConfig;
  readonly mapping: readonly MappingSource[];
  /** Is given the mapping table. */
  readonly standing: Standing;
  readonly sessions: SessionTable;
  readonly queue: EventQueue;
  readonly approvals: ApprovalClient;
  readonly leaves: LeafClient;
}

/** The main thread has read the same files, in full unless it knew them to be valid. */
const CHECKED = { checked: true };

/**
 * What calls need of a data plane, and executions do not. Most of what a data plane loads is here,
 * and half of that is Node's: it is loaded when the first call comes, or once there is time.
 */
export class Calls {
  readonly pipeline: Pipeline;
  readonly transport: CallTransport;
  readonly broker = new BrokerClient();
  readonly #standing: Standing;
  readonly #desk: PlaceholderDesk;
  readonly #handOuts: HandOuts;
  readonly #secrets: SecretsOfSessions;
  /** Sessions whose secrets are asked for before anything of theirs goes out. */
  readonly #recalling = new Set<string>();

  private constructor(parts: CallParts) {
    const { config, standing, sessions, queue, approvals, leaves } = parts;
    this.#standing = standing;
    const desk = this.#desk = new PlaceholderDesk(
      config.credentials,
      [...config.secretStores ?? [], ...config.secretPrograms ?? []],
      config.formerCredentials,
    );
    this.pipeline = createPipeline({ config, desk, standing, sessions, sink: queue, approvals });
    const secrets = this.#secrets = new SecretsOfSessions((...which) => desk.book.textOf(...which));
    desk.secretOf = (sessionId, text) => secrets.of(sessionId).secretOf(text);
    this.#handOuts = new HandOuts(this.broker, {
      heard: (...handed) => secrets.learn(...handed),
      reused: (...handed) => secrets.renew(...handed),
      isInForce: (meant) => desk.isInForce(meant),
    });
    this.transport = new CallTransport({
      gate: this.pipeline.gate,
      credentials: this.#callCredentials(config),
      secretPrograms: this.#secretPrograms(parts),
      leaf: (host) => leaves.get(host),
      timeouts: config.timeouts,
    });
  }

  /** Makes it, and gives `standing` the mapping; or says what is wrong with that. */
  static open(parts: CallParts): Result<Calls, FirmaError[]> {
    const table = MappingTable.parse(parts.mapping, CHECKED);
    if (!table.ok) return table;
    parts.standing.mapping = table.value;
    return ok(new Calls(parts));
  }

  /** Exchanges the mapping, unless something is wrong with the new one. */
  remap(mapping: readonly MappingSource[]): readonly FirmaError[] {
    const table = MappingTable.parse(mapping, CHECKED);
    if (!table.ok) return table.error;
    this.#standing.mapping = table.value;
    return [];
  }

  /**
   * Knows what a session holds. `resumes`: and what a data plane before this one learnt of it;
   * `false`: nobody knows that any more.
   */
  async openSession(
    sessionId: string,
    placeholders: readonly Placeholder[],
    resumes: boolean,
  ): Promise<boolean> {
    this.#desk.book.open(sessionId, placeholders);
    if (!resumes) return true;
    // Until it is known, answers could not be searched for it, and the session has no way in.
    this.#recalling.add(sessionId);
    const learnt = await this.broker.recall(sessionId);
    if (!this.#recalling.delete(sessionId)) return true; // it was closed meanwhile
    for (const each of learnt ?? []) this.#learnAgain(sessionId, each);
    return learnt !== undefined;
  }

  /** Other credentials are in force; `former` are those that there are none of any more. */
  setCredentials(
    targets: readonly CredentialTarget[],
    former: readonly CredentialTarget[],
  ): void {
    this.#desk.setTargets(targets, former);
    this.#handOuts.review();
  }

  /** Takes no notice of what is learnt of a session that is about to end. */
  leaveSession(sessionId: string): void {
    this.#recalling.delete(sessionId);
  }

  /** Forgets a session. */
  forgetSession(sessionId: string): void {
    this.#handOuts.forget(sessionId);
    this.#secrets.forget(sessionId);
    this.#desk.book.end(sessionId);
  }

  /** Without credentials and secret stores no session has secrets, and nothing is searched. */
  #callCredentials(
    { secretStores: stores = [], maxSecretAnswerBytes }: WorkerConfig,
  ): CallCredentials {
    const desk = this.#desk;
    const options: MaskingOptions = {
      targets: () => desk.everyTarget,
      stores,
      maxStoreAnswerBytes: maxSecretAnswerBytes,
      learnt: (...known) => this.#learnt(...known),
    };
    const brokered = new BrokeredCredentials(this.#handOuts, desk);
    const needed = new MaskingCredentials(brokered, this.#secrets, options);
    return desk.bindings.length > 0
      ? needed
      : onceNeeded(() => desk.everyTarget.length > 0, needed);
  }

  /** Without programs of secret stores there are no stubs to be answered. */
  #secretPrograms(
    { config, standing, sessions, queue: sink, approvals: desk }: CallParts,
  ): StubService | undefined {
    const { secretPrograms: providers = [], clockSkewMs, approvals } = config;
    if (providers.length === 0) return undefined;
    return new StubService({
      providers,
      run: (command) => this.broker.run(command),
      secretsOf: (sessionId) => this.#secrets.of(sessionId),
      learnt: (...known) => this.#learnt(...known),
      ...{ standing, sessions, sink, clockSkewMs },
      approvals: approvals && { desk, config: approvals },
      // What is configured by its path needs no leave by its name.
      config: DEFAULT_EXEC_CONFIG,
      now: Date.now,
    });
  }

  /** A session is about to be shown placeholders of these. */
  async #learnt(sessionId: string, values: readonly StoredValue[]): Promise<void> {
    if (!await this.broker.keep(sessionId, values)) throw unseen("cannot be remembered");
    for (const value of values) this.#desk.noteStored(sessionId, value);
  }

  /** What a data plane before this one learnt of a session. */
  #learnAgain(sessionId: string, learnt: Learnt): void {
    if (learnt.kind === "handed") return this.#secrets.learn(sessionId, learnt);
    this.#secrets.of(sessionId).learn(learnt.secret, learnt.placeholder);
    this.#desk.noteStored(sessionId, learnt);
  }
}
