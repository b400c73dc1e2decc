import { formatFields } from "../../../net/http1/format.ts";
import type { OutgoingRequest } from "../upstream.ts";

/** The head of a request, with its framing and its empty line. */
export function formatRequestHead(request: OutgoingRequest): string {
  const { body } = request;
  let text = `${request.method} ${request.target} HTTP/1.1\r\nHost: ${request.authority}\r\n`;
  text += formatFields(request.fields, request.spellings);
  if (request.webSocket) text += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  else if (request.takesTrailers) text += "Connection: TE\r\nTE: trailers\r\n";
  if (body !== undefined) {
    text += body.length === undefined
      ? "Transfer-Encoding: chunked\r\n"
      : `Content-Length: ${body.length}\r\n`;
  } else if (MEANS_CONTENT.has(request.method)) {
    // RFC 9110, 8.6: without it some servers wait for a body or answer 411.
    text += "Content-Length: 0\r\n";
  }
  return text + "\r\n";
}

const MEANS_CONTENT: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);
