import { ok, type Result } from "../../core/result.ts";
import { type Decoder, type DecoderInput, type Operation, unreadable } from "./decoder.ts";
import { contentType, parseMediaType, singleHeader } from "./media_type.ts";
import { bytesOf, type Entity, parseEntity, parseMultipart } from "./mime.ts";
import type { InnerRequest } from "./decoder.ts";

const WHAT = "the batch";
/** What Google takes in one. */
const MOST_PARTS = 100;

/** A batch of Google's (multipart/mixed of application/http): each part as if sent alone. */
export function decodeBatch(input: DecoderInput): ReturnType<Decoder["decode"]> {
  const type = contentType(input.headers);
  if (!type.ok) return unreadable(WHAT, type.error);
  if (type.value?.type !== "multipart/mixed") {
    return unreadable(WHAT, "Content-Type is not multipart/mixed");
  }
  const parts = parseMultipart(input.body, type.value.parameters.get("boundary"), MOST_PARTS);
  if (!parts.ok) return unreadable(WHAT, parts.error);
  const found: Operation[] = [];
  for (const part of parts.value) {
    const request = requestIn(part);
    if (!request.ok) return unreadable(WHAT, request.error);
    const decoded = input.inner(request.value);
    if (!decoded.ok) return decoded;
    found.push(...decoded.value.operations);
  }
  const [first, ...rest] = found;
  return first === undefined
    ? unreadable(WHAT, "it is empty")
    : ok({ operations: [first, ...rest] });
}

function requestIn({ headers, content }: Entity): Result<InnerRequest, string> {
  const fail = (error: string) => ({ ok: false, error }) as const;
  const header = singleHeader(headers, "content-type");
  if (!header.ok) return header;
  const type = parseMediaType(header.value ?? "");
  if (!type.ok || type.value.type !== "application/http") return fail("a part is no request");
  const encoding = singleHeader(headers, "content-transfer-encoding");
  if (!encoding.ok) return encoding;
  if (!/^(?:7bit|8bit|binary)?$/i.test(encoding.value ?? "")) return fail("a part is encoded");
  const line = /^(?:\r?\n)*([A-Z]+) (\/[!-~]*)(?: HTTP\/1\.[01])?[ \t]*(?:\r?\n|$)/.exec(content);
  if (line === null) return fail("a part has no request line with a path");
  const request = parseEntity(content.slice(line[0].length));
  if (!request.ok) return request;
  const body = bodyOf(request.value);
  if (!body.ok) return body;
  if (request.value.headers.some(([name]) => name === "host" || name === "transfer-encoding")) {
    return fail("a part says where it goes, or how long it is, in a way of its own");
  }
  return ok({
    method: line[1]!,
    target: line[2]!,
    headers: request.value.headers,
    body: bytesOf(body.value),
  });
}

/** Where a length is given nothing but white space may follow, or readers would differ. */
function bodyOf({ headers, content }: Entity): Result<string, string> {
  const header = singleHeader(headers, "content-length");
  if (!header.ok) return header;
  if (header.value === undefined) return ok(content);
  const length = /^\d{1,9}$/.test(header.value) ? Number(header.value) : Infinity;
  if (length > content.length || content.slice(length).trim() !== "") {
    return { ok: false, error: "a part is not as long as it says" };
  }
  return ok(content.slice(0, length));
}
