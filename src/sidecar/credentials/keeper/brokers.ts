import type { Captured } from "../../../broker/captured.ts";
import type { CredentialNeed, Issued } from "../../../broker/hand_out.ts";
import type { ProgramOutput } from "../../../broker/run_program.ts";
import type { StoreCommand } from "../../../broker/store_programs.ts";
import { superseded } from "../../../broker/provider.ts";
import { editionOf } from "../../../config/keys/credentials/edition.ts";
import { after } from "../../../core/after.ts";
import { err, ok, type Result } from "../../../core/result.ts";
import { BrokerProcess, type BrokerProcessOptions } from "./broker_process.ts";
import type { BrokerStart } from "./messages.ts";

/** What keeping brokers needs. */
export interface BrokersOptions {
  readonly identify: BrokerProcessOptions["identify"];
  readonly tell: (level: "info" | "warn", text: string) => void;
  /** How long a new one may take to start, in milliseconds. @default {30_000} */
  readonly startLimitMs?: number;
}

const START_LIMIT_MS = 30_000;
/** What sessions have of their own is not worth more than that. */
const HAND_OVER_LIMIT_MS = 2_000;

interface Serving {
  readonly process: BrokerProcess;
  readonly editions: ReadonlySet<string>;
  /** It is the one that calls depend on, so that the operator has to hear of its end. */
  counts: boolean;
}

/**
 * The broker of a Sidecar. What it may reach is fixed when it starts, so that another set of
 * credentials takes another one: it starts beside the one that serves, and takes its place when it
 * is ready.
 */
export class Brokers {
  readonly #options: BrokersOptions;
  #current: Serving | undefined;
  /** Serves what the current one does not know, until data planes know the new set. */
  #before: Serving | undefined;
  #taking: Promise<void> | undefined;

  constructor(options: BrokersOptions) {
    this.#options = options;
  }

  /** Starts the first one, and does not wait for it. */
  start(start: BrokerStart): void {
    this.#current = this.#spawn(start, true);
  }

  /**
   * Has another one take over, or none, as soon as it is ready; where it does not start, all stays as
   * it is. One at a time. The one before has to be retired.
   */
  async replace(start: BrokerStart | undefined): Promise<Result<void>> {
    const next = start && this.#spawn(start, false);
    if (next !== undefined && !await this.#starts(next)) {
      next.process.close();
      return err({
        code: "CREDENTIAL_BROKER_AWAY",
        message: "Cannot change credentials: no credential broker starts for the new ones",
        cure: "firma doctor",
      });
    }
    this.#taking = this.#takeOver(next);
    await this.#taking;
    this.#taking = undefined;
    return ok(undefined);
  }

  /** Nobody means any more what only the one before knows: it ends when it has answered. */
  retire(): void {
    this.#before?.process.finish();
    this.#before = undefined;
  }

  /** Asks for a hand-out. Never rejects. */
  async ask(need: CredentialNeed): Promise<Result<Issued>> {
    if (this.#taking !== undefined) await this.#taking;
    return await this.#serving(need.edition)?.process.ask(need) ?? superseded(need.label);
  }

  /** Gives tokens to keep. Never rejects. */
  async capture(captured: Captured): Promise<Result<void>> {
    if (this.#taking !== undefined) await this.#taking;
    return await this.#serving(captured.edition)?.process.capture(captured) ??
      superseded(captured.label);
  }

  /** Has a command of a store's program run; which stores there are never changes. Never rejects. */
  async run(command: StoreCommand): Promise<Result<ProgramOutput>> {
    if (this.#taking !== undefined) await this.#taking;
    return await this.#current?.process.run(command) ?? err({
      code: "CREDENTIAL_BROKER_AWAY",
      message: `Cannot read from the secret store "${command.provider}": there is no broker`,
    });
  }

  /** A server would not have what was handed out. */
  refused(label: string, scope: string): void {
    this.#current?.process.refused(label, scope);
  }

  #spawn(start: BrokerStart, counts: boolean): Serving {
    const { identify, tell } = this.#options;
    const standing = { counts, editions: new Set(start.credentials.map(editionOf)) };
    const process = new BrokerProcess({
      start,
      identify,
      ended: (how) => {
        if (!standing.counts) return;
        tell("warn", `The credential broker ended (${how}); calls that need a credential fail now`);
      },
      recovered: () => {
        if (standing.counts) tell("info", "The credential broker serves again");
      },
    });
    return Object.assign(standing, { process });
  }

  #starts({ process }: Serving): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const callOff = after(this.#options.startLimitMs ?? START_LIMIT_MS, () => resolve(false));
    process.ready.then(() => {
      callOff();
      resolve(true);
    });
    return promise;
  }

  /** Whoever asks meanwhile waits: what a session has of its own must be there before that. */
  async #takeOver(next: Serving | undefined): Promise<void> {
    const before = this.#current;
    if (next !== undefined && before !== undefined) {
      const late = Promise.withResolvers<[]>();
      const callOff = after(HAND_OVER_LIMIT_MS, () => late.resolve([]));
      next.process.adopt(await Promise.race([before.process.handOver(), late.promise]));
      callOff();
    }
    this.retire();
    if (before !== undefined) before.counts = false;
    if (next !== undefined) next.counts = true;
    this.#before = before;
    this.#current = next;
  }

  #serving(edition: string): Serving | undefined {
    return [this.#current, this.#before].find((each) => each?.editions.has(edition));
  }
}
