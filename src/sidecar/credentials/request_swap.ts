import { parseActionClass } from "../../core/action_class.ts";
import { asciiBytes, asciiText } from "../../secrets/placeholder_search.ts";
import type { ForwardVerdict } from "../gate.ts";
import { type OutgoingRequest, UpstreamFailure } from "../transport/upstream.ts";
import { bodySwapper } from "./request_body_kind.ts";
import { BytesBody, readWhole, WatchedBody } from "./request_bodies.ts";
import type { PlaceholderDesk } from "./request_desk.ts";
import { FormSwapper } from "./request_form.ts";
import { judgePlaceholder, MENTION } from "./request_judge.ts";
import { PlaceholderRefusal, type Resolve } from "./request_place.ts";
import { SwappedWebSocket } from "./request_web_socket.ts";
import { swapHeader } from "./request_text.ts";

/** A request whose placeholders were swapped. */
export interface SwappedRequest {
  readonly request: OutgoingRequest;
  /** The headers that hold a secret now. */
  readonly headers: ReadonlySet<string>;
}

/**
 * The request with the secrets in place of the placeholders of the verdict's credential; `secrets`
 * are its raw ones. Each placeholder is judged again where it stands. A body that was not looked
 * through before is broken off at a placeholder that must not leave.
 */
export function swapRequest(
  request: OutgoingRequest,
  verdict: ForwardVerdict,
  desk: PlaceholderDesk,
  secrets: readonly string[],
): SwappedRequest | Promise<SwappedRequest> {
  const { placeholders } = verdict;
  if (placeholders === undefined) return { request, headers: new Set() };
  const resolve = resolver(verdict, desk, secrets);
  const { search } = desk;
  const withHead = placeholders.labels.length === 0
    ? { request, headers: new Set<string>() }
    : orFailure(() => swapHead(request, desk, resolve));
  const { body, fields } = withHead.request;
  if (body === undefined) return withHead;
  if (!placeholders.isBodyKnown) {
    // Its length is promised, and servers want to know it: nothing in it is swapped.
    const watch = bodySwapper(fields, search, (text, place) => {
      if (resolve(text, place) === undefined) return undefined;
      throw new PlaceholderRefusal("a placeholder is in a body that is too large to be rewritten");
    });
    return { ...withHead, request: { ...withHead.request, body: new WatchedBody(body, watch) } };
  }
  // Only what it is all together says how long it is.
  return readWhole(body).then((bytes) =>
    orFailure(() => {
      const swapper = bodySwapper(fields, search, resolve);
      const pieces = [...swapper.push(bytes!), ...swapper.end()];
      const swapped = new BytesBody(pieces, body);
      return { ...withHead, request: { ...withoutDigests(withHead.request), body: swapped } };
    })
  );
}

/** What the agent of a WebSocket says, with the same done to it as to a request. */
export function swapMessages(
  verdict: ForwardVerdict,
  desk: PlaceholderDesk,
  secrets: readonly string[],
): { push(bytes: Uint8Array): Uint8Array } {
  const socket = new SwappedWebSocket(desk.search, resolver(verdict, desk, secrets));
  return { push: (bytes) => orFailure(() => socket.push(bytes)) };
}

function resolver(
  { call, actionClass, sessionId, need }: ForwardVerdict,
  desk: PlaceholderDesk,
  secrets: readonly string[],
): Resolve {
  const { book } = desk;
  const judged = { call, actionClass: parseActionClass(actionClass), sessionId };
  return (text, place) => {
    // Not once for all: a WebSocket lasts, and what it may be given is taken back meanwhile.
    const said = judgePlaceholder({ text, place }, judged, book, desk.judges);
    if (said === MENTION) return undefined;
    if (said !== undefined) throw new PlaceholderRefusal(`the call carries ${said}`);
    const { label, part } = book.get(text)!;
    if (label === need?.label && !desk.isInForce(need)) {
      throw new PlaceholderRefusal(`the credential "${label}" was changed since the call began`);
    }
    const secret = label === need?.label ? secrets[part] : desk.storedValue(sessionId, label, text);
    if (secret) return secret;
    throw new PlaceholderRefusal(`the placeholder of credential "${label}" stands for nothing now`);
  };
}

function swapHead(
  request: OutgoingRequest,
  { search }: PlaceholderDesk,
  resolve: Resolve,
): { request: OutgoingRequest; headers: Set<string> } {
  const headers = new Set<string>();
  const fields = request.fields.map(([name, value]) => {
    const swapped = swapHeader(name, value, search, resolve);
    if (swapped === undefined) return [name, value] as const;
    // One of another provider might: a line feed would begin a header of its own.
    if (!/^[\x20-\x7e]*$/.test(swapped)) {
      throw new PlaceholderRefusal(`what belongs into the header "${name}" is no text in one line`);
    }
    headers.add(name);
    return [name, swapped] as const;
  });
  const mark = request.target.indexOf("?");
  if (mark < 0) return { request: { ...request, fields }, headers };
  const swapper = new FormSwapper("query", search, resolve);
  const query = [...swapper.push(asciiBytes(request.target.slice(mark + 1))), ...swapper.end()];
  const target = request.target.slice(0, mark + 1) + query.map(asciiText).join("");
  return { request: { ...request, target, fields }, headers };
}

/** What was computed over the body as the agent had it (RFC 9530) is not true of what leaves. */
function withoutDigests(request: OutgoingRequest): OutgoingRequest {
  const isDigest = (name: string) =>
    name === "content-md5" || name === "digest" || name === "content-digest" ||
    name === "repr-digest";
  if (!request.fields.some(([name]) => isDigest(name))) return request;
  const kept = request.fields.flatMap(([name], index) => isDigest(name) ? [] : [index]);
  return {
    ...request,
    fields: kept.map((index) => request.fields[index]!),
    spellings: request.spellings && kept.map((index) => request.spellings![index]!),
  };
}

function orFailure<T>(swap: () => T): T {
  try {
    return swap();
  } catch (cause) {
    if (!(cause instanceof PlaceholderRefusal)) throw cause;
    throw new UpstreamFailure(cause.message, { reason: "CREDENTIAL_INJECTION_FAILED", cause });
  }
}
