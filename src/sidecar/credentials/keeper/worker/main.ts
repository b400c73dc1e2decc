/**
 * The keeper of the broker: a worker that may start firma itself again, and nothing else. The main
 * thread of the Sidecar starts no programs once it serves; a broker that breaks must be followed by
 * another all the same.
 */
import type { IdentityTokenRequest } from "../../../../core/authority.ts";
import type { Result } from "../../../../core/result.ts";
import { BrokerProcess } from "../broker_process.ts";
import type { AskBroker, BrokerAnswer, FromKeeper, ToKeeper } from "../messages.ts";

self.addEventListener("message", (event) => obey((event as MessageEvent<MessagePort>).data), {
  once: true,
});

function obey(main: MessagePort): void {
  let broker: BrokerProcess | undefined;
  const say = (message: FromKeeper) => main.postMessage(message);
  const tell = (level: "info" | "warn", text: string) => say({ kind: "notice", level, text });
  const identifying = new Map<number, (outcome: Result<string>) => void>();
  let questions = 0;
  const identify = (request: IdentityTokenRequest) => {
    const { promise, resolve } = Promise.withResolvers<Result<string>>();
    identifying.set(++questions, resolve);
    say({ kind: "identify", number: questions, request });
    return promise;
  };
  main.onmessage = ({ data }: MessageEvent<ToKeeper>) => {
    if (data.kind === "plane") return serve(data.port, broker!);
    if (data.kind === "identified") {
      identifying.get(data.number)?.(data.outcome);
      return void identifying.delete(data.number);
    }
    broker = new BrokerProcess({
      start: data.start,
      identify,
      ended: (how) =>
        tell("warn", `The credential broker ended (${how}); calls that need a credential fail now`),
      recovered: () => tell("info", "The credential broker serves again"),
    });
  };
}

function serve(plane: MessagePort, broker: BrokerProcess): void {
  plane.onmessage = async ({ data }: MessageEvent<AskBroker>) => {
    if (data.kind === "refused") return broker.refused(data.label, data.scope);
    const { number } = data;
    const answer: BrokerAnswer = data.kind === "captured"
      ? { kind: "taken", number, outcome: await broker.capture(data.captured) }
      : { kind: "handed", number, outcome: await broker.ask(data.need) };
    plane.postMessage(answer);
  };
}
