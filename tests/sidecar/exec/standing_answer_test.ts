/** An answer that stands must not cover a program whose arguments say what it does. */
import assert from "node:assert/strict";
import type { Execution } from "../../../src/core/local_exec.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { Events } from "../pipeline/support.ts";
import { answerTo } from "./support.ts";

Deno.test("an answer stands for a program whatever its arguments, and for no carrier of others", async () => {
  assert.deepEqual(await answerTo({}), { kind: "answer", number: 1, allow: true, standing: true });
  const carried: Partial<Execution>[] = [
    { names: ["busybox"], argv: ["busybox", "true"], argc: 2 },
    { names: ["python3"], argv: ["python3", "-c", "pass"], argc: 3 },
    { names: ["ld-linux-x86-64.so.2"], argv: ["ld.so", "/bin/true"], argc: 2 },
    { names: ["tool"], interpreter: { file: "/usr/bin/node", names: ["node"] } },
    { names: ["git"], argv: ["git", "--version"], argc: 2 },
  ];
  for (const execution of carried) {
    assert.deepEqual(await answerTo(execution), { kind: "answer", number: 1, allow: true });
  }
});

Deno.test("no answer stands where records have to be on the disk first, and none allows without", async () => {
  for (const isRecorded of [true, false]) {
    const sink = new Events();
    sink.disk = Promise.withResolvers();
    const answering = answerTo({}, { sink });
    await eventually("the record", () => sink.all.length > 0 || undefined);
    sink.disk.resolve(isRecorded);
    assert.deepEqual(await answering, { kind: "answer", number: 1, allow: isRecorded });
  }
});
