/** What the stand-in for a vendor's model answers. */
export type Reply =
  | { readonly kind: "text"; readonly text: string }
  /** Asks the agent to run a command of a shell. */
  | { readonly kind: "command"; readonly command: string };

/**
 * The API of a vendor's model, as far as an agent needs it for one conversation, in the format that
 * the vendor speaks, streaming included. The model itself is out of reach.
 */
export interface Vendor {
  readonly host: string;
  /** Answers a call; `undefined`: it is none for the model. */
  answer(request: Request): Promise<Response | undefined>;
}

/** Where the agent is sent by a prompt that asks for it. */
export const ELSEWHERE = "https://example.com/";
/** What the model says to a prompt that asks for nothing. */
export const GREETING = "hello from the stand-in";

/**
 * What the model says: to the result of a command what that was, to a prompt that asks for a look
 * elsewhere a command that does it, to anything else a greeting.
 */
export function reply(prompt: string, result: string | undefined): Reply {
  if (result !== undefined) return { kind: "text", text: `The command said: ${result}` };
  if (prompt.includes(ELSEWHERE)) {
    return { kind: "command", command: `curl --silent --show-error ${ELSEWHERE}` };
  }
  return { kind: "text", text: GREETING };
}

/** Server-sent events, as text. */
export function eventStream(events: readonly unknown[], named: boolean): Response {
  const text = events.map((event) => {
    const name = named ? `event: ${(event as { type: string }).type}\n` : "";
    return `${name}data: ${JSON.stringify(event)}\n\n`;
  });
  const encoder = new TextEncoder();
  // One by one, as a model speaks.
  const body = ReadableStream.from(text.map((line) => encoder.encode(line)));
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
