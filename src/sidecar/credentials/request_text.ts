import type { PlaceholderSearch } from "../../secrets/placeholder_search.ts";
import type { Place, Resolve } from "./request_place.ts";

/**
 * `text`, which is as it was meant, with what `resolve` says in place of its placeholders;
 * `undefined` when nothing of it changes. What it throws, this throws.
 */
export function swapText(
  text: string,
  place: Place,
  search: PlaceholderSearch,
  resolve: Resolve,
): string | undefined {
  let swapped = "";
  let from = 0;
  for (const { start, end, text: placeholder } of search.findAll(text)) {
    const secret = resolve(placeholder, place);
    if (secret === undefined) continue;
    swapped += text.slice(from, start) + secret;
    from = end;
  }
  return from === 0 ? undefined : swapped + text.slice(from);
}

/**
 * The value of a header as it goes out, also where the placeholder is in what `Basic` encodes
 * (RFC 7617); `undefined` when nothing of it changes.
 */
export function swapHeader(
  name: string,
  value: string,
  search: PlaceholderSearch,
  resolve: Resolve,
): string | undefined {
  const place: Place = { kind: "header", name };
  const plain = swapText(value, place, search, resolve);
  if (plain !== undefined) return plain;
  const [, scheme, encoded] = /^(\s*basic\s+)(.+)$/i.exec(value) ?? [];
  const pair = encoded === undefined ? undefined : fromBase64(encoded);
  const swapped = pair === undefined ? undefined : swapText(pair, place, search, resolve);
  return swapped === undefined ? undefined : scheme + btoa(swapped);
}

/** What servers make of base64 that is not quite as it should be; `undefined` for what is none. */
function fromBase64(text: string): string | undefined {
  const digits = text.replace(/\s/g, "").replace(/-/g, "+").replace(/_/g, "/").replace(/=+$/, "");
  try {
    return atob(digits);
  } catch {
    return undefined;
  }
}
