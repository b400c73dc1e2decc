import type { PlaceholderSearch } from "../../secrets/placeholder_search.ts";
import { PlaceholderWatch } from "../../secrets/placeholder_watch.ts";
import { FormSwapper } from "./request_form.ts";
import { JsonSwapper } from "./request_json.ts";
import type { Resolve, Swapper } from "./request_place.ts";

type Headers = readonly (readonly [string, string])[];

/** What a body is, as far as placeholders can be told from what is around them. */
export type BodyKind = "json" | "form" | "other";

/** By its media type (RFC 9110, 8.3); what says of itself that it is several is none of them. */
export function bodyKind(headers: Headers): BodyKind {
  const types = headers.filter(([name]) => name === "content-type").map(([, value]) => value);
  if (types.length !== 1) return "other";
  const type = types[0]!.split(";", 1)[0]!.trim().toLowerCase();
  if (type === "application/x-www-form-urlencoded") return "form";
  if (type === "application/json" || /^application\/[\w.-]+\+json$/.test(type)) {
    // Messages one after the other, each behind its length in binary.
    return /^application\/(grpc|connect)/.test(type) ? "other" : "json";
  }
  return "other";
}

/** What rewrites a body of this kind. */
export function bodySwapper(
  headers: Headers,
  search: PlaceholderSearch,
  resolve: Resolve,
): Swapper {
  const kind = bodyKind(headers);
  if (kind === "json") return new JsonSwapper("json", search, resolve);
  if (kind === "form") return new FormSwapper("form", search, resolve);
  return new OpaqueSwapper(search, resolve);
}

/** What is neither form nor JSON goes on as it came; no place in it is for secrets. */
class OpaqueSwapper implements Swapper {
  readonly #watch: PlaceholderWatch;
  readonly #resolve: Resolve;

  constructor(search: PlaceholderSearch, resolve: Resolve) {
    this.#watch = new PlaceholderWatch(search);
    this.#resolve = resolve;
  }

  push(piece: Uint8Array): Uint8Array[] {
    for (const found of this.#watch.push(piece)) this.#resolve(found, { kind: "body", name: "" });
    return [piece];
  }

  end(): Uint8Array[] {
    return [];
  }
}
