/**
 * The keeper of the broker: a worker that may start firma itself again, and nothing else. The main
 * thread of the Sidecar starts no programs once it serves; a broker that breaks must be followed by
 * another all the same. What sessions must not see passes through here, and is kept for the next
 * data plane: that may break, too.
 */
import type { IdentityTokenRequest } from "../../../../core/authority.ts";
import type { Result } from "../../../../core/result.ts";
import { BrokerProcess } from "../broker_process.ts";
import { TOKEN_ROLES } from "../../../../secrets/sign_in/services.ts";
import type { AskBroker, BrokerAnswer, FromKeeper, ToKeeper } from "../messages.ts";
import { SessionMemory } from "../session_memory.ts";

self.addEventListener("message", (event) => obey((event as MessageEvent<MessagePort>).data), {
  once: true,
});

function obey(main: MessagePort): void {
  let broker: BrokerProcess | undefined;
  const memory = new SessionMemory();
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
    if (data.kind === "plane") return serve(data.port, broker, memory);
    if (data.kind === "forget") return memory.forget(data.sessionId);
    if (data.kind === "identified") {
      identifying.get(data.number)?.(data.outcome);
      return void identifying.delete(data.number);
    }
    if (data.start === undefined) return;
    broker = new BrokerProcess({
      start: data.start,
      identify,
      ended: (how) =>
        tell("warn", `The credential broker ended (${how}); calls that need a credential fail now`),
      recovered: () => tell("info", "The credential broker serves again"),
    });
  };
}

function serve(plane: MessagePort, broker: BrokerProcess | undefined, memory: SessionMemory): void {
  const say = (answer: BrokerAnswer) => plane.postMessage(answer);
  plane.onmessage = async ({ data }: MessageEvent<AskBroker>) => {
    switch (data.kind) {
      case "refused":
        return broker?.refused(data.label, data.scope);
      case "recall":
        return say({
          kind: "recalled",
          number: data.number,
          learnt: memory.of(data.sessionId),
        });
      case "stored":
        for (const value of data.values) memory.keep(data.sessionId, value);
        return say({ kind: "kept", number: data.number });
      case "captured": {
        const { number, captured } = data;
        const { label, sessionId, tokens } = captured;
        const secrets = TOKEN_ROLES.map((role) => tokens[role] ?? "");
        memory.keep(sessionId, { kind: "handed", label, secrets });
        return say({ kind: "taken", number, outcome: await broker!.capture(captured) });
      }
      case "need": {
        const { number, need } = data;
        const outcome = await broker!.ask(need);
        if (outcome.ok) {
          const { label, secrets } = outcome.value;
          memory.keep(need.sessionId, { kind: "handed", label, secrets });
        }
        return say({ kind: "handed", number, outcome });
      }
    }
  };
}
