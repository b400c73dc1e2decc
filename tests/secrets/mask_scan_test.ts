import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { MaskMatcher } from "../../src/secrets/mask_match.ts";
import { MaskScan } from "../../src/secrets/mask_scan.ts";
import { MaskTable } from "../../src/secrets/mask_table.ts";

const SECRETS = [
  "abcABC12",
  "aaaaaaaa",
  "ab%25\\u0",
  "&amp;&#65",
  "a b c d e",
  "ünïcödé-ß",
  "ABC12abcabcABC12",
];

const table = MaskTable.of(SECRETS.map((secret, i) => ({ secret, placeholder: `fsp_${i}` })));

/** Pieces that secrets are made of, as they are and escaped in every way. */
const piece = fc.oneof(
  fc.constantFrom(..."abcABC12%\\&;# u0_".split("")),
  fc.constantFrom(...SECRETS),
  fc.constantFrom("%61", "%2561", "%252561", "%2B", "%2f", "%", "%6", "%u0061"),
  fc.constantFrom(
    "\\u0061",
    "\\\\u0061",
    "\\u00",
    "\\x62",
    "\\143",
    "\\/",
    "\\\\",
    "\\u{62}",
    "\\n",
  ),
  fc.constantFrom("&#97;", "&#x61", "&#000097;", "&amp;#97;", "&amp;", "&plus;", "&#", "&am"),
  fc.constantFrom(...SECRETS).map((secret) => Buffer.from(`x${secret}`).toString("base64")),
  fc.constantFrom(...SECRETS).map((secret) => Buffer.from(`xy${secret}z`).toString("base64url")),
  fc.constantFrom(...SECRETS).map((secret) => Buffer.from(secret).toString("hex")),
  fc.constantFrom(...SECRETS).map((secret) => encodeURIComponent(secret)),
  fc.constantFrom(...SECRETS).map((secret) => JSON.stringify(secret)),
);

Deno.test("MaskScan finds what comparing at every single byte finds, wherever the bytes end", () => {
  const scan = new MaskScan();
  const matcher = new MaskMatcher();
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 40, size: "max" }),
      fc.nat(300),
      fc.boolean(),
      (pieces, cut, final) => {
        const text = Buffer.from(pieces.join(""));
        const size = Math.max(0, text.length - cut % 40);
        const space = Buffer.allocUnsafeSlow((size + 7) & ~3);
        space.set(text.subarray(0, size));
        const words = new Int32Array(space.buffer, 0, space.length >> 2);
        scan.run(table, space, words, size, final);
        const found = new Map(scan.matches.map(({ start, end }) => [start, end]));
        const expected = new Map<number, number>();
        let hold = size;
        for (let at = 0; at < size; at++) {
          matcher.match(table, space, at, size, final);
          if (matcher.more) hold = Math.min(hold, at);
          else if (matcher.end >= 0) expected.set(at, matcher.end);
        }
        assert.equal(scan.hold, hold, text.toString());
        assert.deepEqual([...found].sort(), [...expected].sort(), text.toString());
      },
    ),
    { numRuns: Number(Deno.env.get("MASK_RUNS") ?? 600) },
  );
});
