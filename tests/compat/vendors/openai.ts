import { eventStream, reply, type Vendor } from "./vendor.ts";

interface Item {
  /** Absent of messages that say only whose they are. */
  readonly type?: string;
  readonly content?: string | readonly { readonly text?: string }[];
  readonly output?: unknown;
}
interface Asked {
  readonly stream?: boolean;
  readonly input: string | readonly Item[];
  readonly tools?: readonly { readonly name?: string; readonly parameters?: unknown }[];
}

/** An event of a stream; those that begin and end it hold the whole answer. */
interface Event {
  readonly type: string;
  readonly output_index?: number;
  readonly item?: unknown;
  readonly response?: unknown;
}

/** The Responses API of OpenAI, over HTTP and over WebSocket. */
export const OPENAI: Vendor = {
  host: "api.openai.com",
  async answer(request) {
    const { pathname } = new URL(request.url);
    // The second is for subscriptions.
    if (!["/v1/responses", "/backend-api/codex/responses"].includes(pathname)) return undefined;
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      const asked: Asked = await request.json();
      const said = events(asked);
      // Who does not ask for a stream gets what the stream would end with.
      return asked.stream ? eventStream(said, true) : Response.json(said.at(-1)!.response);
    }
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => {
      for (const event of events(JSON.parse(data))) socket.send(JSON.stringify(event));
    };
    return response;
  },
};

function events({ input, tools }: Asked): Event[] {
  const items = typeof input === "string" ? [] : input;
  const result = items.findLast(({ type }) => type?.endsWith("call_output"));
  const prompt = items.filter(({ type }) => (type ?? "message") === "message").map(textOf).join(
    "\n",
  );
  const said = reply(prompt, result && outputOf(result.output));
  const tool = tools?.find(({ name }) => /^(?:exec_command|shell(?:_command)?)$/.test(name ?? ""));
  const item = said.kind === "text" || tool === undefined
    ? {
      type: "message",
      id: "msg_01",
      role: "assistant",
      status: "completed",
      content: [{
        type: "output_text",
        text: said.kind === "text" ? said.text : "",
        annotations: [],
      }],
    }
    : {
      type: "function_call",
      id: "fc_01",
      call_id: "call_01",
      name: tool.name,
      status: "completed",
      arguments: JSON.stringify(argumentsFor(tool.name!, said.command)),
    };
  const response = { id: "resp_01", object: "response", status: "in_progress", output: [] };
  const usage = { input_tokens: 10, output_tokens: 10, total_tokens: 20 };
  // Some print what comes piece by piece, and others what stands there at the end.
  const delta = said.kind === "text"
    ? [{
      type: "response.output_text.delta",
      item_id: item.id,
      output_index: 0,
      content_index: 0,
      delta: said.text,
    }]
    : [];
  return [
    { type: "response.created", response },
    { type: "response.output_item.added", output_index: 0, item },
    ...delta,
    { type: "response.output_item.done", output_index: 0, item },
    {
      type: "response.completed",
      response: { ...response, status: "completed", output: [item], usage },
    },
  ];
}

function textOf({ content }: Item): string {
  return typeof content === "string" ? content : content?.map(({ text }) => text).join("\n") ?? "";
}

/** Each of the tools has its own way to be told a command. */
function argumentsFor(tool: string, command: string): unknown {
  if (tool === "exec_command") return { cmd: command };
  return tool === "shell" ? { command: ["sh", "-c", command] } : { command };
}

function outputOf(output: unknown): string {
  return typeof output === "string" ? output : JSON.stringify(output);
}
