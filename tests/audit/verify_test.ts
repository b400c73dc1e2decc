import assert from "node:assert/strict";
import fc from "fast-check";
import type { VerifyReport } from "../../src/audit/verify.ts";
import { verifyLog } from "../../src/audit/verify.ts";
import { unwrap } from "../../src/core/result.ts";
import type { SigningKey } from "../../src/pki/signing_key.ts";
import {
  chainLines,
  inTempDir,
  numberedDecision,
  sampleDecision,
  sampleKey,
  writeLog,
} from "./sample.ts";

const LINES = 24;

function sampleLog(key: SigningKey, writer = "w", count = LINES) {
  return chainLines(Array.from({ length: count }, (_, i) => numberedDecision(i, writer)), key);
}

async function verified(path: string, ...keys: SigningKey[]): Promise<VerifyReport> {
  return unwrap(await verifyLog(path, { publicKeys: keys.map((key) => key.publicKey) }));
}

/** Attacks a log of {@linkcode LINES} lines and says which line should be named. */
type Attack = (
  lines: string[],
  at: number,
  other: number,
  key: SigningKey,
) => { lines: string[]; broken: number } | undefined;

const ATTACKS: Record<string, Attack> = {
  "a changed value": (lines, at) => {
    lines[at] = lines[at]!.replace('"decision":"ALLOW"', '"decision":"DENY"');
    return { lines, broken: at + 1 };
  },
  "a changed byte": (lines, at, other) => {
    const line = lines[at]!;
    const byte = other % (line.length - 1);
    const changed = String.fromCharCode(line.charCodeAt(byte) ^ 1);
    if (changed === "\n") return undefined;
    lines[at] = line.slice(0, byte) + changed + line.slice(byte + 1);
    return { lines, broken: at + 1 };
  },
  "a removed line": (lines, at) => {
    lines.splice(at, 1);
    return { lines, broken: at + 1 };
  },
  "a range of removed lines": (lines, at, other) => {
    lines.splice(at, 1 + other % (LINES - at));
    return { lines, broken: at + 1 };
  },
  "a duplicated line": (lines, at) => {
    lines.splice(at, 0, lines[at]!);
    return { lines, broken: at + 2 };
  },
  "a line repeated elsewhere": (lines, at, other) => {
    const target = other % (LINES + 1);
    if (target === at) return undefined;
    lines.splice(target, 0, lines[at]!);
    return { lines, broken: target + 1 };
  },
  "swapped lines": (lines, at, other) => {
    const second = other % LINES;
    if (second === at) return undefined;
    [lines[at], lines[second]] = [lines[second]!, lines[at]!];
    return { lines, broken: Math.min(at, second) + 1 };
  },
  "an inserted line of the same key": (lines, at, _other, key) => {
    lines.splice(at, 0, chainLines([sampleDecision({ detail: "inserted" })], key).lines[0]!);
    // Put first, it stands where it may, and the real first line does not any more.
    return { lines, broken: at === 0 ? 2 : at + 1 };
  },
  "an empty line": (lines, at) => {
    lines.splice(at, 0, "\n");
    return { lines, broken: at + 1 };
  },
  "a truncated tail": (lines, at) => {
    return { lines: lines.slice(0, at), broken: at + 1 };
  },
  "a tail torn in the middle of a line": (lines, at, other) => {
    const kept = lines.slice(0, at + 1);
    kept[at] = kept[at]!.slice(0, 1 + other % (kept[at]!.length - 1));
    return { lines: kept, broken: at + 1 };
  },
  "a tail spliced from another log of the same key": (lines, at, _other, key) => {
    const foreign = sampleLog(key, "foreign").lines;
    // From the first line on it is the other log, which only the checkpoint can tell.
    const broken = at === 0 ? LINES : at + 1;
    return { lines: [...lines.slice(0, at), ...foreign.slice(at)], broken };
  },
  "white space in a line": (lines, at) => {
    lines[at] = lines[at]!.replace('","', '", "');
    return { lines, broken: at + 1 };
  },
  "a line end of another system": (lines, at) => {
    lines[at] = lines[at]!.replace("\n", "\r\n");
    return { lines, broken: at + 1 };
  },
  "a repeated member": (lines, at) => {
    lines[at] = lines[at]!.replace('"decision":"ALLOW"', '"decision":"DENY","decision":"ALLOW"');
    return { lines, broken: at + 1 };
  },
  "members in another order": (lines, at) => {
    const line = JSON.parse(lines[at]!);
    lines[at] = `${JSON.stringify(Object.fromEntries(Object.entries(line).reverse()))}\n`;
    return { lines, broken: at + 1 };
  },
  "an added member": (lines, at) => {
    lines[at] = lines[at]!.replace("{", '{"a":1,');
    return { lines, broken: at + 1 };
  },
  "a byte order mark": (lines, at) => {
    lines[at] = `\ufeff${lines[at]}`;
    return { lines, broken: at + 1 };
  },
};

for (const [what, attack] of Object.entries(ATTACKS)) {
  Deno.test(`verifyLog() names the line that ${what} breaks`, () =>
    inTempDir(async (dir) => {
      const key = await sampleKey(dir);
      const { lines, head } = sampleLog(key);
      const path = `${dir}/audit.jsonl`;
      await writeLog(path, lines, { head, key });
      assert.deepEqual(await verified(path, key), {
        file: path,
        whole: true,
        lines: LINES,
        checkpointSize: LINES,
      });
      await fc.assert(
        fc.asyncProperty(fc.nat(LINES - 1), fc.nat(), async (at, other) => {
          const attacked = attack([...lines], at, other, key);
          fc.pre(attacked !== undefined);
          await writeLog(path, attacked.lines, { head, key });
          const report = await verified(path, key);
          assert.equal(report.whole, false, "accepted");
          assert.equal(report.broken!.line, attacked.broken);
          assert.equal(report.lines, attacked.broken - 1);
        }),
        { numRuns: 60 },
      );
    }));
}

Deno.test("verifyLog() cannot see a truncated tail without a checkpoint, and says it has none", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const { lines } = sampleLog(key);
    const path = `${dir}/audit.jsonl`;
    await writeLog(path, lines.slice(0, 7));
    assert.deepEqual(await verified(path, key), { file: path, whole: true, lines: 7 });
  }));

Deno.test("verifyLog() refuses a checkpoint that no known key signed", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const forger = await sampleKey(dir, "forger.key");
    const { lines } = sampleLog(key);
    const path = `${dir}/audit.jsonl`;
    const cut = chainLines([numberedDecision(0)], key);
    await writeLog(path, lines.slice(0, 1), { head: cut.head, key: forger });
    const report = await verified(path, key);
    assert.equal(report.broken?.code, "CHECKPOINT_INVALID");
    assert.equal(report.broken?.line, undefined);
  }));

Deno.test("verifyLog() refuses a log of another key, and takes both keys after a change", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const next = await sampleKey(dir, "next.key");
    const path = `${dir}/audit.jsonl`;
    const { lines } = sampleLog(key);
    await writeLog(path, lines);
    const report = await verified(path, next);
    assert.deepEqual([report.broken?.line, report.broken?.code], [1, "BAD_SIGNATURE"]);
    assert.equal((await verified(path, next, key)).whole, true);
  }));

Deno.test("verifyLog() takes an empty log, and not one that was emptied", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const path = `${dir}/audit.jsonl`;
    await writeLog(path, []);
    assert.deepEqual(await verified(path, key), { file: path, whole: true, lines: 0 });
    await writeLog(path, [], { head: sampleLog(key).head, key });
    assert.deepEqual((await verified(path, key)).broken?.line, 1);
  }));

Deno.test("verifyLog() survives hostile bytes", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const path = `${dir}/audit.jsonl`;
    await fc.assert(fc.asyncProperty(fc.uint8Array({ minLength: 1 }), async (bytes) => {
      await Deno.writeFile(path, bytes);
      const report = await verified(path, key);
      assert.equal(report.whole, false);
      assert.equal(report.broken!.line, 1);
    }));
    for (const text of ["[".repeat(200_000), '{"a":'.repeat(100_000), "0".repeat(200_000)]) {
      await Deno.writeTextFile(path, `${text}\n`);
      assert.equal((await verified(path, key)).broken!.line, 1);
    }
  }));

Deno.test("verifyLog() fails when there is nothing to judge", () =>
  inTempDir(async (dir) => {
    const result = await verifyLog(`${dir}/none.jsonl`, { publicKeys: [] });
    assert.ok(!result.ok);
    assert.match(result.error.message, /there is no such file/);
    assert.ok(!(await verifyLog(dir, { publicKeys: [] })).ok);
  }));

Deno.test("verifyLog() reads lines of every length across its chunks, and tells its progress", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const path = `${dir}/audit.jsonl`;
    const sizes = [1, 60_000, 10, 65_000, 3, 30_000, 64_000];
    const events = Array.from(
      { length: 120 },
      (_, i) => sampleDecision({ detail: "x".repeat(sizes[i % sizes.length]!) }),
    );
    const { lines, head } = chainLines(events, key);
    await writeLog(path, lines, { head, key });
    const progress: number[] = [];
    const report = unwrap(
      await verifyLog(path, {
        publicKeys: [key.publicKey],
        onProgress: (done, all) => progress.push(done / all),
      }),
    );
    assert.equal(report.lines, 120);
    assert.equal(report.whole, true);
    assert.ok(progress.length >= 2);
    assert.deepEqual(progress, [...progress].sort((a, b) => a - b));
  }));

Deno.test("verifyLog() finds with several threads what it finds with one", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const path = `${dir}/audit.jsonl`;
    // Below some megabytes, it takes one thread alone.
    const detail = "x".repeat(1_500);
    const events = Array.from({ length: 2_500 }, (_, i) => ({ ...numberedDecision(i), detail }));
    const { lines, head } = chainLines(events, key);
    const found = async (workers: number) => {
      const options = { publicKeys: [key.publicKey], workers };
      return unwrap(await verifyLog(path, options));
    };
    await writeLog(path, lines, { head, key });
    for (const workers of [1, 2, 3]) assert.equal((await found(workers)).lines, 2_500);
    for (const [at, change] of [[1_100, "DENY"], [2_400, "ABORT"]] as const) {
      const changed = lines.with(at, lines[at]!.replace('"ALLOW"', `"${change}"`));
      await writeLog(path, changed, { head, key });
      const alone = await found(1);
      assert.equal(alone.broken?.line, at + 1);
      assert.deepEqual(await found(2), alone);
    }
  }));

Deno.test("verifyLog() stops at a line that is too long to be one", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const path = `${dir}/audit.jsonl`;
    const { lines } = sampleLog(key);
    await writeLog(path, [...lines, "x".repeat(20_000_000), "\n"]);
    const { broken } = await verified(path, key);
    assert.deepEqual([broken?.line, broken?.code], [LINES + 1, "TORN"]);
  }));

Deno.test("verifyLog() does not wait for ever for a writer that was stopped in mid-batch", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const path = `${dir}/audit.jsonl`;
    const { lines, head } = sampleLog(key);
    await writeLog(path, lines, { head, key });
    using stopped = await Deno.open(path, { read: true });
    await stopped.lock(true);
    assert.equal((await verified(path, key)).whole, true);
  }));
