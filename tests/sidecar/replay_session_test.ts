import assert from "node:assert/strict";
import { INITIAL_SESSION_STATE } from "../../src/core/session_state.ts";
import { replaySession } from "../../src/sidecar/replay_session.ts";
import { sampleDecision } from "../audit/sample.ts";

const ONE = "ses_01jd8xk5w7e0v9c3b2n4m6q8rs";
const OTHER = "ses_01jd8xk5w7e0v9c3b2n4m6q8r0";

Deno.test("replaySession() knows what a session did, from the log alone", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const log = `${directory}/audit.jsonl`;
    assert.deepEqual(await replaySession(log, ONE), INITIAL_SESSION_STATE);
    const events = [
      sampleDecision({ session_id: ONE, decision: "ALLOW", resource: "a.invalid/1?x=2" }),
      sampleDecision({ session_id: OTHER, decision: "DENY" }),
      sampleDecision({ session_id: OTHER, decision: "DENY", resource: `b.invalid/${ONE}` }),
      sampleDecision({ session_id: ONE, decision: "DENY", resource: "c.invalid/3" }),
    ];
    const lines = events.map((event) => `${JSON.stringify(event)}\n`).join("");
    // A line that was being written when its Sidecar ended is none.
    await Deno.writeTextFile(log, `${lines}{"session_id":"${ONE}"`);
    const state = await replaySession(log, ONE);
    assert.deepEqual([state.actionCount, state.denyCount, state.lastResource], [
      2,
      1,
      "c.invalid/3",
    ]);
    await Deno.writeTextFile(log, `${lines}{"session_id":"${ONE}"\n`);
    await assert.rejects(replaySession(log, ONE), SyntaxError);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
