import assert from "node:assert/strict";
import { AttachedSinks } from "../../src/audit/attached_sinks.ts";
import type { AuditSink, LogFilesChange, WrittenLines } from "../../src/audit/sink.ts";
import { AuditWriter } from "../../src/audit/writer.ts";
import { err, ok, unwrap } from "../../src/core/result.ts";
import { inTempDir, numberedDecision, sampleKey } from "./sample.ts";

interface Kept extends AuditSink {
  readonly lines: WrittenLines[];
  readonly changes: LogFilesChange[];
  readonly closed: number[];
}

function keepingSink(changes: Partial<AuditSink> = {}): Kept {
  const kept: Kept = {
    name: "kept",
    lines: [],
    changes: [],
    closed: [],
    oldestNeeded: () => Infinity,
    take: (lines) => void kept.lines.push(lines),
    filesChanged: (change) => void kept.changes.push(change),
    close: (timeoutMs) => {
      kept.closed.push(timeoutMs);
      return Promise.resolve(ok(undefined));
    },
    ...changes,
  };
  return kept;
}

const BROKEN: Partial<AuditSink> = {
  oldestNeeded: () => {
    throw new Error("broken");
  },
  take: () => {
    throw new Error("broken");
  },
  filesChanged: () => {
    throw new Error("broken");
  },
};

Deno.test("AuditWriter tells each sink of every line as it stands in the log, whatever another does", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const sinks = [keepingSink(), keepingSink(BROKEN), keepingSink()];
    const writer = unwrap(await AuditWriter.open({ file, key, sinks }));
    for (let i = 0; i < 300; i++) assert.ok(writer.append(numberedDecision(i)));
    unwrap(await writer.close());
    for (const { lines, closed } of [sinks[0]!, sinks[2]!]) {
      const text = lines.map(({ bytes }) => new TextDecoder().decode(bytes)).join("");
      assert.equal(text, await Deno.readTextFile(file));
      let next = 1;
      for (const { first, last } of lines) {
        assert.equal(first, next);
        next = last + 1;
      }
      assert.equal(next, 302);
      assert.equal(closed.length, 1);
    }
  }));

Deno.test("AttachedSinks keeps what any sink needs, and everything when it cannot be asked", () => {
  assert.equal(new AttachedSinks([]).oldestNeeded(), Infinity);
  const sinks = [keepingSink({ oldestNeeded: () => 9 }), keepingSink({ oldestNeeded: () => 4 })];
  assert.equal(new AttachedSinks(sinks).oldestNeeded(), 4);
  assert.equal(new AttachedSinks([...sinks, keepingSink(BROKEN)]).oldestNeeded(), 0);
});

Deno.test("AttachedSinks tells all of changed files, closes all, and says which could not", async () => {
  const error = { code: "SINK_FAILED", message: "Cannot close the sink: it is stuck" };
  const sinks = [keepingSink(BROKEN), keepingSink({ close: async () => await err(error) })];
  const last = keepingSink();
  const attached = new AttachedSinks([...sinks, last]);
  const change = { kind: "dropped", file: "audit.jsonl.1", first: 1, last: 7 } as const;
  attached.filesChanged(change);
  assert.deepEqual(last.changes, [change]);
  assert.deepEqual(await attached.close(), err(error));
  assert.equal(last.closed.length, 1);
});

Deno.test("AttachedSinks leaves a sink behind that never ends, or breaks as it does", async () => {
  const stuck = keepingSink({ name: "stuck", close: () => new Promise(() => {}) });
  const broken = keepingSink({
    name: "broken",
    close: () => Promise.reject(new Error("it broke")),
  });
  const kept = keepingSink();
  for (const [sink, told] of [[stuck, /stuck: it does not end/], [broken, /it broke/]] as const) {
    const closed = await new AttachedSinks([sink, kept], 10).close();
    assert.ok(!closed.ok);
    assert.equal(closed.error.code, "SINK_NOT_CLOSED");
    assert.match(closed.error.message, told);
  }
  assert.equal(kept.closed.length, 2);
});
