import assert from "node:assert/strict";
import { monitorLogs, type MonitorOptions } from "../../src/monitor/monitor.ts";
import { closedFiles } from "../../src/audit/closed_file.ts";
import { AuditWriter } from "../../src/audit/writer.ts";
import { unwrap } from "../../src/core/result.ts";
import { eventually } from "../fixtures/deadline.ts";
import {
  chainLines,
  inTempDir,
  numberedDecision,
  sampleDecision,
  sampleKey,
  sampleOutcome,
  writeLog,
} from "../audit/sample.ts";

type Changes = Partial<MonitorOptions> & { readonly file?: string };

function options({ file, ...changes }: Changes): MonitorOptions {
  return {
    ...(file !== undefined && { auditFile: file }),
    components: new Set(),
    stateDir: "/nowhere",
    filter: {},
    json: true,
    terminal: false,
    colour: false,
    follow: false,
    ...changes,
  };
}

async function shown(changes: Changes): Promise<string[]> {
  const lines: string[] = [];
  await monitorLogs(options(changes), (line) => lines.push(line), new AbortController().signal);
  return lines;
}

Deno.test("monitorLogs() prints the lines of the log unchanged as JSON", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const detail = "controls \u009b31m \u202e stay";
    const { lines } = chainLines([sampleDecision({ detail }), sampleOutcome()], key);
    await writeLog(file, lines);
    assert.deepEqual(await shown({ file }), lines.map((line) => line.trimEnd()));

    const [first] = await shown({ file, terminal: true });
    assert.ok(first!.includes(String.raw`controls \u009b31m \u202e stay`), first);
    assert.deepEqual(JSON.parse(first!), JSON.parse(lines[0]!), "the value changed");
  }));

for (const packing of ["plain", "gzip", "zstd"] as const) {
  Deno.test(`monitorLogs() reads a log over the files that it was rotated to (${packing})`, () =>
    inTempDir(async (dir) => {
      const key = await sampleKey(dir);
      const file = `${dir}/audit.jsonl`;
      const rotation = { maxBytes: 8_000 };
      const writer = unwrap(await AuditWriter.open({ file, key, rotation, packing }));
      for (let i = 0; i < 60; i++) {
        assert.ok(writer.append(numberedDecision(i)));
        unwrap(await writer.flush());
      }
      const isPacked = () => closedFiles(file).every((closed) => closed.packing === packing);
      await eventually("all closed files to be packed", () => isPacked() || undefined);
      unwrap(await writer.close());
      assert.ok(closedFiles(file).length > 2 && isPacked());
      const numbers = (lines: readonly string[]) =>
        lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === "decision")
          .map(({ event_id }) => Number(event_id.split("_")[2]));
      const all = Array.from({ length: 60 }, (_, i) => i);
      assert.deepEqual(numbers(await shown({ file })), all);
      const filter = { decision: "ALLOW" } as const;
      for (const tail of [1, 20, 45, 60, 100]) {
        assert.deepEqual(numbers(await shown({ file, tail, filter })), all.slice(-tail));
      }
      const longAgo = new Date("2020-01-01");
      await Deno.utime(closedFiles(file)[0]!.path, longAgo, longAgo);
      const sinceMs = Date.parse("2024-01-01");
      const recent = numbers(await shown({ file, filter: { sinceMs } }));
      assert.ok(recent.length > 0 && recent.length < 60);
    }));
}

Deno.test("monitorLogs() begins with the last events to show, and knows what they are about", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const events = Array.from({ length: 10 }, (_, i) => [
      sampleDecision({ event_id: `aevt_${i}`, resource: `host.invalid/${i}` }),
      sampleOutcome({
        decision_event_id: `aevt_${i}`,
        abort_reason: i % 3 === 0 ? "CONNECTOR_FAILURE" : "",
      }),
    ]).flat();
    await writeLog(file, chainLines(events, key).lines);
    const brief = async (changes: Changes) =>
      (await shown({ file, json: false, ...changes }))
        .map((line) => line.split(/\s+/)).map((words) => `${words[2]} ${words[4]}`);
    assert.deepEqual(await brief({ tail: 4 }), [
      "ALLOW host.invalid/7",
      "ALLOW host.invalid/8",
      "ALLOW host.invalid/9",
      "ABORT host.invalid/9",
    ]);
    assert.deepEqual(await brief({ tail: 1 }), ["ABORT host.invalid/9"]);
    assert.deepEqual(await brief({ tail: 0 }), []);
    assert.deepEqual(await brief({ tail: 2, filter: { decision: "ABORT" } }), [
      "ABORT host.invalid/6",
      "ABORT host.invalid/9",
    ]);
    assert.equal((await brief({ tail: 1_000 })).length, 14);
    assert.equal((await brief({})).length, 14);
  }));

Deno.test("monitorLogs() says that a line is damaged, and goes on", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/audit.jsonl`;
    const damaged = [
      "garbage \x1b[2J\n",
      "null\n",
      "[]\n",
      '{"kind":"decision"}\n',
      '{"kind":"decision","decision":{},"timestamp":""}\n',
      `${JSON.stringify({ ...sampleDecision(), policy_ids: 7 })}\n`,
      `${JSON.stringify({ ...sampleDecision(), method: null })}\n`,
      `${JSON.stringify({ ...sampleOutcome(), abort_reason: {} })}\n`,
    ];
    const { lines } = chainLines([sampleDecision()], key);
    await writeLog(file, [...damaged, ...lines]);
    const printed = await shown({ file, json: false });
    assert.equal(printed.length, damaged.length + 1);
    for (const line of printed.slice(0, -1)) assert.match(line, /^LOG {5}damaged/);
    assert.match(printed.at(-1)!, /ALLOW/);
  }));

Deno.test("monitorLogs() follows a log from before it exists, across a rotation, until it is told to stop", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const file = `${dir}/not/yet/audit.jsonl`;
    const printed: string[] = [];
    const stop = new AbortController();
    const done = monitorLogs(
      options({ file, follow: true, filter: { decision: "ALLOW" } }),
      (line) => printed.push(JSON.parse(line).event_id),
      stop.signal,
    );
    const until = (count: number) =>
      eventually(`${count} lines`, () => printed.length >= count ? true : undefined);
    for (let i = 0; i < 3; i++) {
      const writer = unwrap(await AuditWriter.open({ file, key }));
      writer.append(numberedDecision(2 * i));
      unwrap(await writer.flush());
      await until(2 * i + 1);
      writer.append(numberedDecision(2 * i + 1));
      unwrap(await writer.close());
      await until(2 * i + 2);
      await Deno.rename(file, `${file}.${i}`);
    }
    stop.abort();
    await done;
    assert.deepEqual(printed, Array.from({ length: 6 }, (_, i) => `aevt_w_${i}`));
  }));
