/** The part of the broker that has secrets: a worker that reaches nothing but what they need. */
import { Broker } from "../broker.ts";
import type { IdentityTokenRequest } from "../../core/authority.ts";
import type { Result } from "../../core/result.ts";
import type { Captured } from "../captured.ts";
import type { CredentialNeed } from "../hand_out.ts";
import type { FromBroker, ToBroker } from "../messages.ts";
import type { ProcessNotice } from "../process_watch.ts";
import { type StoreCommand, StorePrograms } from "../store_programs.ts";

// A rejection may quote what was read, so that nobody may say of what.
self.addEventListener("unhandledrejection", (event) => event.preventDefault());

self.addEventListener("message", (event) => serve((event as MessageEvent<MessagePort>).data), {
  once: true,
});

function serve(port: MessagePort): void {
  const say = (message: FromBroker | ProcessNotice) => port.postMessage(message);
  let broker: Broker | undefined;
  let programs: StorePrograms | undefined;
  const handOut = async (number: number, need: CredentialNeed) => {
    const outcome = await broker!.handOut(need);
    say({ type: "handed", number, outcome });
  };
  const run = async (number: number, command: StoreCommand) => {
    const outcome = await programs!.run(command);
    say({ type: "ran", number, outcome });
  };
  const take = async (number: number, captured: Captured) => {
    const outcome = await broker!.capture(captured);
    say({ type: "taken", number, outcome });
  };
  const identifying = new Map<number, (outcome: Result<string>) => void>();
  let questions = 0;
  const identify = async (request: IdentityTokenRequest) => {
    const number = ++questions;
    const { promise, resolve } = Promise.withResolvers<Result<string>>();
    identifying.set(number, resolve);
    say({ type: "identify", number, request });
    const outcome = await promise;
    identifying.delete(number);
    return outcome;
  };
  port.onmessage = ({ data }: MessageEvent<ToBroker>) => {
    switch (data.type) {
      case "start": {
        const variable = (name: string) => Deno.env.get(name);
        broker = new Broker({ credentials: data.credentials, variable, identify, notify: say });
        programs = new StorePrograms(data.stores, variable, say);
        return say({ type: "ready" });
      }
      case "need":
        return void handOut(data.number, data.need);
      case "run":
        return void run(data.number, data.command);
      case "captured":
        return void take(data.number, data.captured);
      case "identified":
        return identifying.get(data.number)?.(data.outcome);
      case "hand-over":
        return say({
          type: "handed-over",
          number: data.number,
          signIns: broker!.ownSignIns(),
        });
      case "adopt":
        return broker!.adopt(data.signIns);
      case "refused":
        return broker!.refused(data.label, data.scope);
    }
  };
}
