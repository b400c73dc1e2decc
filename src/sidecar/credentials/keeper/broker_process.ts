import type { Captured, OwnSignIn } from "../../../broker/captured.ts";
import type { CredentialNeed, Issued } from "../../../broker/hand_out.ts";
import type { FromBroker, ToBroker } from "../../../broker/messages.ts";
import type { ProgramOutput } from "../../../broker/run_program.ts";
import type { StoreCommand } from "../../../broker/store_programs.ts";
import type { IdentityTokenRequest } from "../../../core/authority.ts";
import { after } from "../../../core/after.ts";
import { jsonLines } from "../../../core/json_lines.ts";
import { err, type FirmaError, type Result } from "../../../core/result.ts";
import { Waiting } from "../../waiting.ts";
import type { BrokerStart } from "./messages.ts";

/** What keeping a broker needs. */
export interface BrokerProcessOptions {
  readonly start: BrokerStart;
  /** Asks the Authority for an ID token. */
  readonly identify: (request: IdentityTokenRequest) => Promise<Result<string>>;
  /** Hears that the broker ended by itself, and how. */
  readonly ended: (how: string) => void;
  /** Hears that it serves again after it had ended. */
  readonly recovered: () => void;
  /** @default {50} */
  readonly firstRetryMs?: number;
}

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5_000;
/** How much longer than its slowest source a broker may take to answer, before it is ended. */
const LINGER_MS = 10_000;
/** A broker that lived this long was healthy: the next one starts at once. */
const HEALTHY_MS = 10_000;

const AWAY: FirmaError = {
  code: "CREDENTIAL_BROKER_AWAY",
  message: "Cannot obtain a credential: the credential broker has ended and starts again",
};

/**
 * Keeps a process `__broker` going. Whoever asks while the first one starts waits for it; while one
 * that broke is being followed by another there is no answer but that.
 */
export class BrokerProcess {
  readonly #options: BrokerProcessOptions;
  readonly #waiting = new Waiting<number, Result<Issued>>();
  readonly #taking = new Waiting<number, Result<void>>();
  readonly #programs = new Waiting<number, Result<ProgramOutput>>();
  readonly #handingOver = new Waiting<number, readonly OwnSignIn[]>();
  readonly #ready = Promise.withResolvers<void>();
  #idle = () => {};
  #child: Deno.ChildProcess | undefined;
  #orders: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #questions = 0;
  #startedAt = 0;
  #retryMs: number;
  #broke = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: BrokerProcessOptions) {
    this.#options = options;
    this.#retryMs = options.firstRetryMs ?? FIRST_RETRY_MS;
    this.#spawn();
  }

  /** Of the process that there is now. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when one has started; what is asked before that waits for it, too. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Asks for a hand-out. Never rejects. */
  ask(need: CredentialNeed): Promise<Result<Issued>> {
    if (this.#orders === undefined) return Promise.resolve(err(AWAY));
    const number = ++this.#questions;
    const answer = this.#waiting.answer(number);
    this.#tell({ type: "need", number, need });
    return answer;
  }

  /** Has a command of a store's program run. Never rejects. */
  run(command: StoreCommand): Promise<Result<ProgramOutput>> {
    if (this.#orders === undefined) return Promise.resolve(err(AWAY));
    const number = ++this.#questions;
    const answer = this.#programs.answer(number);
    this.#tell({ type: "run", number, command });
    return answer;
  }

  /** Gives the broker tokens to keep. Never rejects. */
  capture(captured: Captured): Promise<Result<void>> {
    if (this.#orders === undefined) return Promise.resolve(err(AWAY));
    const number = ++this.#questions;
    const answer = this.#taking.answer(number);
    this.#tell({ type: "captured", number, captured });
    return answer;
  }

  /** What it has for single sessions, for another one to adopt; nothing where it is away. */
  handOver(): Promise<readonly OwnSignIn[]> {
    if (this.#orders === undefined) return Promise.resolve([]);
    const number = ++this.#questions;
    const answer = this.#handingOver.answer(number);
    this.#tell({ type: "hand-over", number });
    return answer;
  }

  /** Takes over what another one had for single sessions. */
  adopt(signIns: readonly OwnSignIn[]): void {
    if (signIns.length > 0) this.#tell({ type: "adopt", signIns });
  }

  /** A server would not have what was handed out. */
  refused(label: string, scope: string): void {
    this.#tell({ type: "refused", label, scope });
  }

  /** Ends it once it has answered everybody who waits; at the latest when no answer can come. */
  async finish(): Promise<void> {
    const { credentials, stores } = this.#options.start;
    const limits = [...credentials, ...stores].map(({ timeoutMs }) => timeoutMs);
    const limitMs = Math.max(0, ...limits) + LINGER_MS;
    if (this.#openQuestions > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#idle = resolve;
      const callOff = after(limitMs, resolve);
      await promise;
      callOff();
    }
    await this.close();
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#orders?.close().catch(() => {});
    await this.#child?.status;
  }

  #tell(message: ToBroker): void {
    const line = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
    // When it is gone, its end is heard.
    this.#orders?.write(line).catch(() => {});
  }

  #spawn(): void {
    const { command: [program = "", ...args], env, credentials, stores } = this.#options.start;
    this.#startedAt = performance.now();
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command(program, {
        args,
        env: { ...env },
        clearEnv: true,
        cwd: "/",
        stdin: "piped",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
    } catch (cause) {
      return this.#succeed(cause instanceof Error ? cause.message : String(cause));
    }
    this.#child = child;
    this.#orders = child.stdin.getWriter();
    this.#tell({ type: "start", credentials, stores });
    this.#follow(child);
  }

  async #follow(child: Deno.ChildProcess): Promise<void> {
    try {
      for await (const message of jsonLines(child.stdout)) this.#hear(message as FromBroker);
    } catch {
      // What ends the reading ends the process, or has ended it.
    }
    const { code, signal } = await child.status;
    if (!this.#closed) this.#succeed(signal ? `signal ${signal}` : `exit code ${code}`);
    else this.#answerAll();
  }

  #hear(message: FromBroker): void {
    if (message.type === "ready") {
      if (this.#broke) this.#options.recovered();
      this.#broke = false;
      return this.#ready.resolve();
    }
    if (message.type === "identify") return void this.#identify(message.number, message.request);
    if (message.type === "handed-over") {
      return void this.#handingOver.settle(message.number, message.signIns);
    }
    if (message.type === "ran") this.#programs.settle(message.number, message.outcome);
    else if (message.type === "taken") this.#taking.settle(message.number, message.outcome);
    else this.#waiting.settle(message.number, message.outcome);
    this.#idleIfNobodyWaits();
  }

  get #openQuestions(): number {
    return this.#waiting.size + this.#taking.size + this.#programs.size;
  }

  #idleIfNobodyWaits(): void {
    if (this.#openQuestions === 0) this.#idle();
  }

  async #identify(number: number, request: IdentityTokenRequest): Promise<void> {
    const child = this.#child;
    const outcome = await this.#options.identify(request);
    // The numbers of the one that came after it are others.
    if (child === this.#child) this.#tell({ type: "identified", number, outcome });
  }

  #succeed(how: string): void {
    this.#child = undefined;
    this.#orders = undefined;
    this.#answerAll();
    if (!this.#broke) this.#options.ended(how);
    this.#broke = true;
    if (performance.now() - this.#startedAt > HEALTHY_MS) {
      this.#retryMs = this.#options.firstRetryMs ?? FIRST_RETRY_MS;
    }
    this.#retry = setTimeout(() => this.#spawn(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  #answerAll(): void {
    this.#waiting.settleAll(err(AWAY));
    this.#taking.settleAll(err(AWAY));
    this.#programs.settleAll(err(AWAY));
    this.#handingOver.settleAll([]);
    this.#idleIfNobodyWaits();
  }
}
