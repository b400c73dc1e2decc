/** What an operator refuses beyond the built-in policy, in a sandbox that runs. */
import assert from "node:assert/strict";
import { addedFilter } from "../../src/sandbox/seccomp/added.ts";
import type { Artifact } from "../../src/sandbox/seccomp/artifact.ts";
import { sealProgram } from "../../src/sandbox/seccomp/build.ts";
import { compileSeccomp } from "../../src/sandbox/seccomp/compile.ts";
import { IDENTITIES, World } from "./support/world.ts";

const SCRIPT = `
import ctypes, errno, os
def tried(function):
    try:
        function()
        return "ok"
    except OSError as error:
        return errno.errorcode[error.errno]
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(ctypes.c_long(number), *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")
def kill_x32():
    if os.uname().machine != "x86_64":
        return "killed by 31"
    pid = os.fork()
    if pid == 0:
        libc.syscall(ctypes.c_long(0x40000000 | 39))
        os._exit(0)
    return "killed by %d" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]).__neg__()
print(tried(lambda: os.close(os.memfd_create("x"))))
print(tried(lambda: os.mkfifo("fifo")))
print(tried(lambda: call(435, None, 0)))
print(kill_x32())
`;

async function filterOf(deny: readonly string[]): Promise<Artifact> {
  const filter = await addedFilter({ deny }, Deno.build.arch);
  assert.ok(filter.ok);
  return filter.value;
}

/** As an operator's file could say it if nobody looked. */
function unchecked(call: string): Promise<Artifact> {
  const rule = { why: "-", calls: [call], when: [], error: "EPERM" } as const;
  return sealProgram(compileSeccomp({ id: "x", version: 1, rules: [rule] }, Deno.build.arch));
}

for (const identity of IDENTITIES) {
  Deno.test(`confine() refuses what the operator of ${identity.name} adds`, async (t) => {
    using world = new World(identity);
    const command = ["/usr/bin/python3", "-c", SCRIPT] as const;

    await t.step("and without it, that is not refused", async () => {
      const { stdout } = await world.run(command);
      assert.equal(stdout, "ok\nok\nENOSYS\nkilled by 31\n");
    });
    await t.step("and loosens or changes nothing that is built in", async () => {
      const deny = ["memfd_create", "mknod", "mknodat", "clone3"];
      const { stdout, stderr } = await world.run(command, { addedFilter: await filterOf(deny) });
      // The C library goes on without clone3 only where that is said not to exist.
      assert.equal(stdout, "EPERM\nEPERM\nENOSYS\nkilled by 31\n", stderr);
    });
    await t.step("and starts nothing under half of a filter", async () => {
      const [good, other] = await Promise.all([filterOf(["mknodat"]), filterOf(["mknod"])]);
      const damaged = { ...good, program: other.program };
      const { code, stdout, stderr } = await world.run(["echo", "ran"], { addedFilter: damaged });
      assert.deepEqual([code, stdout], [111, ""]);
      assert.match(stderr, /filter is damaged/);
    });
    for (const call of ["prctl", "execve", "wait4"]) {
      await t.step(`and starts nothing, or ends with it, when ${call} slips through`, async () => {
        const { code } = await world.run(["sh", "-c", "sleep 0.1; exit 0"], {
          addedFilter: await unchecked(call),
        });
        assert.notEqual(code, 0);
      });
    }
  });
}
