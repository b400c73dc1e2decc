import assert from "node:assert/strict";
import fc from "fast-check";
import { SingleSignatures } from "../../src/audit/line_signatures.ts";
import { QuickLines } from "../../src/audit/quick_lines.ts";
import { readSignedLineAnew } from "../../src/audit/verify_line.ts";
import { lineStarts, logBytes, mixedEvents, spliced } from "../fixtures/audit_tampering.ts";
import { inTempDir, sampleKey } from "./sample.ts";

const EVENTS = 12;

Deno.test("QuickLines.read() takes every line of a block whose signature fits, whoever signed it", () =>
  inTempDir(async (dir) => {
    const keys = [await sampleKey(dir), await sampleKey(dir, "other.key")];
    for (const key of keys) {
      const log = logBytes(mixedEvents(EVENTS), key);
      const starts = lineStarts(log);
      const lines = new QuickLines(
        log,
        new SingleSignatures(keys.map(({ publicKey }) => publicKey)),
      );
      for (let at = 0; at < EVENTS; at++) {
        assert.equal(lines.endOf(starts[at]!), starts[at + 1]! - 1);
        assert.ok(lines.read(starts[at]!, starts[at + 1]! - 1), `line ${at + 1}`);
        assert.equal(lines.seq, at + 1);
        assert.ok(lines.follows(lines.prev));
        assert.ok(!lines.follows("f".repeat(64)));
      }
      const unknown = new QuickLines(log, new SingleSignatures([]));
      assert.ok(!unknown.read(0, starts[1]! - 1), "of a key that nobody knows");
    }
  }));

Deno.test("QuickLines.read() takes no line of a block that does not stand by itself", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const keys = [key.publicKey];
    const log = logBytes(mixedEvents(EVENTS), key);
    const starts = lineStarts(log);
    const texts = [',"seq":3,"session_id":"x","signature":"', '"kind":"key"', '"', "\\", "\n", "}"];
    const inserted = fc.oneof(fc.constantFrom(...texts), fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(fc.nat(EVENTS - 1), fc.nat(), fc.nat(3), inserted, (at, where, cut, text) => {
        const place = starts[at]! + where % (starts[at + 1]! - starts[at]!);
        const end = Math.min(place + cut, log.length);
        const block = spliced(log, place, end, new TextEncoder().encode(text));
        const lines = new QuickLines(block, new SingleSignatures(keys));
        for (let start = 0; start < block.length;) {
          const newline = lines.endOf(start);
          const stop = newline < 0 ? block.length : newline;
          const alone = readSignedLineAnew(block.subarray(start, stop), keys);
          if (lines.read(start, stop)) {
            assert.deepEqual(alone, { ok: true, value: { seq: lines.seq, prev: lines.prev } });
          }
          start = stop + 1;
        }
      }),
      { numRuns: 300 },
    );
  }));
