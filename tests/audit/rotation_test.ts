import assert from "node:assert/strict";
import { baseOf } from "../../src/audit/base.ts";
import { checkpointPath } from "../../src/audit/checkpoint.ts";
import {
  type ClosedFile,
  closedFiles,
  closedPath,
  parseClosedPath,
} from "../../src/audit/closed_file.ts";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { lineChecker } from "../../src/audit/line_checker.ts";
import { snapshotLog } from "../../src/audit/log_parts.ts";
import { removeLeftovers } from "../../src/audit/packing.ts";
import type { AuditSink, LogFilesChange } from "../../src/audit/sink.ts";
import { treePath } from "../../src/audit/tree_file.ts";
import { verifyLog, type VerifyOptions, type VerifyReport } from "../../src/audit/verify.ts";
import { AuditWriter, type AuditWriterOptions } from "../../src/audit/writer.ts";
import { ok, unwrap } from "../../src/core/result.ts";
import type { SigningKey } from "../../src/pki/signing_key.ts";
import { eventually } from "../fixtures/deadline.ts";
import { inTempDir, numberedDecision, readEvents, sampleKey } from "./sample.ts";

const NEVER_OLD = { maxBytes: 20_000 };

async function write(
  file: string,
  key: SigningKey,
  count: number,
  options: Partial<AuditWriterOptions> = {},
  name = "w",
): Promise<void> {
  const writer = unwrap(await AuditWriter.open({ file, key, rotation: NEVER_OLD, ...options }));
  for (let i = 0; i < count; i++) {
    assert.ok(writer.append(numberedDecision(i, name)));
    if (i % 20 === 19) unwrap(await writer.flush());
  }
  unwrap(await writer.close());
}

async function verified(
  path: string,
  key: SigningKey,
  options: Partial<VerifyOptions> = {},
): Promise<VerifyReport> {
  return unwrap(await verifyLog(path, { publicKeys: [key.publicKey], ...options }));
}

/** What the files are called, without where they lie. */
function names(files: readonly ClosedFile[], log: string): string[] {
  return files.map(({ path }) => path.slice(log.length));
}

async function decisionsIn(path: string): Promise<string[]> {
  const events = await readEvents(path);
  return events.filter(({ kind }) => kind === "decision").map(({ event_id }) => event_id);
}

Deno.test("AuditWriter goes on in a new file, and chain, numbers and tree go on with it", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit/audit.jsonl`;
    await write(file, key, 200);
    const closed = closedFiles(file);
    assert.ok(closed.length >= 3, `${closed.length} closed files`);
    let next = 1;
    const ids: string[] = [];
    for (const { path, first, last } of closed) {
      assert.equal(first, next);
      const events = await readEvents(path);
      assert.deepEqual([events[0]!.seq, events.at(-1)!.seq], [first, last]);
      ids.push(...await decisionsIn(path));
      next = last + 1;
    }
    const [begin, ...rest] = await readEvents(file);
    assert.equal(begin?.seq, next);
    assert.ok(begin?.kind === "key" && begin.change === "rotated");
    assert.equal(`${dir}/audit/${begin.file}`, closed.at(-1)!.path);
    assert.equal(baseOf({ ...begin })?.seq, next - 1);
    ids.push(...rest.flatMap(({ kind, event_id }) => kind === "decision" ? [event_id] : []));
    assert.deepEqual(ids, Array.from({ length: 200 }, (_, i) => `aevt_w_${i}`));
    const lines = 200 + 1 + closed.length;
    const whole = { file, whole: true, lines, files: closed.length + 1, checkpointSize: lines };
    assert.deepEqual(await verified(file, key), whole);
    assert.deepEqual(await verified(`${dir}/audit`, key), whole, "as a directory");
    assert.deepEqual(await verified(file, key, { workers: 2 }), whole);
  }));

Deno.test("verifyLog() takes a closed file by itself, with the checkpoint of the moment it was closed", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    await write(file, key, 120);
    const [, second] = closedFiles(file);
    const { path, first, last } = second!;
    const report = {
      file: path,
      whole: true,
      lines: last - first + 1,
      first,
      checkpointSize: last,
    };
    assert.deepEqual(await verified(path, key), report);
    const lines = (await Deno.readTextFile(path)).split("\n");
    // Attack: its last line is cut off.
    await Deno.writeTextFile(path, `${lines.slice(0, -2).join("\n")}\n`);
    assert.deepEqual((await verified(path, key)).broken?.code, "TRUNCATED");
    // Attack: its first lines are cut off, so that nothing says what came before.
    await Deno.writeTextFile(path, lines.slice(2).join("\n"));
    const { broken } = await verified(path, key);
    assert.deepEqual([broken?.code, broken?.line], ["OUT_OF_ORDER", 1]);
  }));

Deno.test("AuditWriter rotates by age", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const rotation = { maxBytes: 1e9, maxAgeMs: 1 };
    await write(file, key, 1, { rotation });
    await write(file, key, 1, { rotation });
    await write(file, key, 1, { rotation });
    assert.equal(closedFiles(file).length, 2);
    assert.equal((await verified(file, key)).whole, true);
  }));

Deno.test("AuditWriter goes on in the file that another process began", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const open = async () =>
      unwrap(await AuditWriter.open({ file, key, rotation: { maxBytes: 3_000 } }));
    const writers = [await open(), await open(), await open()];
    for (let i = 0; i < 40; i++) {
      for (const [name, writer] of writers.entries()) {
        assert.ok(writer.append(numberedDecision(i, `${name}`)));
        unwrap(await writer.flush());
      }
    }
    for (const writer of writers) {
      assert.equal(writer.state, "ok");
      unwrap(await writer.close());
    }
    const report = await verified(file, key);
    assert.equal(report.whole, true, report.broken?.reason);
    assert.equal(report.checkpointSize, report.lines);
    const events = await Promise.all(
      [...closedFiles(file).map(({ path }) => path), file].map(decisionsIn),
    );
    assert.equal(new Set(events.flat()).size, 120);
  }));

for (
  const [what, die] of Object.entries({
    "before the closed file had its name": (file: string) =>
      Deno.writeTextFile(`${file}.next`, "half a li"),
    "before the new file had its name": async (file: string) => {
      const last = (await readEvents(file)).at(-1)!.seq;
      const [base] = await readEvents(file);
      await Deno.link(file, closedPath(file, base!.seq, last));
      await Deno.writeTextFile(`${file}.next`, "half a li");
    },
  })
) {
  Deno.test(`AuditWriter goes on when a process died ${what}`, () =>
    inTempDir(async (dir) => {
      const key = await sampleKey(dir);
      const file = `${dir}/audit.jsonl`;
      await write(file, key, 50);
      const before = closedFiles(file).length;
      await die(file);
      assert.equal(closedFiles(file).length, before, "a file that takes lines counts as closed");
      assert.equal((await verified(file, key)).whole, true);
      await write(file, key, 100, {}, "x");
      const report = await verified(file, key);
      assert.equal(report.whole, true, report.broken?.reason);
      assert.ok(closedFiles(file).length > before);
      let next = 1;
      for (const { first, last } of closedFiles(file)) {
        assert.equal(first, next);
        next = last + 1;
      }
    }));
}

Deno.test("AuditWriter makes the tree anew where the lines of closed files are not there", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    await write(file, key, 100);
    await Deno.remove(treePath(file));
    await write(file, key, 3, {}, "x");
    await Deno.writeFile(treePath(file), new Uint8Array(Deno.statSync(treePath(file)).size));
    await write(file, key, 100, {}, "y");
    const report = await verified(file, key);
    assert.equal(report.whole, true, report.broken?.reason);
    assert.equal(report.checkpointSize, report.lines);
  }));

for (const packing of ["gzip", "zstd"] as const) {
  Deno.test(`AuditWriter compresses closed files (${packing}), and they are read like others`, () =>
    inTempDir(async (dir) => {
      const key = await sampleKey(dir);
      const file = `${dir}/audit.jsonl`;
      const changes: LogFilesChange[] = [];
      const sink: AuditSink = {
        name: "kept",
        oldestNeeded: () => Infinity,
        take: () => {},
        filesChanged: (change) => void changes.push(change),
        close: () => Promise.resolve(ok(undefined)),
      };
      await write(file, key, 100);
      const plain = closedFiles(file);
      const writer = unwrap(await AuditWriter.open({ file, key, packing, sinks: [sink] }));
      await eventually(
        "everything is compressed",
        () => closedFiles(file).every((closed) => closed.packing === packing) ? true : undefined,
      );
      unwrap(await writer.close());
      const packed = closedFiles(file);
      assert.deepEqual(
        names(packed, file),
        names(plain, file).map((name) => `${name}${packing === "gzip" ? ".gz" : ".zst"}`),
      );
      assert.deepEqual(
        changes,
        plain.map(({ path }, index) => ({
          kind: "compressed",
          file: path,
          compressed: packed[index]!.path,
        })),
      );
      assert.equal((await Deno.stat(packed[0]!.path)).mode! & 0o777, 0o600);
      const report = await verified(file, key);
      assert.equal(report.whole, true, report.broken?.reason);
      assert.equal(report.files, plain.length + 1);
      assert.equal((await verified(packed[1]!.path, key)).whole, true);
      // Attack: bytes of a compressed file are changed.
      const bytes = await Deno.readFile(packed[0]!.path);
      bytes[bytes.length >> 1]! ^= 0xff;
      await Deno.writeFile(packed[0]!.path, bytes);
      const tampered = await verifyLog(file, { publicKeys: [key.publicKey] });
      assert.ok(!tampered.ok || !tampered.value.whole);
    }));
}

Deno.test("snapshotLog() finds a closed file that is compressed in between under its other name", () =>
  inTempDir(async (directory) => {
    const log = join(directory, "audit.jsonl");
    const [plain, packed] = [closedPath(log, 1, 9), closedPath(log, 1, 9, "gzip")];
    await Deno.writeTextFile(log, "");
    await Deno.writeTextFile(plain, "");
    const turns = `
import os, sys
one, other = sys.argv[1:]
while True:
    os.link(one, other)
    os.unlink(one)
    one, other = other, one
`;
    const args = ["-c", turns, plain, packed];
    const turning = new Deno.Command("/usr/bin/python3", { args, stderr: "null" }).spawn();
    try {
      await eventually("a turn", () => existsSync(packed) || undefined);
      for (let count = 0; count < 2_000; count++) {
        assert.equal(unwrap(await snapshotLog(log)).parts.at(-1)?.path, log);
      }
    } finally {
      turning.kill("SIGKILL");
      await turning.status;
    }
  }));

Deno.test("removeLeftovers() removes what was left of compressing long ago, and nothing else", () =>
  inTempDir(async (dir) => {
    const file = `${dir}/audit.jsonl`;
    const names = ["audit.jsonl", "audit.jsonl.packing-1", "other.jsonl.packing-1"];
    for (const name of names) await Deno.writeTextFile(`${dir}/${name}`, "x");
    await removeLeftovers(file);
    const left = () => Array.from(Deno.readDirSync(dir), ({ name }) => name).sort();
    assert.deepEqual(left(), names, "it may be another process's");
    await removeLeftovers(file, Date.now() + 7_200_000);
    assert.deepEqual(left(), ["audit.jsonl", "other.jsonl.packing-1"]);
  }));

Deno.test("lineChecker() does not wait for a thread that broke", async () => {
  using checker = lineChecker(1);
  const notBytes = () =>
    ({ length: 1, buffer: new ArrayBuffer(1) }) as unknown as Uint8Array<ArrayBuffer>;
  for (let i = 0; i < 2; i++) await assert.rejects(checker.check(notBytes(), []), /broke/);
});

Deno.test("retention drops the oldest files, says so in the log, and what is left verifies", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    await write(file, key, 200, { retention: { maxFiles: 2 } });
    const closed = closedFiles(file);
    assert.equal(closed.length, 2);
    const { first } = closed[0]!;
    const report = await verified(file, key);
    assert.equal(report.whole, true, report.broken?.reason);
    assert.equal(report.first, first);
    assert.equal(report.lines + first - 1, report.checkpointSize);
    const events = [...await readEvents(closed[1]!.path), ...await readEvents(file)];
    const dropped = events.filter((event) => event.kind === "key" && event.change === "dropped");
    const last = dropped.at(-1)!;
    assert.ok(last.kind === "key");
    assert.equal(last.last_seq, first - 1);
    assert.match(last.detail, /^more than 2 closed files: audit\.jsonl\.0/);
    for await (const { name } of Deno.readDir(dir)) {
      const gone = parseClosedPath(`${dir}/${name.replace(/\.checkpoint$/, "")}`);
      assert.ok(gone === undefined || gone.first >= first, `${name} is left`);
    }
    // Control: the same files without that record are a log that somebody cut.
    await write(file, key, 60, {}, "x");
    await Deno.remove(closed[0]!.path);
    const cut = await verified(file, key);
    assert.equal(cut.broken?.code, "TRUNCATED");
    assert.match(cut.broken.reason, /holds no record that they were dropped/);
  }));

Deno.test("retention drops by age and by size, and never what a sink has yet to read", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    await write(file, key, 200);
    const all = closedFiles(file);
    let needed = 1;
    const sink: AuditSink = {
      name: "slow",
      oldestNeeded: () => needed,
      take: () => {},
      filesChanged: () => {},
      close: () => Promise.resolve(ok(undefined)),
    };
    const sinks = [sink];
    await write(file, key, 0, { retention: { maxTotalBytes: 1 }, sinks });
    assert.deepEqual(closedFiles(file), all, "dropped what the sink needs");
    needed = all[1]!.last;
    await write(file, key, 0, { retention: { maxTotalBytes: 1 }, sinks });
    assert.deepEqual(closedFiles(file), all.slice(1));
    needed = Infinity;
    const hourAgo = new Date(Date.now() - 3_600_000);
    await Deno.utime(all[1]!.path, hourAgo, hourAgo);
    await write(file, key, 0, { retention: { maxAgeMs: 60_000 }, sinks });
    assert.deepEqual(closedFiles(file), all.slice(2));
    assert.equal((await verified(file, key)).whole, true);
  }));

const ATTACKS: Readonly<Record<string, (file: string, closed: readonly ClosedFile[]) => void>> = {
  "a closed file in the middle is removed": (_, closed) => Deno.removeSync(closed[1]!.path),
  "the oldest file is removed": (_, closed) => Deno.removeSync(closed[0]!.path),
  "the oldest files are removed": (_, closed) =>
    closed.slice(0, 2).forEach(({ path }) => Deno.removeSync(path)),
  "all closed files are removed": (_, closed) =>
    closed.forEach(({ path }) => Deno.removeSync(path)),
  "the newest closed file is removed": (_, closed) => Deno.removeSync(closed.at(-1)!.path),
  "the file that takes lines is removed": (file) => Deno.removeSync(file),
  "the file that takes lines is emptied": (file) => Deno.truncateSync(file),
  "two closed files change places": (_, closed) => {
    Deno.renameSync(closed[0]!.path, "held");
    Deno.renameSync(closed[1]!.path, closed[0]!.path);
    Deno.renameSync("held", closed[1]!.path);
  },
  "a closed file is repeated": (file, closed) => {
    const { path, last } = closed.at(-1)!;
    Deno.copyFileSync(path, closedPath(file, last + 1, last + 2));
  },
  "a closed file loses its end": (_, closed) => Deno.truncateSync(closed[0]!.path, 9_000),
};

for (const [what, attack] of Object.entries(ATTACKS)) {
  Deno.test(`verifyLog() finds that ${what}`, () =>
    inTempDir(async (dir) => {
      const key = await sampleKey(dir);
      const file = `${dir}/audit.jsonl`;
      await write(file, key, 200);
      assert.equal((await verified(file, key)).whole, true);
      const directory = Deno.cwd();
      Deno.chdir(dir);
      try {
        attack(file, closedFiles(file));
      } finally {
        Deno.chdir(directory);
      }
      const report = await verified(dir, key);
      assert.equal(report.whole, false);
    }));
}

Deno.test("verifyLog() holds a log against an earlier checkpoint, and checks what came after", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    await write(file, key, 70);
    const from = await Deno.readTextFile(checkpointPath(file));
    const vouchedEarlier = (await verified(file, key)).lines;
    await write(file, key, 70, {}, "x");
    const report = await verified(file, key, { from });
    assert.deepEqual([report.whole, report.vouchedEarlier], [true, vouchedEarlier]);
    // Attack: the whole log and its checkpoint are replaced by others that the same key signed.
    await Deno.mkdir(`${dir}/other`);
    const other = `${dir}/other/audit.jsonl`;
    await write(other, key, 200, {}, "y");
    assert.equal((await verified(other, key)).whole, true);
    const replaced = await verified(other, key, { from });
    assert.equal(replaced.broken?.code, "CHECKPOINT_MISMATCH");
    // Attack: the log is put back to what it was before, with a checkpoint of then.
    const earlier = `${dir}/earlier.jsonl`;
    await write(earlier, key, 3, {}, "w");
    assert.equal((await verified(earlier, key, { from })).broken?.code, "TRUNCATED");
    // Control: of lines that were dropped, nothing can be said.
    await write(file, key, 0, { retention: { maxTotalBytes: 1 } });
    const gone = await verifyLog(file, { publicKeys: [key.publicKey], from });
    assert.ok(!gone.ok);
    assert.equal(gone.error.code, "CHECKPOINT_TOO_OLD");
    assert.equal((await verified(file, key)).whole, true);
  }));
