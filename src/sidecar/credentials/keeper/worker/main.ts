/**
 * The keeper of the broker: a worker that may start firma itself again, and nothing else. The main
 * thread of the Sidecar starts no programs once it serves; a broker that breaks must be followed by
 * another all the same.
 */
import { BrokerProcess } from "../broker_process.ts";
import type { AskBroker, BrokerAnswer, FromKeeper, ToKeeper } from "../messages.ts";

self.addEventListener("message", (event) => obey((event as MessageEvent<MessagePort>).data), {
  once: true,
});

function obey(main: MessagePort): void {
  let broker: BrokerProcess | undefined;
  const tell = (level: FromKeeper["level"], text: string) => {
    const notice: FromKeeper = { kind: "notice", level, text };
    main.postMessage(notice);
  };
  main.onmessage = ({ data }: MessageEvent<ToKeeper>) => {
    if (data.kind === "plane") return serve(data.port, broker!);
    broker = new BrokerProcess({
      start: data.start,
      ended: (how) =>
        tell("warn", `The credential broker ended (${how}); calls that need a credential fail now`),
      recovered: () => tell("info", "The credential broker serves again"),
    });
  };
}

function serve(plane: MessagePort, broker: BrokerProcess): void {
  plane.onmessage = async ({ data }: MessageEvent<AskBroker>) => {
    if (data.kind === "refused") return broker.refused(data.label, data.scope);
    const answer: BrokerAnswer = { number: data.number, outcome: await broker.ask(data.need) };
    plane.postMessage(answer);
  };
}
