/** Policies that are observed alone: who may have that, and what it leaves in force. */
import assert from "node:assert/strict";
import { effectiveMode, isMonitorAllowed } from "../../src/sidecar/monitor_mode.ts";
import { HOST, Rig } from "./rig.ts";

Deno.test("isMonitorAllowed() takes 1 for yes, and nothing else", () => {
  assert.ok(isMonitorAllowed({ FIRMA_ALLOW_MONITOR_MODE: "1" }));
  for (const value of [undefined, "", "0", "true", "yes", "1 ", "01"]) {
    assert.ok(!isMonitorAllowed({ FIRMA_ALLOW_MONITOR_MODE: value }), value);
  }
});

Deno.test("effectiveMode() enforces unless both want otherwise, and says so", () => {
  const table = [
    ["enforce", false, "enforce", []],
    ["enforce", true, "enforce", []],
    ["monitor", false, "enforce", ["error ses_1"]],
    ["monitor", true, "monitor", ["warn ses_1"]],
  ] as const;
  for (const [wanted, isAllowed, expected, told] of table) {
    const heard: string[] = [];
    const mode = effectiveMode(
      wanted,
      isAllowed,
      (level, _, id) => heard.push(`${level} ${id}`),
      "ses_1",
    );
    assert.deepEqual([mode, heard], [expected, [...told]]);
  }
});

const MONITOR = { sidecarTable: 'mode = "monitor"' };

Deno.test("a firma.toml alone cannot keep policies from being enforced", async () => {
  await using rig = await Rig.start({ ...MONITOR, env: { FIRMA_ALLOW_MONITOR_MODE: "" } });
  assert.equal(rig.notices(/Monitor mode is refused and policies are enforced/).length, 1);
  const session = await rig.session({ mode: "monitor" });
  assert.equal(session.mode, "enforce");
  const { status, reason } = await session.curl("/echo", "--data", "x");
  assert.deepEqual([status, reason], [403, "PolicyDenied"]);
  assert.equal(rig.upstream.seen.length, 0);
  assert.match(JSON.stringify(session.told), /Monitor mode is refused/);
});

Deno.test("a Sidecar that only observes lets out what policies deny, says so, and records it", async () => {
  await using rig = await Rig.start({ ...MONITOR, env: { FIRMA_ALLOW_MONITOR_MODE: "1" } });
  assert.equal(rig.notices(/MONITOR MODE: policies are NOT ENFORCED/).length, 1);
  const session = await rig.session();
  assert.equal(session.mode, "monitor");
  assert.equal((await session.curl("/echo", "--data", "x")).status, 200);
  // A host that no rule names is let out as well, as far as it goes: there is none of this name.
  assert.equal((await session.curl("https://unmapped.firma.invalid/")).status, 502);
  assert.equal((await session.curl("https://127.0.0.1/")).reason, "LoopbackBlocked");
  assert.equal((await session.curl(`https://${HOST}/%2e%2e/x`, "--path-as-is")).status, 403);
  assert.match(JSON.stringify(session.told), /NOT ENFORCED/);

  const enforced = await rig.session({ mode: "enforce" });
  assert.equal((await enforced.curl("/echo", "--data", "x")).status, 403);

  const { mode } = await (await rig.control("GET", "/v1/status")).json();
  assert.equal(mode, "monitor");
  await rig.end();
  const events = await rig.events();
  const decisions = events.flatMap((event) =>
    event.kind === "decision" ? [[event.decision, event.deny_reason, event.enforced ?? true]] : []
  );
  assert.deepEqual(decisions, [
    ["DENY", "PolicyDenied", false],
    ["DENY", "UnclassifiedIntent", false],
    ["DENY", "LoopbackBlocked", true],
    ["DENY", "MalformedRequest", true],
    ["DENY", "PolicyDenied", true],
  ]);
  const started = events.filter((event) => event.kind === "session" && event.phase === "started");
  assert.deepEqual(started.map((event) => event.kind === "session" && event.mode), [
    "monitor",
    undefined,
  ]);
});
