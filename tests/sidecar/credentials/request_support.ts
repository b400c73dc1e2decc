import { mintPlaceholder } from "../../../src/secrets/placeholder_shapes.ts";
import { PlaceholderSearch } from "../../../src/secrets/placeholder_search.ts";
import {
  type Place,
  PlaceholderRefusal,
  type Resolve,
  type Swapper,
} from "../../../src/sidecar/credentials/request_place.ts";

/** A placeholder, and what it stands for: with everything that an encoding has to take care of. */
export const OWN = mintPlaceholder("github");
export const SECRET = 'real/"secret"+&=%41\\';
export const FOREIGN = mintPlaceholder("openai");

export const search = new PlaceholderSearch([OWN, FOREIGN]);

/** Swaps the own placeholder where it is in a field for secrets, and refuses everything else. */
export const resolve: Resolve = (placeholder, { name }) => {
  if (placeholder === OWN && name !== "") return SECRET;
  throw new PlaceholderRefusal(placeholder === OWN ? "place" : "foreign");
};

/** Notes where placeholders are, and leaves them. */
export function noting(): { readonly resolve: Resolve; readonly seen: [string, Place][] } {
  const seen: [string, Place][] = [];
  return {
    seen,
    resolve(placeholder, place) {
      seen.push([placeholder, place]);
      return undefined;
    },
  };
}

/** What comes out when `text` goes in, cut into pieces of these sizes. */
export function through(swapper: Swapper, text: string, sizes: readonly number[] = [1e9]): string {
  const bytes = new TextEncoder().encode(text);
  const out: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    // What is handed in is reused by its owner.
    const piece = bytes.slice(at, at + size);
    out.push(...swapper.push(piece).map((part) => part.slice()));
    piece.fill(0);
    at += size;
  }
  out.push(...swapper.end());
  return new TextDecoder().decode(new Uint8Array(out.flatMap((part) => [...part])));
}
