import assert from "node:assert/strict";
import { dirname } from "node:path";
import { Cgroup, type CgroupFiles } from "../../../src/sandbox/limits/cgroup.ts";
import { cgroupPlace } from "../../../src/sandbox/limits/own_cgroup.ts";

const MOUNTS = `22 28 0:21 / /proc rw - proc proc rw
35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate
`;
const USER = "/user.slice/user-1000.slice/user@1000.service/app.slice";

Deno.test("cgroupPlace() is beside the own cgroup, whatever is mounted", () => {
  const cases: Readonly<Record<string, readonly [string, string, string | undefined]>> = {
    "a terminal of a desktop": [
      `0::${USER}/app-terminal.scope\n`,
      MOUNTS,
      `/sys/fs/cgroup${USER}`,
    ],
    "the root": ["0::/\n", MOUNTS, "/sys/fs/cgroup"],
    "version 1 beside version 2": [
      "8:pids:/\n0::/init.scope\n",
      MOUNTS.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified"),
      "/sys/fs/cgroup/unified",
    ],
    "version 1 alone": ["8:pids:/\n4:memory:/a\n", MOUNTS, undefined],
    "a part of the hierarchy": [
      "0::/machine/box/agent\n",
      MOUNTS.replace(" / /sys/fs/cgroup", " /machine/box /cg"),
      "/cg",
    ],
    "another part of the hierarchy": [
      "0::/machine/other/agent\n",
      MOUNTS.replace(" / /sys/fs/cgroup", " /machine/box /cg"),
      undefined,
    ],
    "nothing mounted": ["0::/a\n", "", undefined],
  };
  for (const [name, [cgroup, mountinfo, parent]] of Object.entries(cases)) {
    assert.equal(cgroupPlace(cgroup, mountinfo)?.parent, parent, name);
  }
});

/** A hierarchy with the rules of the kernel's: what is handed down is there in children. */
class Kernel implements CgroupFiles {
  readonly groups = new Map<string, { down: Set<string>; files: Map<string, string> }>();
  readonly locked = new Set<string>();
  readonly busy = new Set<string>();
  ages = 0;

  constructor(parent: string, readonly offered: readonly string[], handedDown: readonly string[]) {
    this.groups.set(parent, { down: new Set(handedDown), files: new Map() });
  }

  mkdir(path: string): void {
    if (this.locked.has(dirname(path))) throw new Deno.errors.PermissionDenied();
    if (this.groups.has(path)) throw new Deno.errors.AlreadyExists();
    this.groups.set(path, { down: new Set(), files: new Map() });
  }

  read(path: string): string {
    const name = path.split("/").at(-1)!;
    const group = this.groups.get(dirname(path))!;
    if (name !== "cgroup.controllers") return group.files.get(name) ?? "";
    return [...this.groups.get(dirname(dirname(path)))!.down].join(" ") + "\n";
  }

  write(path: string, text: string): void {
    const [group, name] = [this.groups.get(dirname(path))!, path.split("/").at(-1)!];
    if (this.locked.has(path)) throw new Deno.errors.PermissionDenied();
    if (name !== "cgroup.subtree_control") return void group.files.set(name, text);
    if (!this.offered.includes(text.slice(1))) throw new Deno.errors.NotFound();
    group.down.add(text.slice(1));
  }

  rmdir(path: string): void {
    if (this.busy.has(path)) throw new Deno.errors.Busy();
    if (!this.groups.delete(path)) throw new Deno.errors.NotFound();
  }

  list(path: string): string[] {
    return [...this.groups.keys()].filter((each) => dirname(each) === path)
      .map((each) => each.slice(path.length + 1));
  }

  age(): number {
    return this.ages;
  }
}

Deno.test("Cgroup.make() asks for the controllers that are missing, and takes what it gets", () => {
  const kernel = new Kernel("/cg", ["pids", "memory"], ["pids"]);
  const cgroup = Cgroup.make("/cg", "sbx_1", ["pids", "memory", "cpu"], kernel);
  assert.deepEqual(cgroup?.controllers, ["pids", "memory"]);
  assert.equal(cgroup?.procs, "/cg/firma-sbx_1/cgroup.procs");
  cgroup?.set({ "pids.max": "10" });
  assert.equal(kernel.groups.get("/cg/firma-sbx_1")?.files.get("pids.max"), "10");
});

Deno.test("Cgroup.make() leaves nothing behind where it may not have one", () => {
  const refusing: Readonly<Record<string, (kernel: Kernel) => void>> = {
    "another's directory": (kernel) => kernel.locked.add("/cg"),
    "processes that may not be moved": (kernel) => kernel.locked.add("/cg/cgroup.procs"),
    "no controllers": (kernel) => kernel.groups.get("/cg")!.down.clear(),
  };
  for (const [name, refuse] of Object.entries(refusing)) {
    const kernel = new Kernel("/cg", [], ["pids"]);
    refuse(kernel);
    assert.equal(Cgroup.make("/cg", "sbx_1", ["pids"], kernel), undefined, name);
    assert.deepEqual(kernel.list("/cg"), [], name);
  }
});

Deno.test("Cgroup.findings() counts what the kernel ended and refused", async () => {
  const kernel = new Kernel("/cg", [], ["pids", "memory"]);
  const cgroup = Cgroup.make("/cg", "sbx_1", ["pids", "memory"], kernel)!;
  assert.deepEqual(cgroup.findings(), { killed: 0, refused: 0 });
  kernel.write(`${cgroup.path}/memory.events`, "low 0\noom 4\noom_kill 3\noom_group_kill 0\n");
  kernel.write(`${cgroup.path}/pids.events`, "max 17\n");
  assert.deepEqual(cgroup.findings(), { killed: 3, refused: 17 });
  await cgroup.remove();
  assert.deepEqual(kernel.list("/cg"), []);
});

Deno.test("Cgroup.removeAbandoned() removes what killed runs left, and nothing else", () => {
  const kernel = new Kernel("/cg", [], ["pids"]);
  for (const name of ["firma-sbx_old", "firma-sbx_used", "app.scope"]) kernel.mkdir(`/cg/${name}`);
  kernel.busy.add("/cg/firma-sbx_used");
  Cgroup.removeAbandoned("/cg", kernel);
  assert.equal(kernel.list("/cg").length, 3, "they are young: somebody is about to join them");
  kernel.ages = 3_600_000;
  Cgroup.removeAbandoned("/cg", kernel);
  assert.deepEqual(kernel.list("/cg"), ["firma-sbx_used", "app.scope"]);
});
