import type { CallCredential } from "../../core/envelope.ts";
import type { PlaceholderDesk } from "../credentials/request_desk.ts";
import { bodyKind } from "../credentials/request_body_kind.ts";
import { findInBody, findInHead } from "../credentials/request_find.ts";
import { isForCall, isForHost, judgePlaceholders } from "../credentials/request_judge.ts";
import { bringsCredential } from "../credentials/request_own.ts";
import { packedWith } from "../credentials/request_unpack.ts";
import type { CallInput, PlaceholderOrders } from "../gate.ts";
import { type Denial, type Draft, found, type Stage } from "./draft.ts";

/**
 * Finds the placeholders in a call. A body that says how long it is, or that is of a kind that
 * comes whole, is looked through before anything is decided; of others the transport watches what
 * leaves.
 */
export function findPlaceholders(desk: PlaceholderDesk, limit: number): Stage {
  return (draft) => {
    if (desk.isIdle) return;
    const { search } = desk;
    const { input } = draft;
    const { headers } = input;
    const head = findInHead(found(draft.call, "call"), headers, search);
    const coming = search.longest === 0 ? "none" : comingBody(input, limit);
    draft.placeholders = { found: head, isBodyKnown: coming === "none" };
    if (coming === "none") return;
    const isPacked = packedWith(headers).length > 0;
    if (coming === "stream" && !isPacked) return;
    return read(input, limit).then((body) => {
      if (body === undefined) return isPacked ? unreadable(limit) : undefined;
      const inBody = findInBody(body, headers, search);
      if (inBody === undefined) return unreadable(limit);
      draft.placeholders = { found: [...head, ...inBody], isBodyKnown: true };
    });
  };
}

/** Whether a call has a body, and whether it can be waited for. */
function comingBody(
  { headers, httpVersion }: CallInput,
  limit: number,
): "none" | "whole" | "stream" {
  let isFramed = httpVersion === "2.0";
  for (const [name, value] of headers) {
    if (name === "content-length") {
      const length = Number(value);
      return length === 0 ? "none" : length <= limit ? "whole" : "stream";
    }
    if (name === "transfer-encoding") isFramed = true;
  }
  if (!isFramed) return "none";
  return bodyKind(headers) === "other" ? "stream" : "whole";
}

/** The whole body, unless it is too large or breaks off. */
async function read(input: CallInput, limit: number): Promise<Uint8Array | undefined> {
  if (input.readPrefix === undefined) return await input.readBody(limit);
  const prefix = await input.readPrefix(limit);
  return prefix?.whole ? prefix.bytes : undefined;
}

function unreadable(limit: number): Denial {
  return {
    reason: "MalformedRequest",
    detail: `the packed body breaks off, does not unpack, or is larger than ${limit} bytes`,
  };
}

/**
 * Says whose credential the call would carry, and denies where a placeholder is what it must not
 * be: for another host, in a place that is not for secrets, or of another session.
 */
export function credential(desk: PlaceholderDesk): Stage {
  return (draft) => {
    const { targets, judges, book, search } = desk;
    const call = found(draft.call, "call");
    const { headers } = draft.input;
    const judged = {
      call,
      actionClass: draft.rule?.actionClass,
      sessionId: draft.session.sessionId,
    };
    const here = draft.placeholders?.found ?? [];
    const { uses, refusal } = judgePlaceholders(here, judged, book, judges);
    if (refusal !== undefined) return misplaced(refusal);
    const target = targets.find((target) => isForCall(target, judged));
    const isNobodys = (name: string, value: string) =>
      name === target?.header || search.findAll(plainly(value)).length > 0;
    const carries: CallCredential["carries"] = bringsCredential(call, headers, isNobodys)
      ? "agent"
      : uses.length > 0 || target !== undefined
      ? "broker"
      : "none";
    const brokered = targets.some((target) => isForHost(target, call));
    draft.credential = { brokered, carries };
    draft.swaps = [...new Set(uses.map(({ label }) => label))];
  };
}

/** What is left to be done about placeholders, as a member of the verdict. */
export function placeholderOrders(
  { placeholders, swaps: labels = [] }: Draft,
): { readonly placeholders?: PlaceholderOrders } {
  if (placeholders === undefined || (placeholders.isBodyKnown && labels.length === 0)) return {};
  return { placeholders: { labels, isBodyKnown: placeholders.isBodyKnown } };
}

/** What is in `Basic` in plain, beside it as it came. */
function plainly(value: string): string {
  const [, encoded] = /^\s*basic\s+(.+)$/i.exec(value) ?? [];
  if (encoded === undefined) return value;
  try {
    return `${value} ${atob(encoded.replace(/\s/g, "").replace(/-/g, "+").replace(/_/g, "/"))}`;
  } catch {
    return value;
  }
}

function misplaced(detail: string): Denial {
  return { reason: "PlaceholderRefused", detail };
}

/**
 * A call that is denied for what nobody knows of it, and that has a placeholder in it, is denied
 * for that: it is what the operator has to hear.
 */
export function orMisplaced(desk: PlaceholderDesk, stage: Stage): Stage {
  const weigh = (draft: Draft, denial: Denial | undefined) => {
    const here = draft.placeholders?.found ?? [];
    if (denial?.reason !== "UnclassifiedIntent" || here.length === 0) return denial;
    const judged = {
      call: found(draft.call, "call"),
      actionClass: undefined,
      sessionId: draft.session.sessionId,
    };
    const { refusal } = judgePlaceholders(here, judged, desk.book, desk.judges);
    return refusal === undefined ? denial : misplaced(`${refusal}; ${denial.detail}`);
  };
  return (draft) => {
    const said = stage(draft);
    return said instanceof Promise
      ? said.then((denial) => weigh(draft, denial))
      : weigh(draft, said);
  };
}
