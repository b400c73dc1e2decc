/**
 * What becomes of a log of a thousand events when its bytes are changed. The tests take samples;
 * `scripts/soak tampering` tries every byte.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { checkLines } from "../../src/audit/check_lines.ts";
import { checkpointPath, formatCheckpoint } from "../../src/audit/checkpoint.ts";
import { Accumulator } from "../../src/audit/merkle/accumulator.ts";
import { verifyLog } from "../../src/audit/verify.ts";
import { readSignedLine, readSignedLineAnew } from "../../src/audit/verify_line.ts";
import { chainEvents, GENESIS } from "../../src/audit/chain.ts";
import { unwrap } from "../../src/core/result.ts";
import { lineStarts, logBytes, mixedEvents, spliced } from "../fixtures/audit_tampering.ts";
import { inTempDir, sampleKey } from "./sample.ts";

const EVENTS = 1_000;
const RUNS = 5;

/** A changed log; `endsWhole`: a part from its beginning that ends with a line. */
interface Tampered {
  readonly bytes: Uint8Array;
  readonly endsWhole?: boolean;
}

/** From a log, its lines' places, another log of the same key, and three numbers. */
type Tampering = (
  log: Uint8Array,
  starts: readonly number[],
  other: Uint8Array,
  numbers: readonly [number, number, number],
) => Tampered | undefined;

const line = (starts: readonly number[], number: number) => number % (starts.length - 1);

const TAMPERINGS: Readonly<Record<string, Tampering>> = {
  "a changed byte": (log, _starts, _other, [a, b]) => {
    const at = a % log.length;
    return { bytes: spliced(log, at, at + 1, Uint8Array.of(log[at]! ^ (1 + b % 255))) };
  },
  "a removed byte": (log, _starts, _other, [a]) => {
    const at = a % log.length;
    return { bytes: spliced(log, at, at + 1) };
  },
  "an inserted byte": (log, _starts, _other, [a, b]) => {
    const at = a % (log.length + 1);
    return { bytes: spliced(log, at, at, Uint8Array.of(b % 256)) };
  },
  "a removed line": (log, starts, _other, [a]) => {
    const at = line(starts, a);
    const endsWhole = at === starts.length - 2;
    return { bytes: spliced(log, starts[at]!, starts[at + 1]!), endsWhole };
  },
  "a line repeated somewhere": (log, starts, _other, [a, b]) => {
    const at = line(starts, a);
    const to = starts[b % starts.length]!;
    return { bytes: spliced(log, to, to, log.slice(starts[at]!, starts[at + 1]!)) };
  },
  "two lines that change places": (log, starts, _other, [a, b]) => {
    const [first, second] = [line(starts, a), line(starts, b)].sort((x, y) => x - y);
    if (first === second) return undefined;
    const lineAt = (at: number) => log.slice(starts[at]!, starts[at + 1]!);
    const changed = spliced(log, starts[second!]!, starts[second! + 1]!, lineAt(first!));
    return { bytes: spliced(changed, starts[first!]!, starts[first! + 1]!, lineAt(second!)) };
  },
  "an end that is cut off": (log, starts, _other, [a]) => {
    const at = a % log.length;
    return { bytes: log.slice(0, at), endsWhole: starts.includes(at) };
  },
  "a beginning that is cut off": (log, _starts, _other, [a]) => ({
    bytes: log.slice(1 + a % (log.length - 1)),
  }),
  "a part of another log of the same key": (log, starts, other, [a, b]) => {
    const [from, to] = [a % starts.length, b % starts.length].sort((x, y) => x - y);
    if (from === to) return undefined;
    const others = lineStarts(other);
    const endsWhole = from === 0 && to === starts.length - 1;
    const part = other.slice(others[from!]!, others[to!]!);
    return { bytes: spliced(log, starts[from!]!, starts[to!]!, part), endsWhole };
  },
};

for (const [what, tamper] of Object.entries(TAMPERINGS)) {
  Deno.test(`verifyLog() finds ${what} in a thousand events`, () =>
    inTempDir(async (dir) => {
      const key = await sampleKey(dir);
      const chained = chainEvents(mixedEvents(EVENTS), GENESIS, key.privateKey);
      const log = chained.bytes.slice();
      const starts = lineStarts(log);
      const other = logBytes(mixedEvents(EVENTS, "v"), key);
      const tree = new Accumulator();
      for (const leaf of chained.leaves) tree.append(leaf);
      const note = formatCheckpoint({ size: EVENTS, root: tree.root() }, key);
      const bare = `${dir}/bare.jsonl`;
      const vouched = `${dir}/vouched.jsonl`;
      await Deno.writeTextFile(checkpointPath(vouched), note);
      const isWhole = async (path: string, bytes: Uint8Array) => {
        await Deno.writeFile(path, bytes);
        return unwrap(await verifyLog(path, { publicKeys: [key.publicKey] })).whole;
      };
      assert.ok(await isWhole(vouched, log), "control");
      await fc.assert(
        fc.asyncProperty(fc.tuple(fc.nat(), fc.nat(), fc.nat()), async (numbers) => {
          const tampered = tamper(log, starts, other, numbers);
          fc.pre(tampered !== undefined);
          assert.ok(!await isWhole(vouched, tampered.bytes), "the checkpoint did not show it");
          // Whatever is not a beginning of a log shows by itself.
          if (tampered.endsWhole) return;
          assert.ok(!await isWhole(bare, tampered.bytes), "the file did not show it");
        }),
        { numRuns: RUNS },
      );
    }));
}

Deno.test("readSignedLine() says of every line what it says by way of the canonical form", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const log = logBytes(mixedEvents(12), key);
    const starts = lineStarts(log);
    const keys = [key.publicKey];
    fc.assert(
      fc.property(fc.nat(11), fc.nat(), fc.nat(255), fc.nat(3), (at, where, byte, how) => {
        const whole = log.slice(starts[at]!, starts[at + 1]! - 1);
        const place = where % whole.length;
        const changed = how === 0
          ? spliced(whole, place, place + 1, Uint8Array.of(byte))
          : how === 1
          ? spliced(whole, place, place + 1)
          : how === 2
          ? spliced(whole, place, place, Uint8Array.of(byte))
          : whole;
        assert.deepEqual(readSignedLine(changed, keys), readSignedLineAnew(changed, keys));
      }),
      { numRuns: 400 },
    );
  }));

Deno.test("readSignedLine() takes the signature in its own place alone", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const bytes = logBytes(mixedEvents(8), key);
    const decoder = new TextDecoder();
    for (const text of decoder.decode(bytes).trimEnd().split("\n")) {
      const member = /,"signature":"[^"]*"/.exec(text.slice(text.lastIndexOf(',"seq":')))![0];
      const unsigned = text.replace(member, "");
      let taken = 0;
      // Attack: the line is the same but for where its signature stands.
      for (let at = 0; at <= unsigned.length; at++) {
        const moved = unsigned.slice(0, at) + member + unsigned.slice(at);
        const read = readSignedLine(new TextEncoder().encode(moved), [key.publicKey]);
        if (read.ok) assert.equal(moved, text);
        if (read.ok) taken++;
      }
      assert.equal(taken, 1);
    }
  }));

Deno.test("checkLines() leaves the bytes as they were", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const bytes = logBytes(mixedEvents(20), key);
    const before = bytes.slice();
    assert.equal(checkLines(bytes, [key.publicKey]).count, 20);
    assert.deepEqual(bytes, before);
  }));
