import assert from "node:assert/strict";
import { treePath } from "../../src/audit/tree_file.ts";
import { verifyLog } from "../../src/audit/verify.ts";
import { AuditWriter } from "../../src/audit/writer.ts";
import { unwrap } from "../../src/core/result.ts";
import type { SigningKey } from "../../src/pki/signing_key.ts";
import { chainLines, inTempDir, numberedDecision, sampleKey, writeLog } from "./sample.ts";

/** Opens the log, writes so many events and closes it. */
async function write(file: string, key: SigningKey, count: number): Promise<void> {
  const writer = unwrap(await AuditWriter.open({ file, key }));
  for (let i = 0; i < count; i++) assert.ok(writer.append(numberedDecision(i)));
  unwrap(await writer.close());
}

/** What becomes of the tree of a log between two processes that write to it. */
const DAMAGES: Readonly<Record<string, (tree: string, key: SigningKey) => Promise<void>>> = {
  "is left alone": async () => {},
  "is gone": (tree) => Deno.remove(tree),
  "is empty": (tree) => Deno.truncate(tree, 0),
  "lost its last leaves": (tree) => Deno.truncate(tree, 5 * 32),
  "was cut in the middle of a hash": (tree) => Deno.truncate(tree, 6 * 32 + 7),
  "is noise": (tree) =>
    Deno.writeFile(tree, crypto.getRandomValues(new Uint8Array(Deno.statSync(tree).size))),
  "is noise but for its last leaf": async (tree) => {
    const bytes = await Deno.readFile(tree);
    bytes.set(crypto.getRandomValues(new Uint8Array(7 * 32)));
    await Deno.writeFile(tree, bytes);
  },
  "is longer than the log": async (tree) => {
    using file = await Deno.open(tree, { append: true });
    await file.write(new Uint8Array(40 * 32));
  },
  "is of another log": async (tree, key) => {
    const other = `${tree}-other`;
    await write(other, key, 9);
    await Deno.rename(treePath(other), tree);
  },
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  Deno.test(`AuditWriter vouches for the log itself when its tree ${what}`, () =>
    inTempDir(async (dir) => {
      const key = await sampleKey(dir);
      const file = `${dir}/audit.jsonl`;
      await write(file, key, 7);
      await damage(treePath(file), key);
      await write(file, key, 6);
      const report = unwrap(await verifyLog(file, { publicKeys: [key.publicKey] }));
      assert.deepEqual(report, { file, whole: true, lines: 14, checkpointSize: 14 });
    }));
}

Deno.test("AuditWriter vouches for a log from before there were trees", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    // More lines than are added to a tree at once.
    const { lines } = chainLines(Array.from({ length: 1_500 }, (_, i) => numberedDecision(i)), key);
    await writeLog(file, lines);
    await write(file, key, 3);
    const report = unwrap(await verifyLog(file, { publicKeys: [key.publicKey] }));
    assert.deepEqual(report, { file, whole: true, lines: 1_503, checkpointSize: 1_503 });
  }));

Deno.test("AuditWriter says so when the log is not the one that was vouched for", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    await write(file, key, 7);
    // Attack: another log of the same key, every line of which is sound.
    const { lines } = chainLines(
      Array.from({ length: 9 }, (_, i) => numberedDecision(i, "v")),
      key,
    );
    await writeLog(file, lines);
    await write(file, key, 1);
    const report = unwrap(await verifyLog(file, { publicKeys: [key.publicKey] }));
    assert.equal(report.broken?.line, 10);
    assert.equal(
      report.broken.reason,
      "it records a loss: its first 8 lines are not those that were vouched for",
    );
  }));

Deno.test("AuditWriter keeps its tree to itself (mode 0600)", () =>
  inTempDir(async (dir) => {
    const file = `${dir}/audit.jsonl`;
    await write(file, await sampleKey(dir), 1);
    assert.equal((await Deno.stat(treePath(file))).mode! & 0o777, 0o600);
  }));
