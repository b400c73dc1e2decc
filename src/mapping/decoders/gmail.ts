import { Buffer } from "node:buffer";
import type { ContextValue } from "../../core/envelope.ts";
import { ok, type Result } from "../../core/result.ts";
import { classOrFiner } from "./class_table.ts";
import {
  type Decoder,
  type DecoderInput,
  type Operation,
  unclassified,
  unreadable,
} from "./decoder.ts";
import { decodeBatch } from "./gmail_batch.ts";
import { type Piece, resumedPiece } from "./gmail_resumable.ts";
import { isObject, type Json, type JsonObject, parseJson } from "./json.ts";
import { readRecipients } from "./mail_recipients.ts";
import { contentType, expectType } from "./media_type.ts";
import { bytesOf, parseMultipart } from "./mime.ts";

const WHAT = "the call to Gmail";
const PATH = /^(?:\/resumable)?(?:\/upload)?\/gmail\/v1\/users\/[^/]+\/(.*?)\/?$/;
const BATCH = /^\/batch(?:\/gmail\/v1)?\/?$/;
const MODIFY = /^(?:messages\/batchModify|(?:messages|threads)\/[^/]+\/modify)$/;
const MESSAGE = /^(?:messages(?:\/(?:send|import))?|drafts(?:\/[^/]+)?)$/;
/** What PUT is for without an upload, too. */
const DRAFT = /^drafts\/(?!send$)/;
const HIDDEN: readonly string[] = ["mail_recipient_count", "mail_recipient_domains"];
const DELETING: ReadonlySet<string> = new Set(["TRASH", "SPAM"]);
const DELETE = classOrFiner("communication.external.delete");
const PERMISSION = classOrFiner("account.permission.change", "mail.forwarding");

type Attributes = Readonly<Record<string, ContextValue>>;

/**
 * Gmail: labels that delete, filters that forward, the recipients of a message in each
 * of the ways that it can be handed over, and batches, each part by itself.
 */
export const gmail: Decoder = {
  reads: "whole",
  decode(input) {
    if (BATCH.test(input.call.path)) return decodeBatch(input);
    const { actionClass } = input.rule;
    const operation = PATH.exec(input.call.path)?.[1];
    if (operation === undefined) return unreadable(WHAT, "the path is not one of its");
    if (MODIFY.test(operation)) return modify(input);
    if (operation === "settings/filters" && input.call.method === "POST") return filter(input);
    if (!MESSAGE.test(operation) || !/^(?:POST|PUT)$/.test(input.call.method)) {
      return ok({ operations: [{ actionClass, attributes: {} }] });
    }
    const piece = resumedPiece(input);
    if (!piece.ok) return unreadable(WHAT, piece.error);
    if (piece.value === undefined && input.call.method === "PUT" && !DRAFT.test(operation)) {
      return unclassified(WHAT, "it belongs to no upload");
    }
    const found = recipientsOf(input, operation, piece.value);
    if (!found.ok) return unreadable(WHAT, found.error);
    return ok({ operations: [{ actionClass, ...found.value }] });
  },
};

function modify(input: DecoderInput): ReturnType<Decoder["decode"]> {
  const body = jsonBody(input);
  if (!body.ok) return unreadable(WHAT, body.error);
  const labels = field(body.value, "addLabelIds");
  if (!labels.ok) return unreadable(WHAT, labels.error);
  const list = labels.value ?? [];
  const texts = Array.isArray(list) ? list : [list];
  if (!texts.every((label): label is string => typeof label === "string")) {
    return unreadable(WHAT, "its labels are not texts");
  }
  const deletes = texts.some((label) => DELETING.has(label.trim().toUpperCase()));
  const actionClass = deletes ? DELETE : input.rule.actionClass;
  return ok({ operations: [{ actionClass, attributes: {} }] });
}

function filter(input: DecoderInput): ReturnType<Decoder["decode"]> {
  const body = jsonBody(input);
  if (!body.ok) return unreadable(WHAT, body.error);
  const action = field(body.value, "action");
  if (!action.ok) return unreadable(WHAT, action.error);
  const first: Operation = { actionClass: input.rule.actionClass, attributes: {} };
  if (!isObject(action.value)) return ok({ operations: [first] });
  const forward = field(action.value, "forward");
  if (!forward.ok) return unreadable(WHAT, forward.error);
  if (forward.value === undefined || forward.value === "") return ok({ operations: [first] });
  return ok({ operations: [first, { actionClass: PERMISSION, attributes: {} }] });
}

function jsonBody({ headers, body }: DecoderInput): Result<JsonObject, string> {
  if (body.length === 0) return ok(new Map());
  const type = expectType(headers, ["application/json"]);
  return type.ok ? jsonObject(body) : type;
}

function jsonObject(bytes: Uint8Array): Result<JsonObject, string> {
  const json = parseJson(bytes);
  if (!json.ok) return json;
  return isObject(json.value) ? ok(json.value) : { ok: false, error: "it is not an object" };
}

/** Google's servers take `add_label_ids` for `addLabelIds`. */
function field(object: JsonObject, name: string): Result<Json | undefined, string> {
  const plain = (key: string) => key.replaceAll("_", "").toLowerCase();
  const found = [...object].filter(([key]) => plain(key) === plain(name));
  if (found.length > 1) return { ok: false, error: `"${name}" is there twice` };
  const value = found[0]?.[1];
  return ok(value === null ? undefined : value);
}

interface Found {
  readonly attributes: Attributes;
  readonly hidden: readonly string[];
}

/**
 * Nothing where no message is handed over, such as at the beginning of an upload; hidden
 * where one goes out and the call does not say to whom: a draft by its id, a piece.
 */
function recipientsOf(
  input: DecoderInput,
  operation: string,
  piece: Piece | undefined,
): Result<Found, string> {
  if (piece?.kind === "piece") return ok({ attributes: {}, hidden: HIDDEN });
  const message = piece === undefined
    ? messageOf(input)
    : ok(piece.kind === "message" ? piece.bytes : undefined);
  if (!message.ok) return message;
  if (message.value === undefined) {
    const sends = operation === "drafts/send" && piece === undefined;
    return ok({ attributes: {}, hidden: sends ? HIDDEN : [] });
  }
  const recipients = readRecipients(message.value);
  if (!recipients.ok) return recipients;
  const { count, domains } = recipients.value;
  const attributes = { mail_recipient_count: count, mail_recipient_domains: domains };
  return ok({ attributes, hidden: [] });
}

function messageOf({ headers, body }: DecoderInput): Result<Uint8Array | undefined, string> {
  if (body.length === 0) return ok(undefined);
  const type = contentType(headers);
  if (!type.ok) return type;
  switch (type.value?.type) {
    case "message/rfc822":
      return ok(body);
    case "application/json": {
      const object = jsonObject(body);
      return object.ok ? rawOf(object.value) : object;
    }
    case "multipart/related": {
      const parts = parseMultipart(body, type.value.parameters.get("boundary"), 2);
      if (!parts.ok) return parts;
      const [metadata, media] = parts.value;
      if (media === undefined) return { ok: false, error: "it has no message" };
      const encoding = media.headers.find(([name]) => name === "content-transfer-encoding")?.[1];
      const inMetadata = jsonObject(bytesOf(metadata!.content));
      if (!inMetadata.ok) return inMetadata;
      const twice = rawOf(inMetadata.value);
      if (!twice.ok) return twice;
      if (twice.value !== undefined) return { ok: false, error: "it has two messages" };
      if (encoding?.toLowerCase() === "base64") return base64(media.content);
      if (/^(?:7bit|8bit|binary)?$/i.test(encoding ?? "")) return ok(bytesOf(media.content));
      return { ok: false, error: "its message is in an unknown encoding" };
    }
    default:
      return { ok: false, error: "Content-Type is not one that a message comes in" };
  }
}

/** The message of a JSON body: `raw`, of a draft `message.raw`. */
function rawOf(object: JsonObject): Result<Uint8Array | undefined, string> {
  const inner = field(object, "message");
  if (!inner.ok) return inner;
  const raw = field(isObject(inner.value) ? inner.value : object, "raw");
  if (!raw.ok || raw.value === undefined) return raw.ok ? ok(undefined) : raw;
  if (isObject(inner.value) && object.has("raw")) {
    return { ok: false, error: "it has two messages" };
  }
  return typeof raw.value === "string" ? base64(raw.value) : { ok: false, error: "raw is no text" };
}

function base64(text: string): Result<Uint8Array, string> {
  const plain = text.replace(/\s+/g, "").replace(/=+$/, "");
  if (!/^[A-Za-z0-9+/_-]*$/.test(plain)) return { ok: false, error: "its message is not base64" };
  return ok(Buffer.from(plain, "base64"));
}
