import type { HttpCall } from "../../core/envelope.ts";
import { asciiBytes, type PlaceholderSearch } from "../../secrets/placeholder_search.ts";
import { bodySwapper } from "./request_body_kind.ts";
import type { Place, Resolve } from "./request_place.ts";
import { FormSwapper } from "./request_form.ts";
import { swapHeader } from "./request_text.ts";
import { unpacked } from "./request_unpack.ts";

/** A placeholder that is in a request. */
export interface FoundText {
  readonly text: string;
  readonly place: Place;
}

type Headers = readonly (readonly [string, string])[];

/** firma's own form of placeholders, which nothing else has. */
const OWN_FORM = /(?<![A-Za-z0-9_])fsp_[0-7][0-9a-hjkmnp-tv-z]{25}(?![0-9a-z])/g;

/** Finds the placeholders in path, query and headers, and whatever has firma's own form of them. */
export function findInHead(
  call: Pick<HttpCall, "path" | "query">,
  headers: Headers,
  search: PlaceholderSearch,
): FoundText[] {
  const { found, note } = notes();
  // In its canonical form a path has no character of a placeholder escaped.
  for (const { text } of search.findAll(call.path)) note(text, { kind: "path", name: "" });
  if (call.query.length > 1) {
    const query = new FormSwapper("query", search, note);
    query.push(asciiBytes(call.query.slice(1)));
    query.end();
  }
  for (const [name, value] of headers) swapHeader(name, value, search, note);
  const known = new Set(found.map(({ text }) => text));
  for (const [name, value] of [["", call.path + call.query], ...headers] as const) {
    for (const [text] of value.matchAll(OWN_FORM)) {
      const place: Place = name === "" ? { kind: "path", name } : { kind: "header", name };
      if (!known.has(text)) note(text, place);
    }
  }
  return found;
}

/** Largest that a body may unpack to, in bytes, if it is to be looked through. */
const LARGEST_UNPACKED = 64 * 1024 * 1024;

/** Finds the placeholders in a body that is there whole; `undefined` when it cannot be read. */
export function findInBody(
  body: Uint8Array,
  headers: Headers,
  search: PlaceholderSearch,
): FoundText[] | undefined {
  if (body.length === 0) return [];
  const plain = unpacked(body, headers, LARGEST_UNPACKED);
  if (plain === undefined) return undefined;
  const { found, note } = notes();
  if (plain !== body) {
    // Nothing is swapped in what is packed, so where in it a placeholder stands is all the same.
    const packed: Resolve = (text) => note(text, { kind: "body", name: "" });
    const swapper = bodySwapper(headers, search, packed);
    swapper.push(plain);
    swapper.end();
    return found;
  }
  // Most bodies hold none, and no escape that could hide one.
  const isPlain = search.find(body) === undefined && !mayHide(body);
  if (isPlain) return found;
  const swapper = bodySwapper(headers, search, note);
  swapper.push(body);
  swapper.end();
  return found;
}

/** Notes what is found, and has it stay as it is. */
function notes(): { readonly found: FoundText[]; readonly note: Resolve } {
  const found: FoundText[] = [];
  const note: Resolve = (text, place) => {
    found.push({ text, place });
    return text;
  };
  return { found, note };
}

const PERCENT = 0x25;
const BACKSLASH = 0x5c;
const SMALL_U = 0x75;

function mayHide(body: Uint8Array): boolean {
  if (body.includes(PERCENT)) return true;
  for (let at = body.indexOf(BACKSLASH); at >= 0; at = body.indexOf(BACKSLASH, at + 1)) {
    if (body[at + 1] === SMALL_U) return true;
  }
  return false;
}
