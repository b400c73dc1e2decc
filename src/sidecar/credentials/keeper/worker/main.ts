/**
 * The keeper of the broker: a worker that may start firma itself again, and nothing else. The main
 * thread of the Sidecar starts no programs once it serves; a broker that breaks must be followed by
 * another all the same. What sessions must not see passes through here, and is kept for the next
 * data plane: that may break, too.
 */
import type { IdentityTokenRequest } from "../../../../core/authority.ts";
import type { Result } from "../../../../core/result.ts";
import { Brokers } from "../brokers.ts";
import { TOKEN_ROLES } from "../../../../secrets/sign_in/services.ts";
import type { AskBroker, BrokerAnswer, FromKeeper, ToKeeper } from "../messages.ts";
import { Waiting } from "../../../waiting.ts";
import { SessionMemory } from "../session_memory.ts";

self.addEventListener("message", (event) => obey((event as MessageEvent<MessagePort>).data), {
  once: true,
});

function obey(main: MessagePort): void {
  const memory = new SessionMemory();
  const say = (message: FromKeeper) => main.postMessage(message);
  const tell = (level: "info" | "warn", text: string) => say({ kind: "notice", level, text });
  const identifying = new Waiting<number, Result<string>>();
  let questions = 0;
  const identify = (request: IdentityTokenRequest) => {
    const answer = identifying.answer(++questions);
    say({ kind: "identify", number: questions, request });
    return answer;
  };
  const brokers = new Brokers({ identify, tell });
  main.onmessage = async ({ data }: MessageEvent<ToKeeper>) => {
    switch (data.kind) {
      case "start":
        return data.start && brokers.start(data.start);
      case "replace": {
        const outcome = await brokers.replace(data.start);
        return say({ kind: "replaced", number: data.number, outcome });
      }
      case "retire":
        return brokers.retire();
      case "plane":
        return serve(data.port, brokers, memory);
      case "forget":
        return memory.forget(data.sessionId);
      case "identified":
        return void identifying.settle(data.number, data.outcome);
    }
  };
}

function serve(plane: MessagePort, brokers: Brokers, memory: SessionMemory): void {
  const say = (answer: BrokerAnswer) => plane.postMessage(answer);
  plane.onmessage = async ({ data }: MessageEvent<AskBroker>) => {
    switch (data.kind) {
      case "refused":
        return brokers.refused(data.label, data.scope);
      case "recall":
        return say({
          kind: "recalled",
          number: data.number,
          learnt: memory.of(data.sessionId),
        });
      case "run": {
        const { number, command } = data;
        return say({ kind: "ran", number, outcome: await brokers.run(command) });
      }
      case "stored":
        for (const value of data.values) memory.keep(data.sessionId, value);
        return say({ kind: "kept", number: data.number });
      case "captured": {
        const { number, captured } = data;
        const { label, sessionId, tokens } = captured;
        const secrets = TOKEN_ROLES.map((role) => tokens[role] ?? "");
        memory.keep(sessionId, { kind: "handed", label, secrets });
        return say({ kind: "taken", number, outcome: await brokers.capture(captured) });
      }
      case "need": {
        const { number, need } = data;
        const outcome = await brokers.ask(need);
        if (outcome.ok) {
          const { label, secrets } = outcome.value;
          memory.keep(need.sessionId, { kind: "handed", label, secrets });
        }
        return say({ kind: "handed", number, outcome });
      }
    }
  };
}
