import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { unwrap } from "../../../src/core/result.ts";
import { holdLimits, USUAL_LIMITS } from "../../../src/sandbox/limits/hold.ts";
import { IDENTITIES, World } from "../support/world.ts";

const BOMB = fileURLToPath(new URL("../support/fork_bomb.py", import.meta.url));
const PROCESSES = 60;
const OWN = 64 + 300; // firma's own; numbers that may not be given out again

/** Whether anything on this machine can hold whoever runs the tests. */
function isHeld(): boolean {
  const { plan, cgroup } = unwrap(holdLimits(USUAL_LIMITS, `test-${Deno.pid}`));
  void cgroup?.remove();
  return plan.held[0]?.means !== "nothing";
}

for (const identity of IDENTITIES) {
  Deno.test(`confine() keeps a fork bomb of ${identity.name} within its limit, and answers calls`, async () => {
    if (identity.uid === Deno.uid() && !isHeld()) return; // an old kernel, and no cgroup
    using world = new World(identity);
    const bomb = join(world.project, "bomb.py");
    Deno.copyFileSync(BOMB, bomb);
    world.own();
    const { code, stdout, stderr } = await world.run(
      ["/usr/bin/python3", bomb, String(PROCESSES + OWN + 100)],
      { limits: { processes: PROCESSES } },
    );
    assert.equal(code, 0, stderr);
    const { started, refused, answer } = JSON.parse(stdout);
    assert.equal(answer, "HTTP/1.1 200 OK");
    assert.equal(refused, "EAGAIN");
    assert.ok(started >= PROCESSES && started <= PROCESSES + OWN, String(started));
  });

  Deno.test(`confine() holds each process of ${identity.name} to its limits`, async () => {
    using world = new World(identity);
    world.own();
    const limits = { memoryBytes: 200 * 2 ** 20, cpuTimeMs: 60_000, openFiles: 100 };
    const eat = "try:\n  data = b'x' * (400 << 20)\nexcept MemoryError:\n  print('no more')\n";
    const { stdout, stderr } = await world.run(
      ["/bin/sh", "-c", `cat /proc/self/limits; ulimit -n 200; python3 -c "${eat}"`],
      { limits },
    );
    assert.match(stdout, /^Max cpu time +60 +65 /m, stderr);
    assert.match(stdout, /^Max open files +100 +100 /m);
    assert.match(stderr, /ulimit|setlimit/, "it cannot be raised again");
    assert.ok(/^no more$/m.test(stdout) || /ended 1 process/.test(stderr), stdout + stderr);
  });
}
