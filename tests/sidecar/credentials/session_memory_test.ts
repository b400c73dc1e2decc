import assert from "node:assert/strict";
import { SessionMemory } from "../../../src/sidecar/credentials/keeper/session_memory.ts";

const handed = (secret: string) => ({
  kind: "handed" as const,
  label: "one",
  secrets: [secret],
});

Deno.test("SessionMemory.of() gives a session what it learnt, once, the last at the end", () => {
  const memory = new SessionMemory();
  for (const secret of ["a", "b", "a"]) memory.keep("ses_1", handed(secret));
  memory.keep("ses_2", handed("c"));
  assert.deepEqual(memory.of("ses_1"), [handed("b"), handed("a")]);
  assert.deepEqual(memory.of("ses_2"), [handed("c")]);
});

Deno.test("SessionMemory keeps nothing of a session that has ended, and bounds one that goes on", () => {
  const memory = new SessionMemory();
  for (let count = 0; count < 1_500; count++) memory.keep("ses_1", handed(String(count)));
  assert.equal(memory.of("ses_1").length, 1_000);
  assert.deepEqual(memory.of("ses_1").at(-1), handed("1499"));
  memory.forget("ses_1");
  assert.deepEqual(memory.of("ses_1"), []);
});
