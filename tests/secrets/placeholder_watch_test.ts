import assert from "node:assert/strict";
import fc from "fast-check";
import { mintPlaceholder } from "../../src/secrets/placeholder_shapes.ts";
import { PlaceholderSearch } from "../../src/secrets/placeholder_search.ts";
import { PlaceholderWatch } from "../../src/secrets/placeholder_watch.ts";
import type { Spelling } from "../../src/secrets/unescaper.ts";

const TEXTS = (["github", "npm", "anthropic", "uuid", "aws-access-key-id", "jwt"] as const)
  .map((shape) => mintPlaceholder(shape));
const search = new PlaceholderSearch(TEXTS);
const bytes = (text: string) => new TextEncoder().encode(text);

function watched(pieces: readonly string[], spelling?: Spelling): string[] {
  const watch = new PlaceholderWatch(search, spelling);
  return pieces.flatMap((piece) => watch.push(bytes(piece)));
}

/** Each character spelt plainly or with an escape. */
function spelt(text: string, spelling: Spelling, choices: readonly boolean[]): string {
  return [...text].map((character, i) => {
    if (!choices[i % choices.length]) return character;
    const hex = character.charCodeAt(0).toString(16);
    return spelling === "percent" ? `%${hex}` : `\\u${hex.padStart(4, "0")}`;
  }).join("");
}

function cut(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let at = 0, i = 0; at < text.length; i++) {
    const size = sizes[i % sizes.length]!;
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return pieces;
}

const filler = fc.stringMatching(/^[ -~]{0,80}$/);
const placeholder = fc.constantFrom(...TEXTS);
const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 });

Deno.test("PlaceholderSearch finds what indexOf finds", () => {
  fc.assert(fc.property(fc.array(fc.oneof(filler, placeholder), { maxLength: 6 }), (parts) => {
    const text = parts.join("");
    const wanted = TEXTS.flatMap((known) => {
      const starts: number[] = [];
      for (let at = text.indexOf(known); at >= 0; at = text.indexOf(known, at + 1)) {
        starts.push(at);
      }
      return starts.map((start) => ({ start, end: start + known.length, text: known }));
    }).sort((a, b) => a.start - b.start);
    assert.deepEqual(search.findAll(text), wanted);
  }));
});

Deno.test("PlaceholderSearch without texts finds nothing", () => {
  assert.deepEqual(new PlaceholderSearch([]).findAll("anything at all, however long"), []);
});

Deno.test("PlaceholderSearch takes no other character for one of a placeholder", () => {
  const [known] = TEXTS;
  assert.equal(search.findAll(known!).length, 1);
  // In one byte a character, these would read as the same.
  const wider = String.fromCodePoint(known!.charCodeAt(0) + 0x100) + known!.slice(1);
  assert.deepEqual(search.findAll(wider), []);
});

Deno.test("PlaceholderWatch sees the same however what it watches is cut", () => {
  const parts = fc.array(fc.oneof(filler, placeholder), { maxLength: 6 });
  fc.assert(fc.property(parts, sizes, (parts, sizes) => {
    const text = parts.join("");
    assert.deepEqual(watched(cut(text, sizes)), watched([text]));
  }));
});

for (const spelling of ["percent", "json"] as const) {
  Deno.test(`PlaceholderWatch sees placeholders through ${spelling} escapes, however cut`, () => {
    const choices = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(filler, placeholder, filler, choices, sizes, (before, text, after, c, sizes) => {
        // A half escape before it would belong to it.
        const safe = before.replace(/[%\\]/g, "");
        const sent = safe + spelt(text, spelling, c) + after;
        assert.ok(watched(cut(sent, sizes), spelling).includes(text));
      }),
    );
  });

  Deno.test(`PlaceholderWatch undoes ${spelling} escapes the same however cut`, () => {
    const odd = fc.stringMatching(/^[%\\u0-9a-f]{0,40}$/);
    fc.assert(fc.property(odd, placeholder, sizes, (before, text, sizes) => {
      const sent = before + text;
      assert.deepEqual(watched(cut(sent, sizes), spelling), watched([sent], spelling));
    }));
  });
}

Deno.test("PlaceholderWatch does not see an escape that another program would not undo", () => {
  const [known] = TEXTS;
  const escaped = spelt(known!, "percent", [true]);
  assert.deepEqual(watched([escaped]), []);
  assert.deepEqual(watched([escaped], "percent"), [known]);
  // An escaped backslash is no beginning of an escape.
  assert.deepEqual(
    watched([`\\\\u00${known!.charCodeAt(0).toString(16)}${known!.slice(1)}`], "json"),
    [],
  );
});
