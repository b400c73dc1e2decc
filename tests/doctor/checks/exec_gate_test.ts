import assert from "node:assert/strict";
import { execGateCheck } from "../../../src/doctor/checks/exec_gate.ts";
import { found, Place, statuses } from "../support.ts";

const ACTIONS = "/proc/sys/kernel/seccomp/actions_avail";
const USUAL = { [ACTIONS]: "kill_process kill_thread trap errno user_notif trace log allow\n" };

/** A place on a machine with these settings, by path, whose kernel says this when it is asked. */
function on(place: Place, values: Readonly<Record<string, string>>, noGate?: string) {
  return place.world({
    setting: (path) => values[path],
    preflight: () => Promise.resolve({ ok: true, status: "", ...(noGate && { noGate }) }),
  });
}

Deno.test("execGateCheck says which way programs are held, and when none is", async () => {
  using place = new Place();
  assert.deepEqual(await statuses(execGateCheck, on(place, USUAL)), ["ok"]);
  assert.deepEqual(await statuses(execGateCheck, on(place, {})), ["ok"]);
  const [old] = await found(execGateCheck, on(place, { [ACTIONS]: "kill trap errno trace allow" }));
  assert.deepEqual([old!.status, old!.cure], ["warn", "uname -r"]);
  const closed = { ...USUAL, "/proc/sys/kernel/yama/ptrace_scope": "3\n" };
  assert.deepEqual(await statuses(execGateCheck, on(place, closed)), ["warn"]);
  place.configure({ more: '[run.sidecar_local_exec]\ngate = "off"\n' });
  const [off] = await found(execGateCheck, on(place, USUAL));
  assert.equal(off!.status, "warn");
  assert.match(off!.reason, /^off: /);
});

Deno.test("execGateCheck warns of shims, and fails where they may not do", async () => {
  const refused = "seccomp user notification is refused: error number 1";
  for (
    const [more, status] of [
      ["", "warn"],
      ['[run.sidecar_local_exec]\ngate = "auto"\n', "warn"],
      ['[run.sidecar_local_exec]\ngate = "required"\n', "fail"],
      ['[sidecar.local_exec]\ndefault_action = "deny"\n', "fail"],
      ['[sidecar.local_exec]\nallowed_executables = ["/usr/bin/*"]\n', "fail"],
    ] as const
  ) {
    using place = new Place();
    place.configure({ more });
    const [finding] = await found(execGateCheck, on(place, USUAL, refused));
    assert.equal(finding!.status, status, more);
    assert.ok(finding!.reason.includes(refused));
    assert.equal(finding!.reason.startsWith("shims: "), status === "warn");
    // The control: the same project where the kernel asks.
    assert.deepEqual(await statuses(execGateCheck, on(place, USUAL)), ["ok"]);
  }
});
