import { err, ok, type Result } from "../../core/result.ts";
import type { DecoderInput } from "./decoder.ts";
import { parseForm } from "./form.ts";
import { singleHeader } from "./media_type.ts";

/** What a later request of a resumable upload hands over. */
export type Piece =
  | { readonly kind: "nothing" }
  /** The message, or its beginning with all of its headers. */
  | { readonly kind: "message"; readonly bytes: Uint8Array }
  /** A piece that does not say who the message goes to. */
  | { readonly kind: "piece" };

const RANGE = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15}|\*)$/;

/**
 * The piece of a message that a later request of a resumable upload hands over: one
 * that says which upload it belongs to. `undefined` for every other request. A message
 * may come in pieces of any size, and its type was said when the upload began.
 */
export function resumedPiece(
  { call, headers, body }: DecoderInput,
): Result<Piece | undefined, string> {
  const query = parseForm(call.query.slice(1));
  if (!query.ok) return query;
  const resumes = [...query.value.keys()].some((name) => name.toLowerCase() === "upload_id");
  if (!resumes) return ok(undefined);
  if (body.length === 0) return ok({ kind: "nothing" });
  const start = startOf(headers);
  if (!start.ok) return start;
  const { offset, last } = start.value;
  // A header may go on in the next piece.
  const isBeginning = offset === 0 && (last || endsHeaders(body));
  return ok(isBeginning ? { kind: "message", bytes: body } : { kind: "piece" });
}

/** Where in the upload the body begins, by either of Google's two protocols. */
function startOf(
  headers: DecoderInput["headers"],
): Result<{ readonly offset: number; readonly last: boolean }, string> {
  const range = singleHeader(headers, "content-range");
  const offset = singleHeader(headers, "x-goog-upload-offset");
  const command = singleHeader(headers, "x-goog-upload-command");
  for (const header of [range, offset, command]) if (!header.ok) return header;
  if (range.ok && range.value !== undefined) {
    if (offset.ok && offset.value !== undefined) return err("it says twice where it begins");
    const [, first, last, total] = RANGE.exec(range.value) ?? [];
    if (first === undefined) return err("its Content-Range is not one of a piece");
    return ok({ offset: Number(first), last: Number(last) + 1 === Number(total) });
  }
  if (offset.ok && offset.value !== undefined) {
    if (!/^\d{1,15}$/.test(offset.value)) return err("its offset is no number");
    const finishes = command.ok && /\bfinalize\b/i.test(command.value ?? "");
    return ok({ offset: Number(offset.value), last: finishes });
  }
  return ok({ offset: 0, last: true });
}

function endsHeaders(body: Uint8Array): boolean {
  const text = new TextDecoder("latin1").decode(body);
  return /(?:\r\n|\n|\r)(?:\r\n|\n|\r)/.test(text.replaceAll("\r\n", "\n"));
}
