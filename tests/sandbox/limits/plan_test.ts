import assert from "node:assert/strict";
import {
  kernelVersion,
  type LimitMachine,
  planLimits,
  wantedControllers,
} from "../../../src/sandbox/limits/plan.ts";
import { describeLimits } from "../../../src/sandbox/limits/say.ts";

const USER: LimitMachine = { controllers: [], uid: 1000, kernel: [6, 1] };

Deno.test("planLimits() holds everything that a cgroup can hold by a cgroup", () => {
  const limits = { processes: 100, memoryBytes: 2 ** 30, cpus: 1.5 };
  const controllers = wantedControllers(limits);
  assert.deepEqual(controllers, ["pids", "memory", "cpu"]);
  const plan = planLimits(limits, { ...USER, controllers });
  assert.deepEqual(plan.held.map(({ means }) => means), ["cgroup", "cgroup", "cgroup"]);
  assert.deepEqual(plan.cgroup, {
    "pids.max": "164", // with firma's own
    "memory.max": "1073741824",
    "memory.swap.max": "0",
    "cpu.max": "150000 100000",
  });
  assert.deepEqual(plan.rlimits, {});
  assert.equal(plan.numbers, undefined);
});

Deno.test("planLimits() says what holds the number of processes without a cgroup", () => {
  const cases: readonly [what: string, machine: Partial<LimitMachine>, means: string][] = [
    ["an ordinary user", {}, "rlimit"],
    ["since the kernel counts each namespace by itself", { kernel: [5, 14] }, "rlimit"],
    ["an old kernel, which counts the user's other programs", { kernel: [5, 13] }, "nothing"],
    ["root, whom no kernel counts", { uid: 0 }, "nothing"],
    ["root, in a namespace with numbers of its own", { uid: 0, kernel: [6, 14] }, "numbers"],
    ["root of a later kernel", { uid: 0, kernel: [7, 0] }, "numbers"],
    ["a cgroup without that controller", { controllers: ["memory"] }, "rlimit"],
  ];
  for (const [what, machine, means] of cases) {
    const plan = planLimits({ processes: 100 }, { ...USER, ...machine });
    assert.deepEqual(plan.held, [{ name: "processes", value: 100, means }], what);
    assert.equal(plan.rlimits.processes, means === "rlimit" ? 164 : undefined, what);
    assert.equal(plan.numbers, means === "numbers" ? 464 : undefined, what);
  }
});

Deno.test("planLimits() leaves to each process what only a process can be held to", () => {
  const plan = planLimits({ memoryBytes: 1000, cpuTimeMs: 1500, openFiles: 64, cpus: 1 }, USER);
  assert.deepEqual(plan.rlimits, { dataBytes: 1000, cpuSeconds: 2, openFiles: 64 });
  assert.deepEqual(
    describeLimits(plan.held).map(({ limit, value, held_by }) => `${limit} ${value} ${held_by}`),
    [
      "memory 1000 B a resource limit (rlimit) of each process by itself",
      "cpus 1 nothing: it takes a cgroup here, and none can be made",
      "cpu_time 1.5 s resource limits (rlimits), which each process inherits",
      "open_files 64 resource limits (rlimits), which each process inherits",
    ],
  );
});

Deno.test("kernelVersion() reads what distributions call their kernels", () => {
  assert.deepEqual(kernelVersion("6.1.0-18-amd64"), [6, 1]);
  assert.deepEqual(kernelVersion("5.15.167.4-microsoft-standard-WSL2"), [5, 15]);
  assert.deepEqual(kernelVersion("odd"), [0, 0]);
});
