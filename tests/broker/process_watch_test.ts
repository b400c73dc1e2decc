import assert from "node:assert/strict";
import { ProcessWatch } from "../../src/broker/process_watch.ts";

Deno.test("ProcessWatch.hear() ends groups that were started, once, and no others", () => {
  const ended: number[] = [];
  const watch = new ProcessWatch((leader) => void ended.push(leader));
  watch.hear({ type: "end-group", leader: 7 });
  watch.hear({ type: "group-started", leader: 8 });
  watch.hear({ type: "group-ended", leader: 8 });
  // Another process may have that number by now.
  watch.hear({ type: "end-group", leader: 8 });
  assert.deepEqual(ended, []);
  watch.hear({ type: "group-started", leader: 9 });
  watch.hear({ type: "end-group", leader: 9 });
  watch.hear({ type: "end-group", leader: 9 });
  assert.deepEqual(ended, [9]);
});

Deno.test("ProcessWatch.endAll() ends what still runs", () => {
  const ended: number[] = [];
  const watch = new ProcessWatch((leader) => void ended.push(leader));
  for (const leader of [5, 6, 7]) watch.hear({ type: "group-started", leader });
  watch.hear({ type: "group-ended", leader: 6 });
  watch.endAll();
  watch.endAll();
  assert.deepEqual(ended, [5, 7]);
});
