import type { Captured } from "../../broker/captured.ts";
import type { CredentialNeed, Issued } from "../../broker/hand_out.ts";
import type { ProgramOutput } from "../../broker/run_program.ts";
import type { StoreCommand } from "../../broker/store_programs.ts";
import { err, type FirmaError, type Result } from "../../core/result.ts";
import type { Learnt, StoredValue } from "../../secrets/learnt.ts";
import { Waiting } from "../waiting.ts";
import type { CredentialSource } from "./hand_outs.ts";
import type { AskBroker, BrokerAnswer } from "./keeper/messages.ts";

/** The way of a data plane to the broker, past the main thread. */
export class BrokerClient implements CredentialSource {
  readonly #waiting = new Waiting<number, Result<Issued>>();
  readonly #taking = new Waiting<number, Result<void>>();
  readonly #running = new Waiting<number, Result<ProgramOutput>>();
  readonly #keeping = new Waiting<number, boolean>();
  readonly #recalling = new Waiting<number, readonly Learnt[] | undefined>();
  #isLost = false;
  #port: MessagePort | undefined;
  #questions = 0;

  /** Takes the way in use; without one, whoever waits is told that there is no broker any more. */
  use(port: MessagePort | undefined): void {
    this.#port = port;
    if (port === undefined) return this.#lose();
    port.onmessage = ({ data }: MessageEvent<BrokerAnswer>) => {
      switch (data.kind) {
        case "handed":
          return void this.#waiting.settle(data.number, data.outcome);
        case "taken":
          return void this.#taking.settle(data.number, data.outcome);
        case "ran":
          return void this.#running.settle(data.number, data.outcome);
        case "kept":
          return void this.#keeping.settle(data.number, true);
        case "recalled":
          return void this.#recalling.settle(data.number, data.learnt);
      }
    };
  }

  ask(need: CredentialNeed): Promise<Result<Issued>> {
    if (this.#port === undefined) return Promise.resolve(away(need.label));
    const number = ++this.#questions;
    const answer = this.#waiting.answer(number);
    this.#post({ kind: "need", number, need });
    return answer;
  }

  capture(captured: Captured): Promise<Result<void>> {
    if (this.#port === undefined) return Promise.resolve(away(captured.label));
    const number = ++this.#questions;
    const answer = this.#taking.answer(number);
    this.#post({ kind: "captured", number, captured });
    return answer;
  }

  /** Has a command of a store's program run, outside of every sandbox. Never rejects. */
  run(command: StoreCommand): Promise<Result<ProgramOutput>> {
    if (this.#port === undefined) return Promise.resolve(away(command.provider));
    const number = ++this.#questions;
    const answer = this.#running.answer(number);
    this.#post({ kind: "run", number, command });
    return answer;
  }

  refused(label: string, scope: string): void {
    this.#post({ kind: "refused", label, scope });
  }

  /** Has values of a store kept for the data plane after this one; whether they are. */
  async keep(sessionId: string, values: readonly StoredValue[]): Promise<boolean> {
    if (this.#port === undefined) return !this.#isLost;
    const number = ++this.#questions;
    const kept = this.#keeping.answer(number);
    this.#post({ kind: "stored", number, sessionId, values });
    return await kept;
  }

  /** What a session must not see, as data planes before this one learnt it; nothing if nobody knows. */
  async recall(sessionId: string): Promise<readonly Learnt[] | undefined> {
    if (this.#port === undefined) return this.#isLost ? undefined : [];
    const number = ++this.#questions;
    const recalled = this.#recalling.answer(number);
    this.#post({ kind: "recall", number, sessionId });
    return await recalled;
  }

  #lose(): void {
    this.#isLost = true;
    this.#waiting.settleAll(err(GONE));
    this.#taking.settleAll(err(GONE));
    this.#running.settleAll(err(GONE));
    this.#keeping.settleAll(false);
    this.#recalling.settleAll(undefined);
  }

  #post(message: AskBroker): void {
    this.#port?.postMessage(message);
  }
}

const GONE: FirmaError = {
  code: "CREDENTIAL_BROKER_AWAY",
  message: "Cannot obtain a credential: the credential broker has ended for good",
  cure: "end the Sidecar and start it again",
};

function away(label: string): Result<never> {
  return err({
    code: "CREDENTIAL_BROKER_AWAY",
    message: `Cannot obtain the credential "${label}": there is no credential broker`,
  });
}
