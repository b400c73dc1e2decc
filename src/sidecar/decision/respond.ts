import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { Buffer } from "node:buffer";
import { PROBLEM_TYPE } from "../../core/problem.ts";
import type { Body } from "../../net/byte_source.ts";
import type { Exchange, OutgoingResponse } from "../../net/http/exchange.ts";

/** A value as JSON. */
export function json(
  status: number,
  value: unknown,
  more: readonly (readonly [string, string])[] = [],
  type = "application/json",
): OutgoingResponse {
  const body = Buffer.from(JSON.stringify(value));
  const fields = [
    ["content-type", type],
    ["content-length", String(body.length)],
    ["cache-control", "no-store"],
    ...more,
  ] as const;
  return { status, fields, body };
}

/** What is wrong with a request (RFC 9457). */
export function problem(
  status: number,
  detail: string,
  more: readonly (readonly [string, string])[] = [],
): OutgoingResponse {
  return json(status, { type: "about:blank", status, detail }, more, PROBLEM_TYPE);
}

/** Has a handler of Connect answer; `body` is what was read of the request. */
export async function answerRpc(
  handler: UniversalHandler,
  exchange: Exchange,
  body: Uint8Array,
): Promise<OutgoingResponse> {
  const gone = new AbortController();
  exchange.onGone = () => gone.abort();
  const answer = await handler({
    httpVersion: exchange.version,
    method: exchange.method,
    url: new URL(`http://localhost${exchange.target}`).href,
    header: new Headers(exchange.fields.map(([name, value]): [string, string] => [name, value])),
    body: once(body),
    signal: gone.signal,
  });
  const pieces: Uint8Array[] = [];
  if (answer.body !== undefined) {
    for await (const piece of answer.body) pieces.push(piece);
  }
  const { status, header, trailer } = answer;
  const fields = [...header ?? []].filter(([name]) => name !== "content-length");
  return { status, fields, body: whole(Buffer.concat(pieces), [...trailer ?? []]) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (bytes.length > 0) yield new Uint8Array(bytes);
}

function whole(bytes: Uint8Array, trailers: [string, string][]): Body {
  let isTaken = bytes.length === 0;
  return {
    length: undefined,
    trailers,
    take() {
      if (isTaken) return null;
      isTaken = true;
      return bytes;
    },
    wait: () => Promise.resolve(),
  };
}
