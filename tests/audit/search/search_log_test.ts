import assert from "node:assert/strict";
import type { EventFilter } from "../../../src/audit/search/event_filter.ts";
import { searchLog } from "../../../src/audit/search/search_log.ts";
import { unwrap } from "../../../src/core/result.ts";
import type { ExecutionEvent } from "../../../src/core/event.ts";
import {
  chainLines,
  inTempDir,
  sampleDecision,
  sampleKey,
  sampleOutcome,
  writeLog,
} from "../sample.ts";
import { openLog } from "../ship/support.ts";

const at = (second: number) => `2030-01-01T00:00:${String(second).padStart(2, "0")}.000000Z`;

const EVENTS: readonly ExecutionEvent[] = [
  sampleDecision({ timestamp: at(1) }),
  sampleOutcome({ timestamp: at(2) }),
  sampleDecision({ timestamp: at(3), decision: "DENY", resource: "evil.test/api.github.invalid" }),
  sampleDecision({ timestamp: at(4), agent_id: "agt_other", action_class: "code.write" }),
  sampleDecision({
    timestamp: at(5),
    session_id: "ses_other",
    resource: "api.github.invalid:8443/x",
  }),
  sampleDecision({ timestamp: at(6), resource: "a.b.github.invalid?host=evil.test" }),
];

Deno.test("searchLog() finds the events in which every part fits", async () => {
  const cases: Record<string, [EventFilter, number[]]> = {
    "everything": [{}, [1, 2, 3, 4, 5, 6]],
    "an agent": [{ agent: "agt_other" }, [4]],
    "the agent of most": [{ agent: "agt_01jd0000000000000000000000" }, [1, 2, 3, 5, 6]],
    "a part of an agent": [{ agent: "agt" }, []],
    "a session": [{ session: "ses_other" }, [5]],
    "a decision": [{ decision: "DENY" }, [3]],
    "an action": [{ action: "code.read" }, [1, 3, 5, 6]],
    "all actions below": [{ action: "code.*" }, [1, 3, 4, 5, 6]],
    "a host, whatever the port": [{ host: "api.github.invalid" }, [1, 4, 5]],
    "all hosts below": [{ host: "*.github.invalid" }, [1, 4, 5, 6]],
    "a host that is only in a path or a query": [{ host: "evil.test" }, [3]],
    "since, inclusive": [{ sinceMs: Date.parse(at(4)) }, [4, 5, 6]],
    "until, exclusive": [{ untilMs: Date.parse(at(3)) }, [1, 2]],
    "several parts": [{ action: "code.*", host: "api.github.invalid", agent: "agt_other" }, [4]],
    "what only the envelope of another event says": [{ decision: "ABORT" }, []],
  };
  await inTempDir(async (dir) => {
    const path = `${dir}/audit.jsonl`;
    await writeLog(path, chainLines(EVENTS, await sampleKey(dir)).lines);
    for (const [name, [filter, expected]] of Object.entries(cases)) {
      const found = unwrap(await searchLog(path, filter, 100));
      assert.deepEqual(found.map(({ line }) => JSON.parse(line).seq), expected, name);
    }
    const last = unwrap(await searchLog(path, {}, 2));
    assert.deepEqual(last.map(({ line }) => JSON.parse(line).seq), [5, 6]);
  });
});

Deno.test("searchLog() searches the files that a log was rotated to, packed ones too", async () => {
  await inTempDir(async (dir) => {
    const log = await openLog(dir, [], { rotation: { maxBytes: 4_000 }, packing: "gzip" });
    for (let i = 0; i < 10; i++) await log.write(10);
    await log.writer.close();
    const found = unwrap(await searchLog(log.path, { decision: "ALLOW" }, 1_000));
    assert.equal(found.length, 100);
    const directory = unwrap(await searchLog(dir, { decision: "ALLOW" }, 1_000));
    assert.deepEqual(directory, found);
  });
});

Deno.test("searchLog() passes over what is no event, and says what cannot be read", async () => {
  await inTempDir(async (dir) => {
    const path = `${dir}/audit.jsonl`;
    const [line] = chainLines([sampleDecision()], await sampleKey(dir)).lines;
    await Deno.writeTextFile(path, `null\n[]\n{"decision":7}\ngarbage\n${line}{"torn":`);
    const found = unwrap(await searchLog(path, { decision: "ALLOW" }, 10));
    assert.equal(found.length, 1);
    const missing = await searchLog(`${dir}/nothing.jsonl`, {}, 10);
    assert.ok(!missing.ok);
    assert.match(missing.error.message, /^Cannot read the audit log/);
  });
});
