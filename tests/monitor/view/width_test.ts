import assert from "node:assert/strict";
import fc from "fast-check";
import {
  cutText,
  fitMiddle,
  fitText,
  textWidth,
  visibleText,
  wrapText,
} from "../../../src/monitor/view/width.ts";

const WIDTHS: Readonly<Record<string, number>> = {
  "": 0,
  "abc": 3,
  "é": 1,
  "e\u0301": 1,
  "日本語": 6,
  "한국": 4,
  "ｱ": 1,
  "ＡＢ": 4,
  "🎉": 2,
  "नि": 2,
  "…": 1,
};

Deno.test("textWidth() counts columns: two for wide characters, none for marks", () => {
  for (const [text, width] of Object.entries(WIDTHS)) assert.equal(textWidth(text), width, text);
});

Deno.test("visibleText() shows what would hide in a name or paint over the terminal", () => {
  const attacks: Readonly<Record<string, string>> = {
    "\x1b]0;owned\x07": "\\x1b]0;owned\\x07",
    "evil\u202ecom": "evil\\u202ecom",
    "git\u200bhub.com": "git\\u{200b}hub.com",
    "a\u00adb": "a\\u{ad}b",
    "\u3164": "\\u{3164}",
    "x\ufe0f": "x\\u{fe0f}",
    "tag\u{e0041}": "tag\\u{e0041}",
    "\u009b2J": "\\x9b2J",
    "line\u2028break": "line\\u2028break",
  };
  for (const [text, shown] of Object.entries(attacks)) assert.equal(visibleText(text), shown);
  for (const text of ["github.com/a?b=c", "größe", "日本語"]) assert.equal(visibleText(text), text);
});

Deno.test("fitText() takes exactly the columns that it is given", () => {
  assert.equal(fitText("abc", 5), "abc  ");
  assert.equal(fitText("abc", 5, "right"), "  abc");
  assert.equal(fitText("abcdef", 4), "abc…");
  assert.equal(fitText("日本語", 5), "日本…");
  assert.equal(fitText("日本語", 4), "日… ");
  assert.equal(fitMiddle("api.github.com/repos/ada/shop/pulls/17", 20), "api.github.co…lls/17");
  const text = fc.string({ unit: "grapheme" }).map(visibleText);
  fc.assert(fc.property(text, fc.nat(30), (text, columns) => {
    assert.equal(textWidth(fitText(text, columns)), columns);
    assert.equal(textWidth(fitText(text, columns, "right")), columns);
    assert.equal(textWidth(fitMiddle(text, columns)), columns);
    assert.ok(cutText(text, columns).width <= columns);
  }));
});

Deno.test("cutText() keeps no heap of marks on one character", () => {
  const heap = `a${"\u0301".repeat(10_000)}b`;
  assert.equal(cutText(heap, 5).text, `a${"\u0301".repeat(4)}b`);
});

Deno.test("wrapText() loses nothing but the spaces that it breaks at", () => {
  assert.deepEqual(wrapText("one two three", 8), ["one two", "three"]);
  assert.deepEqual(wrapText("abcdefghij", 4), ["abcd", "efgh", "ij"]);
  assert.deepEqual(wrapText("日本語", 1), ["日", "本", "語"], "what is wider than the line");
  const text = fc.string({ unit: fc.constantFrom("a", " ", "日", "é", "word ") });
  fc.assert(fc.property(text, fc.integer({ min: 2, max: 12 }), (text, columns) => {
    const lines = wrapText(text, columns);
    for (const line of lines) assert.ok(textWidth(line) <= columns);
    assert.equal(lines.join("").replaceAll(" ", ""), text.replaceAll(" ", ""));
  }));
});
