import type { Captured } from "../../broker/captured.ts";
import type { CredentialNeed, Issued } from "../../broker/hand_out.ts";
import { err, type Result } from "../../core/result.ts";
import type { Learnt, StoredValue } from "../../secrets/learnt.ts";
import { Waiting } from "../waiting.ts";
import type { CredentialSource } from "./hand_outs.ts";
import type { AskBroker, BrokerAnswer } from "./keeper/messages.ts";

/** The way of a data plane to the broker, past the main thread. */
export class BrokerClient implements CredentialSource {
  readonly #waiting = new Waiting<number, Result<Issued>>();
  readonly #taking = new Waiting<number, Result<void>>();
  readonly #keeping = new Waiting<number, void>();
  readonly #recalling = new Waiting<number, readonly Learnt[]>();
  #port: MessagePort | undefined;
  #questions = 0;

  /** Takes the way in use. */
  use(port: MessagePort): void {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<BrokerAnswer>) => {
      switch (data.kind) {
        case "handed":
          return void this.#waiting.settle(data.number, data.outcome);
        case "taken":
          return void this.#taking.settle(data.number, data.outcome);
        case "kept":
          return void this.#keeping.settle(data.number);
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

  refused(label: string, scope: string): void {
    this.#post({ kind: "refused", label, scope });
  }

  /** Has values of a store kept for the data plane after this one; resolves when they are. */
  async keep(sessionId: string, values: readonly StoredValue[]): Promise<void> {
    if (this.#port === undefined) return;
    const number = ++this.#questions;
    const kept = this.#keeping.answer(number);
    this.#post({ kind: "stored", number, sessionId, values });
    await kept;
  }

  /** What a session must not see, as data planes before this one learnt it. */
  async recall(sessionId: string): Promise<readonly Learnt[]> {
    if (this.#port === undefined) return [];
    const number = ++this.#questions;
    const recalled = this.#recalling.answer(number);
    this.#post({ kind: "recall", number, sessionId });
    return await recalled;
  }

  #post(message: AskBroker): void {
    this.#port?.postMessage(message);
  }
}

function away(label: string): Result<never> {
  return err({
    code: "CREDENTIAL_BROKER_AWAY",
    message: `Cannot obtain the credential "${label}": there is no credential broker`,
  });
}
