import assert from "node:assert/strict";
import { execGateCheck } from "../../../src/doctor/checks/exec_gate.ts";
import { found, Place, statuses } from "../support.ts";

const ACTIONS = "/proc/sys/kernel/seccomp/actions_avail";

/** A place on a machine with these settings, by path. */
function on(place: Place, values: Readonly<Record<string, string>>) {
  return place.world({ setting: (path) => values[path] });
}

Deno.test("execGateCheck says which way programs are held, and when none is", async () => {
  using place = new Place();
  const usual = { [ACTIONS]: "kill_process kill_thread trap errno user_notif trace log allow\n" };
  assert.deepEqual(await statuses(execGateCheck, on(place, usual)), ["ok"]);
  assert.deepEqual(await statuses(execGateCheck, on(place, {})), ["ok"]);
  const [old] = await found(execGateCheck, on(place, { [ACTIONS]: "kill trap errno trace allow" }));
  assert.deepEqual([old!.status, old!.cure], ["fail", "uname -r"]);
  const closed = { ...usual, "/proc/sys/kernel/yama/ptrace_scope": "3\n" };
  assert.deepEqual(await statuses(execGateCheck, on(place, closed)), ["fail"]);
  place.configure({ more: '[run.sidecar_local_exec]\ngate = "off"\n' });
  const [off] = await found(execGateCheck, on(place, usual));
  assert.equal(off!.status, "warn");
  assert.match(off!.reason, /^off: /);
});
