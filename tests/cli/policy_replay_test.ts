import assert from "node:assert/strict";
import { join } from "node:path";
import { sampleDecision } from "../audit/sample.ts";
import { envelope, on } from "../policy/support.ts";
import { Person } from "../fixtures/cli.ts";

Deno.test("firma policy replay says what would change, and by its status whether anything would", async () => {
  await using person = await Person.create();
  const events = ["code.read", "code.read", "issue.read"].map((actionClass, i) =>
    sampleDecision({
      event_id: `aevt_${i}`,
      action_class: actionClass,
      envelope: envelope(actionClass),
      policy_ids: ["all"],
      resource: "api.example.test/\u001b[31m",
    })
  );
  const lines = (part: unknown[]) => part.map((event) => `${JSON.stringify(event)}\n`).join("");
  await person.write("audit.jsonl.000000000001-000000000001", lines(events.slice(0, 1)));
  await person.write("audit.jsonl", `${lines(events.slice(1))}damage\n`);
  await person.write("all.cedar", '@id("all") permit (principal, action, resource);\n');
  await person.write("new/read.cedar", `@id("read") permit ${on("code.read")};\n`);
  await person.write("bad/bad.cedar", "permit (principal\n");
  const replay = (...args: string[]) =>
    person.firma(["policy", "replay", "--audit", join(person.project, "audit.jsonl"), ...args]);

  const same = await replay("--bundle", "all.cedar");
  assert.equal(same.code, 0, same.stderr);
  assert.equal(same.stdout, "3 decisions under all.cedar: nothing would change\n");
  assert.match(same.stderr, /lines that are no events: 1/);

  const changed = await replay("--bundle", "new");
  assert.equal(changed.code, 1, changed.stderr);
  assert.match(
    changed.stdout,
    /^ +1 +issue\.read +ALLOW +DENY +without all +GET api\.example\.test\//m,
  );
  assert.match(changed.stdout, /1 would change, 1 of them denied and 0 allowed anew/);
  assert.ok(!changed.stdout.includes("\u001b"));

  const { stdout } = await replay("--bundle", "new", "--json");
  const report = JSON.parse(stdout);
  assert.deepEqual([report.decisions, report.same, report.newly_denied], [3, 2, 1]);
  assert.deepEqual(report.changes[0].event_ids, ["aevt_2"]);

  const bad = await replay("--bundle", "bad");
  assert.deepEqual([bad.code, bad.stdout], [2, ""]);
  assert.match(bad.stderr, /bad\/bad\.cedar:/);
  const none = await person.firma(["policy", "replay", "--audit", "none.jsonl", "--bundle", "new"]);
  assert.deepEqual([none.code, none.stdout], [2, ""]);
});
