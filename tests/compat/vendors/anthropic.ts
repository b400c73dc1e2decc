import { eventStream, reply, type Vendor } from "./vendor.ts";

interface Block {
  readonly type: string;
  readonly text?: string;
  readonly content?: string | readonly Block[];
}
interface Asked {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly { readonly role: string; readonly content: string | Block[] }[];
  readonly tools?: readonly { readonly name: string }[];
}

/** The Messages API of Anthropic. */
export const ANTHROPIC: Vendor = {
  host: "api.anthropic.com",
  async answer(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/v1/messages/count_tokens") return Response.json({ input_tokens: 10 });
    if (pathname !== "/v1/messages") return undefined;
    const asked: Asked = await request.json();
    const blocks = asked.messages.flatMap(({ content }) =>
      typeof content === "string" ? [{ type: "text", text: content }] : content
    );
    const result = blocks.findLast(({ type }) => type === "tool_result");
    const shell = asked.tools?.find(({ name }) => /^bash$/i.test(name))?.name;
    const said = reply(textOf(blocks), result && textOf([result]));
    const block = said.kind === "text" || shell === undefined
      ? { type: "text", text: said.kind === "text" ? said.text : "" }
      : {
        type: "tool_use",
        id: "toolu_01",
        name: shell,
        input: { command: said.command, description: "Look elsewhere" },
      };
    return asked.stream ? streamed(asked.model, block) : Response.json(message(asked.model, block));
  },
};

function textOf(blocks: readonly Block[]): string {
  return blocks.map(({ text, content }) =>
    text ?? (typeof content === "string" ? content : textOf(content ?? []))
  ).join("\n");
}

type Said = { readonly type: string; readonly text?: string; readonly input?: unknown };

function message(model: string, block: Said) {
  return {
    id: "msg_01",
    type: "message",
    role: "assistant",
    model,
    content: [block],
    stop_reason: block.type === "tool_use" ? "tool_use" : "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 10 },
  };
}

function streamed(model: string, block: Said): Response {
  const whole = message(model, block);
  const empty = block.type === "tool_use" ? { ...block, input: {} } : { ...block, text: "" };
  const delta = block.type === "tool_use"
    ? { type: "input_json_delta", partial_json: JSON.stringify(block.input) }
    : { type: "text_delta", text: block.text };
  return eventStream([
    { type: "message_start", message: { ...whole, content: [], stop_reason: null } },
    { type: "content_block_start", index: 0, content_block: empty },
    { type: "content_block_delta", index: 0, delta },
    { type: "content_block_stop", index: 0 },
    {
      type: "message_delta",
      delta: { stop_reason: whole.stop_reason, stop_sequence: null },
      usage: { output_tokens: 10 },
    },
    { type: "message_stop" },
  ], true);
}
