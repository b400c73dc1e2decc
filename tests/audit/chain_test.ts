import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalJson } from "../../src/audit/canonical_json.ts";
import { chainEvents, GENESIS, lineHash } from "../../src/audit/chain.ts";
import { readSignedLineAnew } from "../../src/audit/verify_line.ts";
import type { ExecutionEvent } from "../../src/core/event.ts";
import { inTempDir, sampleKey } from "./sample.ts";

const names = fc.oneof(
  fc.constantFrom(
    "1",
    "00",
    "seq",
    "prev",
    "signature",
    "status",
    "envelope",
    "é",
    "\u{1f600}",
    "z",
  ),
  fc.string(),
);
/** What the types of events do not allow, an agent may bring about all the same. */
const events = fc.array(
  fc.tuple(
    fc.constantFrom("decision", "outcome", "other"),
    fc.dictionary(names, fc.oneof(fc.jsonValue(), fc.constant(undefined))),
  ).map(([kind, members]) => ({ ...members, kind }) as unknown as ExecutionEvent),
  { minLength: 1, maxLength: 6 },
);

Deno.test("chainEvents() writes the canonical form of whatever an event holds, and links it", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    fc.assert(
      fc.property(events, (batch) => {
        // Twice, because the second time the order of the members is known.
        const { bytes, head } = chainEvents([...batch, ...batch], GENESIS, key.privateKey);
        const lines = new TextDecoder().decode(bytes).split("\n").slice(0, -1);
        assert.equal(lines.length, 2 * batch.length);
        let prev = GENESIS.hash;
        lines.forEach((line, index) => {
          const { signature, ...members } = JSON.parse(line);
          assert.equal(line, canonicalJson({ ...members, signature }));
          const event = batch[index % batch.length]!;
          const { signature: _, ...own } = event as ExecutionEvent & { signature?: unknown };
          const whole = { ...own, seq: index + 1, prev };
          assert.equal(canonicalJson(members), canonicalJson(whole));
          const raw = new TextEncoder().encode(line);
          assert.deepEqual(readSignedLineAnew(raw, [key.publicKey]), {
            ok: true,
            value: { seq: index + 1, prev },
          });
          prev = lineHash(raw);
        });
        assert.deepEqual(head, { seq: lines.length, hash: prev });
      }),
      { numRuns: 200 },
    );
  }));

Deno.test("chainEvents() takes members in any order, though it remembers one", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const one = { kind: "other", a: 1, z: 2, m: { b: 1, a: 2 } };
    const other = { z: 2, m: { a: 2, b: 1 }, a: 1, kind: "other" };
    const less = { kind: "other", a: 1 };
    const batch = [one, other, less, one] as unknown as ExecutionEvent[];
    const { bytes } = chainEvents(batch, GENESIS, key.privateKey);
    const lines = new TextDecoder().decode(bytes).split("\n").slice(0, -1);
    lines.forEach((line, index) => {
      const { seq, prev, signature, ...members } = JSON.parse(line);
      assert.deepEqual(members, batch[index]);
      assert.equal(line, canonicalJson({ ...members, seq, prev, signature }));
    });
  }));

Deno.test("chainEvents() keeps apart what stands in one place of events of one form", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const twice = { b: 1, a: "twice" };
    const events = [
      { kind: "other", m: { z: 1, a: { d: "first", c: 1 } }, status: 200, timestamp: "t" },
      { kind: "other", m: { z: 2, a: { d: undefined, c: 2 } }, status: undefined, timestamp: "t" },
      { kind: "other", m: { z: 3, a: 'x,"status":200,"timestamp":' }, status: 5, timestamp: "u" },
      { kind: "other", m: { z: 4, a: [twice, twice] }, status: undefined, timestamp: undefined },
      {
        kind: "other",
        m: twice,
        status: twice,
        timestamp: { status: 1, timestamp: 'x,"status":' },
      },
      {
        kind: "other",
        m: { a: twice, z: twice },
        ",x": 1,
        status: 'é,"status":',
        zebra: "\u{1f600}",
      },
      { kind: "other", m: null, prev: "not this", seq: 9, signature: "nor this" },
    ];
    const batch = [...events, ...events.toReversed()] as unknown as ExecutionEvent[];
    const { bytes } = chainEvents(batch, GENESIS, key.privateKey);
    const lines = new TextDecoder().decode(bytes).split("\n").slice(0, -1);
    let prev = GENESIS.hash;
    lines.forEach((line, index) => {
      const { signature } = JSON.parse(line);
      assert.equal(line, canonicalJson({ ...batch[index], seq: index + 1, prev, signature }));
      const raw = new TextEncoder().encode(line);
      assert.equal(readSignedLineAnew(raw, [key.publicKey]).ok, true);
      prev = lineHash(raw);
    });
  }));

Deno.test("chainEvents() remembers no more of what agents name than it may", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const named = (i: number) => ({ kind: "other", m: { [`z${i}`]: { [`y${i}`]: 1, a: i } } });
    const batch = [...Array(600).keys()].map(named) as unknown as ExecutionEvent[];
    batch.push(
      { kind: "other", m: { z: "long ".repeat(10_000), a: 1 } } as unknown as ExecutionEvent,
    );
    const { bytes } = chainEvents([...batch, ...batch], GENESIS, key.privateKey);
    const lines = new TextDecoder().decode(bytes).split("\n").slice(0, -1);
    lines.forEach((line, index) => {
      const { seq: _seq, prev: _prev, signature: _signature, ...members } = JSON.parse(line);
      assert.deepEqual(members, batch[index % batch.length]);
    });
  }));
