/** Answers as the agent may see them: without the secrets that its session was ever handed. */
import type { Body } from "../../net/byte_source.ts";
import type { FieldList } from "../../net/http/exchange.ts";
import { Masker } from "../../secrets/masker.ts";
import type { SessionSecrets } from "../../secrets/session_secrets.ts";
import type { LearntValue } from "../../secrets/store/rewrite_answer.ts";
import type { SensitiveRule } from "../../secrets/store/secret_store.ts";
import type { OutgoingRequest, UpstreamResponse } from "../transport/upstream.ts";
import { MaskedBody, MaskedMessages } from "./response_body.ts";
import { codingsOf, decodedContent, KNOWN_CODINGS } from "./response_coding.ts";
import { unseen } from "./response_failure.ts";
import { isOfTheBytes, maskedFields, maskedHead } from "./response_head.ts";
import { RewrittenBody } from "./response_rewrite.ts";
import { MaskedWebSocket } from "./response_web_socket.ts";

/** A request whose answer can be searched. */
export interface SearchOptions {
  /**
   * The host knows secrets of the session, so that an answer that cannot be searched whole is none:
   * in an unknown coding, or in parts, over which a secret could be spread.
   */
  readonly strict: boolean;
  /** The answer holds secrets that nobody has heard of yet. */
  readonly store?: {
    readonly rule: SensitiveRule;
    readonly limit: number;
    readonly learnt?: ((values: readonly LearntValue[]) => Promise<void>) | undefined;
  };
}

/** The request asks for nothing that could not be searched. */
export function searchableRequest(
  request: OutgoingRequest,
  { strict }: SearchOptions,
): OutgoingRequest {
  const isPart = request.fields.some(([name]) => name === "range");
  const drop = (name: string): boolean => {
    switch (name) {
      case "range":
      case "if-range":
        return strict;
      case "grpc-accept-encoding":
      case "connect-accept-encoding":
      case "sec-websocket-extensions":
        return true;
    }
    return false;
  };
  const fields: [string, string][] = [];
  const spellings: string[] | undefined = request.spellings && [];
  for (const [i, [name, value]] of request.fields.entries()) {
    if (drop(name)) continue;
    // Part of a coded content cannot be decoded.
    const codings = isPart && !strict ? "identity" : knownCodings(value);
    fields.push([name, name === "accept-encoding" ? codings : value]);
    spellings?.push(request.spellings![i]!);
  }
  return { ...request, fields, spellings };
}

/** What of an `Accept-Encoding` (RFC 9110, 12.5.3) is decoded here. */
function knownCodings(value: string): string {
  const known = value.split(",").map((item) => item.trim()).filter((item) => {
    const coding = item.split(";", 1)[0]!.trim().toLowerCase();
    return coding === "identity" || KNOWN_CODINGS.has(coding);
  });
  return known.length === 0 ? "identity" : known.join(", ");
}

/**
 * The answer with placeholders where secrets were. Throws an `UpstreamFailure` where it cannot be
 * searched; the body does so later.
 */
export function maskedResponse(
  response: UpstreamResponse,
  secrets: SessionSecrets,
  { strict, store }: SearchOptions,
): UpstreamResponse {
  const { fields } = response;
  if (store !== undefined && response.upgraded !== undefined) {
    throw unseen("of a secret store, is a WebSocket");
  }
  const partial = response.status === 206 || has(fields, "content-range");
  if (partial && strict) throw unseen("part of a content that was asked for whole");
  const codings = codingsOf(valuesOf(fields, "content-encoding"));
  if (strict && codings === undefined) throw unseen("content coding is not known");
  if (partial && codings?.length !== 0) throw unseen("part of a coded content");
  const decodes = codings !== undefined && codings.length > 0;
  const contents = store ? "text" : kindOf(valuesOf(fields, "content-type")[0] ?? "");
  // What is masked by as many bytes stays as long as it is.
  const keepsLength = contents !== "text" && !decodes;
  const drop = (name: string): boolean => {
    if (name === "content-length") return !keepsLength;
    if (name === "content-encoding") return decodes;
    return isOfTheBytes(name) || (strict && name === "accept-ranges") ||
      name === "sec-websocket-extensions";
  };
  const decoded = response.body && decodedContent(response.body, codings ?? []);
  if (response.upgraded !== undefined && has(fields, "sec-websocket-extensions")) {
    throw unseen("WebSocket has extensions that were not asked for");
  }
  return {
    ...response,
    ...maskedHead(response, secrets.table, drop),
    body: maskedBody(rewritten(response.status, decoded?.body, secrets, store), secrets, contents),
    ...decoded && { close: decoded.close },
    ...response.upgraded &&
      { upgraded: { ...response.upgraded, toAgent: new MaskedWebSocket(secrets) } },
  };
}

/** The fields of an interim answer (1xx) with placeholders where secrets were. */
export function maskedInterim(fields: FieldList, secrets: SessionSecrets): FieldList {
  return maskedFields(fields, secrets.table);
}

/** The content, with placeholders for what a store gives out. */
function rewritten(
  status: number,
  body: Body | undefined,
  secrets: SessionSecrets,
  store: SearchOptions["store"],
): Body | undefined {
  if (body === undefined || store === undefined) return body;
  return new RewrittenBody(body, { ...store, secrets, mayDiffer: status >= 400 });
}

function maskedBody(
  body: Body | undefined,
  secrets: SessionSecrets,
  contents: Contents,
): Body | undefined {
  if (body === undefined) return undefined;
  const trailers = (fields: FieldList) => maskedFields(fields, secrets.table);
  const masker = new Masker(() => secrets.table, { sameSize: contents !== "text" });
  if (contents === "messages") return new MaskedMessages(body, masker, trailers);
  const length = contents === "bytes" ? body.length : undefined;
  return new MaskedBody(body, masker, length, trailers);
}

/** What a content is made of: text, bytes that may count each other, or messages with sizes. */
type Contents = "text" | "bytes" | "messages";

const MESSAGES = /^application\/(?:grpc(?:-web)?(?:\+\w+)?|connect\+\w+)$/;
const TEXT =
  /^(?:$|text\/|multipart\/|message\/|application\/(?:[\w.-]+\+)?(?:json|xml|yaml)$|application\/(?:ecmascript|graphql|javascript|json-seq|jsonl|jsonlines|manifest|ndjson|sql|toml|x-javascript|x-json|x-ndjson|x-sh|x-www-form-urlencoded|x-yaml)$)/;

function kindOf(contentType: string): Contents {
  const type = contentType.split(";", 1)[0]!.trim().toLowerCase();
  if (MESSAGES.test(type)) return "messages";
  return TEXT.test(type) ? "text" : "bytes";
}

function valuesOf(fields: FieldList, name: string): string[] {
  return fields.filter(([key]) => key === name).map(([, value]) => value);
}

function has(fields: FieldList, name: string): boolean {
  return fields.some(([key]) => key === name);
}
