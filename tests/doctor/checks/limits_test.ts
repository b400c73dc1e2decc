import assert from "node:assert/strict";
import { limitsCheck } from "../../../src/doctor/checks/limits.ts";
import { type LimitMachine, planLimits } from "../../../src/sandbox/limits/plan.ts";
import { Place } from "../support.ts";

const LIMITS = { processes: 4096, memoryBytes: 2 ** 40, cpus: 1 };

Deno.test("limitsCheck() says what holds an agent, and warns where nothing holds processes", async () => {
  using place = new Place();
  const cases: readonly [LimitMachine, status: string, reason: RegExp][] = [
    [{ controllers: ["pids", "memory", "cpu"], uid: 0, kernel: [5, 10] }, "ok", /cgroups/],
    [{ controllers: [], uid: 1000, kernel: [6, 1] }, "ok", /inherit/],
    [{ controllers: [], uid: 0, kernel: [6, 1] }, "warn", /nothing keeps/],
  ];
  for (const [machine, status, reason] of cases) {
    const world = place.world({ limits: () => planLimits(LIMITS, machine).held });
    const [found] = await limitsCheck.run(world);
    assert.equal(found?.status, status);
    assert.match(found!.reason, reason);
    assert.match(found!.detail ?? "", /^processes: .+\nmemory: .+\ncpus: .+$/);
  }
});
