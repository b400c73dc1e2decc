import assert from "node:assert/strict";
import fc from "fast-check";
import { systemCalls } from "../../../src/config/system_calls.ts";
import {
  addedFilter,
  addedPolicy,
  type AddedRefusals,
  describeRefusals,
} from "../../../src/sandbox/seccomp/added.ts";
import { ARTIFACTS, loadFilter } from "../../../src/sandbox/seccomp/artifact.ts";
import { NEEDED_CALLS } from "../../../src/config/keys/run_seccomp.ts";
import {
  type Architecture,
  ARCHITECTURES,
  AUDIT_ARCHITECTURE,
  systemCallNumber,
} from "../../../src/sandbox/seccomp/syscalls.ts";
import { runFilter } from "./bpf_machine.ts";

const I386 = 0x40000003;

async function compiled(
  refusals: AddedRefusals,
  architecture: Architecture,
): Promise<Uint8Array<ArrayBuffer>> {
  const filter = await addedFilter(refusals, architecture);
  assert.ok(filter.ok);
  return await loadFilter(filter.value);
}

function policy(rules: string): AddedRefusals {
  const text = `id = "mine"\nversion = 3\n${rules}`;
  return { deny: [], policy: { file: "mine.toml", text } };
}

for (const architecture of ARCHITECTURES) {
  const audit = AUDIT_ARCHITECTURE[architecture];
  const call = (name: string, ...args: bigint[]) => ({
    number: systemCallNumber(name, architecture)!,
    architecture: audit,
    args,
  });

  Deno.test(`addedFilter() on ${architecture} refuses what is listed and nothing else`, async () => {
    const filter = await compiled({ deny: ["memfd_create", "mknodat"] }, architecture);
    assert.equal(runFilter(filter, call("memfd_create")), "EPERM");
    assert.equal(runFilter(filter, call("mknodat")), "EPERM");
    assert.equal(runFilter(filter, call("getpid")), "allow");
  });

  Deno.test(`addedFilter() on ${architecture} refuses by the arguments that a file names`, async () => {
    const rules = `[[rules]]\nwhy = "no raw disks"\ncalls = ["socket"]\nerror = "EACCES"\n` +
      `when = [{ argument = 0, equals = [2, 10] }]\n`;
    const filter = await compiled(policy(rules), architecture);
    assert.equal(runFilter(filter, call("socket", 2n)), "EACCES");
    assert.equal(runFilter(filter, call("socket", 1n)), "allow");
  });

  Deno.test(`addedFilter() on ${architecture} ends calls by other numbers, whatever it lists`, async () => {
    for (const deny of [[], ["mknodat"]]) {
      const filter = await compiled({ deny }, architecture);
      assert.equal(runFilter(filter, { number: 20, architecture: I386, args: [] }), "kill");
      const other = architecture === "x86_64"
        ? AUDIT_ARCHITECTURE.aarch64
        : AUDIT_ARCHITECTURE.x86_64;
      assert.equal(runFilter(filter, { number: 20, architecture: other, args: [] }), "kill");
    }
    const filter = await compiled({ deny: [] }, "x86_64");
    const x32 = { number: 0x40000000 | 41, architecture: AUDIT_ARCHITECTURE.x86_64, args: [] };
    assert.equal(runFilter(filter, x32), "kill");
  });

  Deno.test(`addedFilter() on ${architecture} loosens nothing that every agent is refused`, async () => {
    const builtIn = await loadFilter(ARTIFACTS.filters[architecture]);
    const names = [...systemCalls().keys()].filter((name) => !NEEDED_CALLS.has(name));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.constantFrom(...names), { maxLength: 20 }),
        fc.array(fc.bigInt({ min: 0n, max: 0xffffn }), { minLength: 6, maxLength: 6 }),
        async (deny, args) => {
          const added = await compiled({ deny }, architecture);
          for (const name of [...deny, "mount", "clone3", "ioctl", "kill"]) {
            const number = systemCallNumber(name, architecture);
            if (number === undefined) continue;
            const made = { number, architecture: audit, args };
            // The kernel asks both, and does what the stricter one answers.
            const before = runFilter(builtIn, made);
            const both = before === "allow" ? runFilter(added, made) : before;
            if (deny.includes(name)) assert.notEqual(both, "allow");
            else assert.equal(both, before);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
}

Deno.test("addedFilter() gives a name that only the other machine has no number here", async () => {
  const there = [...systemCalls().keys()].filter((name) =>
    systemCallNumber(name, "aarch64") === undefined && !NEEDED_CALLS.has(name)
  );
  assert.ok(there.includes("open") && there.includes("fork"));
  const architecture = AUDIT_ARCHITECTURE.aarch64;
  const filter = await compiled({ deny: there }, "aarch64");
  for (let number = 0; number < 600; number++) {
    assert.equal(runFilter(filter, { number, architecture, args: [] }), "allow");
  }
  const parsed = addedPolicy({ deny: there });
  assert.ok(parsed.ok);
  for (const { why } of describeRefusals(parsed.value, "aarch64")) {
    assert.match(why, /this machine has no such call/);
  }
  for (const { why } of describeRefusals(parsed.value, "x86_64")) {
    assert.doesNotMatch(why, /no such call/);
  }
});

Deno.test("addedFilter() refuses a policy that is more than the kernel takes", async () => {
  const values = Array.from({ length: 60 }, (_, index) => index).join(", ");
  const rule = `[[rules]]\nwhy = "w"\ncalls = ["kill"]\nerror = "EPERM"\n` +
    `when = [{ argument = 1, equals = [${values}] }]\n`;
  const within = await addedFilter(policy(rule.repeat(3)), "x86_64");
  assert.ok(within.ok);
  const beyond = await addedFilter(policy(rule.repeat(5)), "x86_64");
  assert.ok(!beyond.ok);
  assert.match(beyond.error[0]!.message, /^Cannot compile "mine\.toml": it is more than/);
});

Deno.test("addedFilter() is a program with its digest, which another program does not have", async () => {
  const filter = await addedFilter({ deny: ["mknodat"] }, "x86_64");
  assert.ok(filter.ok);
  const other = await addedFilter({ deny: ["mknod"] }, "x86_64");
  assert.ok(other.ok);
  await assert.rejects(loadFilter({ ...filter.value, program: other.value.program }), /damaged/);
});
