import type { Headers } from "./decoder.ts";
import { isObject, type Json } from "./json.ts";
import { singleHeader } from "./media_type.ts";
import { utf8 } from "./text.ts";

/** One JSON-RPC message, as far as it matters. */
export interface McpMessage {
  readonly id: string | number | undefined;
  /** Absent in an answer to the server. */
  readonly method: string | undefined;
  /** The tool, prompt or resource that it names. */
  readonly target: string | undefined;
  readonly arguments: Json | undefined;
  /** The revision that it claims to be of. */
  readonly claimed: Json | undefined;
}

/** The first revision whose requests must repeat method and name in headers. */
const FIRST_WITH_HEADERS = "2026-07-28";
const SENTINEL = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;

/** Text that is not safe in a header comes in a form of its own. */
function decodeValue(value: string): string | undefined {
  const match = SENTINEL.exec(value);
  if (match === null) return value;
  try {
    return utf8(Uint8Array.from(atob(match[1]!), (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

/**
 * Where headers and body of a request disagree. A server, or something before it,
 * may go by the headers, so what they say must be what the body says.
 */
export function checkHeaders(
  headers: Headers,
  messages: readonly McpMessage[],
  revision: string,
): string | undefined {
  const [message, ...others] = messages;
  for (const [name, said] of [["mcp-method", "method"], ["mcp-name", "target"]] as const) {
    const header = singleHeader(headers, name);
    if (!header.ok) return header.error;
    const meant = message?.[said];
    if (header.value === undefined) {
      if (revision >= FIRST_WITH_HEADERS && meant !== undefined) return `there is no ${name}`;
      continue;
    }
    if (others.length > 0) return `${name} says nothing of several messages`;
    if (decodeValue(header.value) !== meant) return `${name} and the body disagree`;
  }
  return checkParameters(headers, message);
}

/** `Mcp-Param-<name>` repeats an argument, which the schema of the tool marks. */
function checkParameters(headers: Headers, message: McpMessage | undefined): string | undefined {
  const values = message?.arguments;
  if (!isObject(values)) return undefined;
  for (const [name, value] of headers) {
    if (!name.startsWith("mcp-param-")) continue;
    for (const [key, argument] of values) {
      if (key.toLowerCase() !== name.slice("mcp-param-".length)) continue;
      const plain = typeof argument !== "object";
      if (plain && decodeValue(value.trim()) !== String(argument)) {
        return `${name} and the body disagree`;
      }
    }
  }
  return undefined;
}
