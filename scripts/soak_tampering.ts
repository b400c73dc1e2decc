/**
 * Changes, removes and inserts every single byte of a log of a thousand events, and does the like
 * with its lines: `scripts/soak tampering [EVENTS] [SEED]`.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { checkLines, orderBreak } from "../src/audit/check_lines.ts";
import { GENESIS, lineHash } from "../src/audit/chain.ts";
import { unwrap } from "../src/core/result.ts";
import { loadOrCreateSigningKey } from "../src/pki/signing_key.ts";
import { lineStarts, logBytes, mixedEvents, spliced } from "../tests/fixtures/audit_tampering.ts";
import { seeded } from "../tests/fixtures/daemon_kills.ts";

const events = Number(Deno.args[0] ?? 1_000);
const seed = Number(Deno.args[1] ?? Date.now() % 1_000_000);
const random = seeded(seed);
const dir = await Deno.makeTempDir();
const key = unwrap(await loadOrCreateSigningKey(join(dir, "audit.key")));
await Deno.remove(dir, { recursive: true });
const log = logBytes(mixedEvents(events), key);
const starts = lineStarts(log);
const lineAt = (at: number) => log.slice(starts[at]!, starts[at + 1]!);
console.log(`${events} events, ${log.length} bytes, seed ${seed}`);

/** Whether lines that stand from line `at` on are a log with those before them; `bytes` ends whole. */
function fits(at: number, bytes: Uint8Array): boolean {
  if (bytes.at(-1) !== 0x0a) return false;
  const before = at === 0 ? GENESIS : {
    seq: at,
    hash: lineHash(lineAt(at - 1).subarray(0, -1)),
  };
  const checked = checkLines(bytes.slice(), [key.publicKey]);
  const { first } = checked;
  return first !== undefined && checked.broken === undefined &&
    orderBreak(first, before) === undefined;
}

let tried = 0;
function isFound(at: number, bytes: Uint8Array, what: string): void {
  assert.ok(!fits(at, bytes), `line ${at + 1}: ${what} was not found`);
  tried++;
}

for (let at = 0; at < events; at++) {
  const own = lineAt(at);
  // With the line after it: the last byte of a line is its newline.
  const next = at + 1 < events ? lineAt(at + 1) : new Uint8Array();
  const both = spliced(own, own.length, own.length, next);
  assert.ok(fits(at, both), "control");
  for (let place = 0; place < own.length; place++) {
    const other = Uint8Array.of(own[place]! ^ (1 + Math.floor(random() * 255)));
    isFound(at, spliced(both, place, place + 1, other), `byte ${place} changed`);
    isFound(at, spliced(both, place, place + 1), `byte ${place} removed`);
    const any = Uint8Array.of(Math.floor(random() * 256));
    const inserted = spliced(both, place, place, any);
    // The byte that was there already, put before itself, is put after it.
    isFound(at, inserted, `a byte inserted at ${place}`);
    if (place > 0) isFound(at, own.slice(0, place), `an end cut off at ${place}`);
  }
  for (let other = 0; other < events; other++) {
    if (other !== at) isFound(at, lineAt(other), `line ${other + 1} in its place`);
  }
  if (at % 50 === 49) console.log(`${at + 1} lines, ${tried} changes, all found`);
}
console.log(`${tried} changes, all found`);
