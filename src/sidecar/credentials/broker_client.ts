import type { CredentialNeed, Issued } from "../../broker/hand_out.ts";
import { err, type Result } from "../../core/result.ts";
import { Waiting } from "../waiting.ts";
import type { CredentialSource } from "./hand_outs.ts";
import type { AskBroker, BrokerAnswer } from "./keeper/messages.ts";

/** The way of a data plane to the broker, past the main thread. */
export class BrokerClient implements CredentialSource {
  readonly #waiting = new Waiting<number, Result<Issued>>();
  #port: MessagePort | undefined;
  #questions = 0;

  /** Takes the way in use. */
  use(port: MessagePort): void {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<BrokerAnswer>) => {
      this.#waiting.settle(data.number, data.outcome);
    };
  }

  ask(need: CredentialNeed): Promise<Result<Issued>> {
    if (this.#port === undefined) {
      return Promise.resolve(err({
        code: "CREDENTIAL_BROKER_AWAY",
        message: `Cannot obtain the credential "${need.label}": there is no credential broker`,
      }));
    }
    const number = ++this.#questions;
    const answer = this.#waiting.answer(number);
    this.#post({ kind: "need", number, need });
    return answer;
  }

  refused(label: string, scope: string): void {
    this.#post({ kind: "refused", label, scope });
  }

  #post(message: AskBroker): void {
    this.#port?.postMessage(message);
  }
}
