import assert from "node:assert/strict";
import { dirname } from "node:path";
import { newId } from "../../src/core/id.ts";
import { monitorLogs, type MonitorOptions } from "../../src/monitor/monitor.ts";
import {
  chainLines,
  inTempDir,
  sampleDecision,
  sampleKey,
  sampleOutcome,
  writeLog,
} from "../audit/sample.ts";
import { eventually } from "../fixtures/deadline.ts";

const ALL = new Set(["sidecar", "authority", "supervisor"] as const);
const SANDBOX = newId("sbx");

async function put(file: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeTextFile(file, text, { append: true });
}

function options(stateDir: string, changes: Partial<MonitorOptions>): MonitorOptions {
  return {
    components: ALL,
    stateDir,
    filter: {},
    json: false,
    terminal: false,
    colour: false,
    follow: false,
    ...changes,
  };
}

async function shown(dir: string, changes: Partial<MonitorOptions> = {}): Promise<string[]> {
  const lines: string[] = [];
  const never = new AbortController().signal;
  await monitorLogs(options(dir, changes), (line) => lines.push(line), never);
  return lines;
}

const minute = (n: number) => `2025-01-31T12:0${n}:00.000000Z`;

/** Audit events of minutes 1 and 4, and components that speak in between. */
async function scene(dir: string): Promise<{ auditFile: string; lines: string[] }> {
  const auditFile = `${dir}/audit.jsonl`;
  const { lines } = chainLines([
    sampleDecision({ timestamp: minute(1) }),
    sampleOutcome({ timestamp: minute(4), abort_reason: "CONNECTOR_TIMEOUT" }),
  ], await sampleKey(dir));
  await writeLog(auditFile, lines);
  await put(`${dir}/daemon/sidecar.log`, `${minute(2)} sidecar two\n  goes on\n`);
  await put(`${dir}/daemon/authority.log`, `${minute(0)} authority nought\n\n`);
  await put(`${dir}/daemon/supervisor.log`, `${minute(5)} supervisor five\n`);
  await put(`${dir}/run/${SANDBOX}/sidecar.log`, `${minute(3)} run three \x1b]0;x\x07\u202e\n`);
  await put(`${dir}/run/elsewhere/sidecar.log`, `${minute(3)} not a run\n`);
  return { auditFile, lines };
}

Deno.test("monitorLogs() interleaves what components say with the audit log by time", () =>
  inTempDir(async (dir) => {
    const { auditFile } = await scene(dir);
    const lines = (await shown(dir, { auditFile })).map((line) => line.slice(20));
    assert.deepEqual(lines.map((line) => line.split(/ +/).slice(0, 3).join(" ")), [
      "authority authority nought",
      "ALLOW GET api.github.invalid/repos/firma/firma",
      "sidecar sidecar two",
      "sidecar goes on",
      "sidecar run three",
      "ABORT GET api.github.invalid/repos/firma/firma",
      "supervisor supervisor five",
    ]);
    assert.ok(lines[4]!.endsWith(`run three \\x1b]0;x\\x07\\u202e sandbox=${SANDBOX}`), lines[4]);
  }));

Deno.test("monitorLogs() wraps what components say as JSON, and leaves the audit log as it is", () =>
  inTempDir(async (dir) => {
    const { auditFile, lines } = await scene(dir);
    const json = await shown(dir, { auditFile, json: true });
    const events = json.filter((line) => !("raw" in JSON.parse(line)));
    assert.deepEqual(events, lines.map((line) => line.trimEnd()));
    assert.deepEqual(JSON.parse(json[0]!), {
      source: "authority",
      raw: `${minute(0)} authority nought`,
    });
    const terminal = await shown(dir, { json: true, terminal: true });
    assert.ok(terminal.some((line) => line.includes(String.raw`\u001b]0;x\u0007\u202e`)));
    // deno-lint-ignore no-control-regex -- controls are what must not be there
    for (const line of terminal) assert.doesNotMatch(line, /[\u0000-\u001f\u202e]/);
  }));

const FILTERS: Readonly<Record<string, [Partial<MonitorOptions>, RegExp, number]>> = {
  "one component": [{ components: new Set(["authority"]) }, /authority nought/, 1],
  "a sandbox": [{ filter: { sandboxId: SANDBOX } }, /run three/, 1],
  "a time": [{ filter: { sinceMs: Date.parse(minute(5)) } }, /supervisor five/, 1],
  "a decision": [{ filter: { decision: "ALLOW" } }, /^$/, 0],
  "a class": [{ filter: { actionClass: "code.read" } }, /^$/, 0],
  "an agent": [{ filter: { agentId: "agt_1" } }, /^$/, 0],
  "the last line": [{ tail: 1 }, /supervisor five/, 1],
  "no line": [{ tail: 0 }, /^$/, 0],
};

for (const [what, [changes, expected, count]] of Object.entries(FILTERS)) {
  Deno.test(`monitorLogs() shows what components say when asked for ${what}`, () =>
    inTempDir(async (dir) => {
      await scene(dir);
      const lines = await shown(dir, changes);
      assert.equal(lines.length, count, lines.join("\n"));
      if (count > 0) assert.match(lines[0]!, expected);
    }));
}

Deno.test("monitorLogs() follows logs of runs that begin and end", () =>
  inTempDir(async (dir) => {
    const printed: string[] = [];
    const stop = new AbortController();
    const done = monitorLogs(
      options(dir, { follow: true }),
      (line) => printed.push(line),
      stop.signal,
    );
    const until = (text: string) =>
      eventually(text, () => printed.some((line) => line.includes(text)) || undefined);
    await put(`${dir}/daemon/sidecar.log`, "a daemon without times\n");
    await until("a daemon without times");
    const directory = `${dir}/run/${newId("sbx")}`;
    await put(`${directory}/sidecar.log`, "a run began\n");
    await until("a run began");
    await Deno.remove(directory, { recursive: true });
    await put(`${dir}/run/${newId("sbx")}/sidecar.log`, "another one\n");
    await until("another one");
    stop.abort();
    await done;
    assert.equal(printed.length, 3);
  }));
