import assert from "node:assert/strict";
import fc from "fast-check";
import { chainEvents } from "../../src/audit/chain.ts";
import { checkLines } from "../../src/audit/check_lines.ts";
import { KeyBatches } from "../../src/audit/ed25519/key_batches.ts";
import { lineStarts, logBytes, mixedEvents, spliced } from "../fixtures/audit_tampering.ts";
import { inTempDir, sampleKey } from "./sample.ts";

const EVENTS = 40;

const never = new KeyBatches(Infinity);
const always = new KeyBatches(1);

Deno.test("checkLines() says the same with signatures in batches, of sound lines and tampered ones", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const keys = [(await sampleKey(dir, "other.key")).publicKey, key.publicKey];
    const log = logBytes(mixedEvents(EVENTS), key);
    const starts = lineStarts(log);
    const whole = checkLines(log, keys, always);
    assert.equal(whole.count, EVENTS);
    assert.deepEqual(whole, checkLines(log, keys, never));
    const byte = fc.uint8Array({ maxLength: 2 });
    let found = 0;
    fc.assert(
      fc.property(fc.nat(EVENTS - 1), fc.nat(), fc.nat(3), byte, (at, where, cut, bytes) => {
        const place = starts[at]! + where % (starts[at + 1]! - 1 - starts[at]!);
        const end = Math.min(place + cut, starts[at + 1]! - 1);
        const changed = spliced(log, place, end, bytes.map((value) => value === 0x0a ? 0 : value));
        const one = checkLines(changed, keys, always);
        assert.deepEqual(one, checkLines(changed, keys, never));
        if (one.broken !== undefined) found++;
      }),
      { numRuns: 150 },
    );
    assert.ok(found > 50, "tampered logs were among them");
  }));

Deno.test("checkLines() names the first fault of several, whatever they are", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const log = logBytes(mixedEvents(EVENTS), key);
    const starts = lineStarts(log);
    const badSignature = (bytes: Uint8Array, line: number) => {
      const changed = bytes.slice();
      const at = starts[line]! + new TextDecoder("latin1").decode(
        bytes.subarray(starts[line], starts[line + 1]),
      ).lastIndexOf('"signature":"') + 20;
      changed[at] = changed[at] === 0x41 ? 0x42 : 0x41;
      return changed;
    };
    const without = (bytes: Uint8Array, line: number) =>
      spliced(bytes, starts[line]!, starts[line + 1]!);
    const cases = [
      { bytes: badSignature(log, 7), count: 7, code: "BAD_SIGNATURE" },
      { bytes: badSignature(badSignature(log, 30), 7), count: 7, code: "BAD_SIGNATURE" },
      { bytes: badSignature(without(log, 30), 7), count: 7, code: "BAD_SIGNATURE" },
      { bytes: without(badSignature(log, 30), 7), count: 7, code: "OUT_OF_ORDER" },
    ];
    for (const { bytes, count, code } of cases) {
      const checked = checkLines(bytes, [key.publicKey], always);
      assert.equal(checked.count, count);
      assert.equal(checked.broken?.code, code);
      assert.deepEqual(checked, checkLines(bytes, [key.publicKey], never));
    }
  }));

Deno.test("checkLines() accepts lines of several keys in one block", () =>
  inTempDir(async (dir) => {
    const keys = [await sampleKey(dir), await sampleKey(dir, "other.key")];
    const first = logBytes(mixedEvents(EVENTS), keys[0]!);
    const head = checkLines(first, [keys[0]!.publicKey], never);
    const then = { seq: EVENTS, hash: head.lastHash };
    const second = chainEvents(mixedEvents(EVENTS, "x"), then, keys[1]!.privateKey).bytes;
    const log = Uint8Array.from([...first, ...second]);
    const publicKeys = keys.map(({ publicKey }) => publicKey);
    const checked = checkLines(log, publicKeys, always);
    assert.equal(checked.count, 2 * EVENTS);
    assert.equal(checked.broken, undefined);
    assert.deepEqual(checked, checkLines(log, publicKeys, never));
    // Whom nobody knows is not believed because the lines before it are.
    const stranger = checkLines(log, [keys[0]!.publicKey], always);
    assert.equal(stranger.count, EVENTS);
    assert.equal(stranger.broken?.code, "BAD_SIGNATURE");
  }));
