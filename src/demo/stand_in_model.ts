import type { Turn } from "./scenario.ts";

/** What a request to the model asks for: the how-manieth turn, and what its tool said last. */
export interface ModelRequest {
  readonly turn: number;
  readonly lastResult: string;
}

interface Block {
  readonly type?: unknown;
  readonly content?: unknown;
}

/** The tool results of one message; of a text there are none. */
function results(content: unknown): string[] {
  if (!Array.isArray(content)) return [];
  return content
    .filter((block: Block | null): block is Block => block?.type === "tool_result")
    .map(({ content }) => typeof content === "string" ? content : JSON.stringify(content));
}

/**
 * Reads a request of the Messages API as far as a stand-in needs it; `undefined` where it is none.
 * A turn is over when its tool result is there, so that a request that is sent again meets the
 * same answer.
 */
export function readModelRequest(body: string): ModelRequest | undefined {
  try {
    const { messages } = JSON.parse(body);
    if (!Array.isArray(messages)) return undefined;
    const said = messages.flatMap(({ content }) => results(content));
    return { turn: said.length, lastResult: said.at(-1) ?? "" };
  } catch {
    return undefined;
  }
}

/** The message with which the model answers, as the Messages API writes it. */
export function modelMessage(turn: Turn, number: number): unknown {
  const use = turn.command === undefined ? [] : [{
    type: "tool_use",
    id: `toolu_demo_${number}`,
    name: "bash",
    input: { command: turn.command },
  }];
  return {
    id: `msg_demo_${number}`,
    type: "message",
    role: "assistant",
    model: "stand-in",
    content: [{ type: "text", text: turn.says }, ...use],
    stop_reason: use.length > 0 ? "tool_use" : "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 0, output_tokens: 0 },
  };
}

/** A refusal as the Messages API writes it. */
export function modelError(message: string): Response {
  const error = { type: "invalid_request_error", message };
  return Response.json({ type: "error", error }, { status: 400 });
}
