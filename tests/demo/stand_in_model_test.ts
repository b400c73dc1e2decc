import assert from "node:assert/strict";
import { modelMessage, readModelRequest } from "../../src/demo/stand_in_model.ts";

const TURN = { explain: "why", says: "I will look.", command: 'echo "hello"' };

function request(...results: readonly unknown[]): string {
  const messages = results.flatMap((content) => [
    { role: "assistant", content: [{ type: "text", text: "" }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content }] },
  ]);
  return JSON.stringify({ messages: [{ role: "user", content: "a task" }, ...messages] });
}

Deno.test("readModelRequest() counts the turns that are over, and has what the tool said last", () => {
  assert.deepEqual(readModelRequest(request()), { turn: 0, lastResult: "" });
  assert.deepEqual(readModelRequest(request("one", "two")), { turn: 2, lastResult: "two" });
  const blocks = [{ type: "text", text: "in blocks" }];
  assert.match(readModelRequest(request(blocks))!.lastResult, /in blocks/);
});

Deno.test("readModelRequest() takes nothing else for a request", () => {
  for (const body of ["", "{", "[]", "null", '{"messages": 1}', '{"messages": [null]}']) {
    assert.equal(readModelRequest(body), undefined, body);
  }
});

Deno.test("modelMessage() is a message of the Messages API", () => {
  assert.deepEqual(modelMessage(TURN, 3), {
    id: "msg_demo_3",
    type: "message",
    role: "assistant",
    model: "stand-in",
    content: [
      { type: "text", text: "I will look." },
      {
        type: "tool_use",
        id: "toolu_demo_3",
        name: "bash",
        input: { command: 'echo "hello"' },
      },
    ],
    stop_reason: "tool_use",
    stop_sequence: null,
    usage: { input_tokens: 0, output_tokens: 0 },
  });
  const { content, stop_reason } = modelMessage({ explain: "", says: "Done." }, 1) as {
    content: unknown[];
    stop_reason: string;
  };
  assert.deepEqual([content.length, stop_reason], [1, "end_turn"]);
});
