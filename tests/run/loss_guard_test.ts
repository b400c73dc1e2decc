import assert from "node:assert/strict";
import type { LossReport } from "../../src/restore/messages.ts";
import { LossGuard } from "../../src/run/loss_guard.ts";
import type { LossQuestion, LossVerdict } from "../../src/sidecar/losses/question.ts";
import { eventually } from "../fixtures/deadline.ts";

function lost(deleted: number): LossReport {
  return { deleted, changed: 0, newlyDeleted: ["a\u001b"], newlyChanged: [] };
}

/** A guard over an agent that is none; what happens is written down in order. */
function guarded(answers: Readonly<Record<string, LossVerdict[]>>) {
  const done: string[] = [];
  const guard = new LossGuard({
    sessionId: "ses_1",
    host: {
      weigh: ({ step, deleted }: LossQuestion) => {
        done.push(`${step} ${deleted}`);
        return Promise.resolve(answers[step]?.shift() ?? { kind: "free" });
      },
    },
    agent: {
      suspend: () => Promise.resolve(void done.push("suspend")),
      resume: () => void done.push("resume"),
      kill: () => void done.push("kill"),
    },
    ui: { tell: (level) => void done.push(level) },
    look: () => Promise.resolve(lost(70)),
  });
  return { guard, done };
}

Deno.test("LossGuard stops the agent before anybody is asked, and asks about what is gone by then", async () => {
  const { guard, done } = guarded({
    look: [{ kind: "unknown" }, { kind: "ask" }],
    ask: [{ kind: "ask" }],
    wait: [{ kind: "ask" }, { kind: "free" }],
  });
  guard.add(lost(51));
  await eventually("the agent to go on", () => done.includes("resume") || undefined);
  assert.deepEqual(done, [
    ...["look 51", "look 51", "suspend", "ask 70", "wait 70", "wait 70", "resume"],
  ]);
});

Deno.test("LossGuard ends the agent where policies or a person say no", async () => {
  for (const step of ["look", "ask", "wait"]) {
    const { guard, done } = guarded({
      look: step === "look" ? [{ kind: "end", detail: "no" }] : [{ kind: "ask" }],
      ask: step === "ask" ? [{ kind: "end", detail: "no" }] : [{ kind: "ask" }],
      wait: [{ kind: "end", detail: "no" }],
    });
    guard.add(lost(51));
    await eventually("the end", () => done.includes("kill") || undefined);
    assert.deepEqual(done.slice(-2), ["error", "kill"]);
    assert.equal(done.includes("suspend"), step !== "look");
  }
});

Deno.test("LossGuard weighs the last of the reports that came meanwhile, and none after the end", async () => {
  const { guard, done } = guarded({});
  for (const deleted of [1, 2, 3]) guard.add(lost(deleted));
  await eventually("both", () => done.length === 2 || undefined);
  assert.deepEqual(done, ["look 1", "look 3"]);
  guard.end();
  guard.add(lost(4));
  assert.equal(done.length, 2);
});
