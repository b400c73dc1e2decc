import assert from "node:assert/strict";
import fc from "fast-check";
import { compileSeccomp } from "../../../src/sandbox/seccomp/compile.ts";
import { decideCall, type Verdict } from "../../../src/sandbox/seccomp/decide.ts";
import {
  type Condition,
  ERRORS,
  parseSeccompPolicy,
  type RefusalError,
  type SeccompPolicy,
} from "../../../src/sandbox/seccomp/policy.ts";
import {
  type Architecture,
  ARCHITECTURES,
  AUDIT_ARCHITECTURE,
  systemCallNumber,
} from "../../../src/sandbox/seccomp/syscalls.ts";
import { runFilter } from "./bpf_machine.ts";

const SOURCE = new URL("../../../packs/seccomp/agent.toml", import.meta.url);
const PARSED = parseSeccompPolicy(Deno.readTextFileSync(SOURCE), "agent.toml");
assert.ok(PARSED.ok);
const AGENT = PARSED.value;
const I386 = 0x40000003;
const HIGH = 1n << 32n;

/** Greatest number that is tried; well above the last call of any kernel. */
const LAST_NUMBER = 1023;

const CASES: Readonly<Record<string, [Verdict, string, ...bigint[]]>> = {
  "mount": ["EPERM", "mount"],
  "ptrace": ["EPERM", "ptrace"],
  "terminal input": ["EPERM", "ioctl", 0n, 0x5412n],
  "terminal input, high bits set": ["EPERM", "ioctl", 0n, 0x5412n | HIGH],
  "console selection": ["EPERM", "ioctl", 0n, 0x541cn],
  "window size": ["allow", "ioctl", 0n, 0x5413n],
  "new user namespace by clone": ["EPERM", "clone", 0x10000011n],
  "new user namespace by clone, high bits set": ["EPERM", "clone", 0x10000011n | HIGH],
  "fork": ["allow", "clone", 0x11n],
  "a thread": ["allow", "clone", 0x3d0f00n],
  "a child with another exit signal": ["allow", "clone", 0x80n],
  "new network namespace by unshare": ["EPERM", "unshare", 0x40000000n],
  "new time namespace by unshare": ["EPERM", "unshare", 0x80n],
  "own file table by unshare": ["allow", "unshare", 0x400n],
  "clone3, which hides its flags": ["ENOSYS", "clone3"],
  "openat2, which hides its mode": ["ENOSYS", "openat2"],
  "SIGKILL to the own group": ["EPERM", "kill", 0n, 9n],
  "SIGSTOP to the own group": ["EPERM", "kill", 0n, 19n],
  "SIGUSR1 to the own group, high bits set": ["EPERM", "kill", HIGH, 10n | HIGH],
  "SIGTERM to the own group": ["allow", "kill", 0n, 15n],
  "SIGTSTP to the own group": ["allow", "kill", 0n, 20n],
  "SIGKILL to a process": ["allow", "kill", 7n, 9n],
  "SIGKILL to another group": ["allow", "kill", 0xffff_fff9n, 9n],
  "a lower priority for the own group": ["EPERM", "setpriority", 1n, 0n],
  "a lower priority for a process": ["allow", "setpriority", 0n, 0n],
  "a lower priority of input and output for the own group": ["EPERM", "ioprio_set", 2n, 0n],
  "unix socket": ["allow", "socket", 1n, 1n],
  "IPv4 socket": ["allow", "socket", 2n, 1n],
  "IPv6 socket": ["allow", "socket", 10n, 2n],
  "routing socket": ["allow", "socket", 16n, 3n, 0n],
  "audit socket": ["EAFNOSUPPORT", "socket", 16n, 3n, 9n],
  "virtual machine socket": ["EAFNOSUPPORT", "socket", 40n, 1n],
  "virtual machine socket, high bits set": ["EAFNOSUPPORT", "socket", 40n | HIGH, 1n],
  "unix pair": ["allow", "socketpair", 1n, 1n],
  "TIPC pair": ["EAFNOSUPPORT", "socketpair", 30n, 1n],
  "set-user-ID by fchmod": ["EPERM", "fchmod", 3n, 0o4755n],
  "an ordinary mode by fchmod": ["allow", "fchmod", 3n, 0o2775n],
  "set-user-ID by fchmodat": ["EPERM", "fchmodat", 3n, 0n, 0o4755n],
  "set-user-ID by fchmodat2": ["EPERM", "fchmodat2", 3n, 0n, 0o4755n],
  "a new set-user-ID file": ["EPERM", "openat", 3n, 0n, 0x41n, 0o4755n],
  "a new set-user-ID file without a name": ["EPERM", "openat", 3n, 0n, 0x410001n, 0o4755n],
  "an old file, with rubbish for a mode": ["allow", "openat", 3n, 0n, 0n, 0o4755n],
  "a new file": ["allow", "openat", 3n, 0n, 0x41n, 0o666n],
  "a set-user-ID node": ["EPERM", "mknodat", 3n, 0n, 0o104755n],
};

for (const architecture of ARCHITECTURES) {
  const filter = compileSeccomp(AGENT, architecture);
  for (const [name, [expected, call, ...args]] of Object.entries(CASES)) {
    Deno.test(`compileSeccomp() on ${architecture} answers ${expected} to ${name}`, () => {
      const number = systemCallNumber(call, architecture)!;
      const data = { number, architecture: AUDIT_ARCHITECTURE[architecture], args };
      assert.equal(runFilter(filter, data), expected);
    });
  }

  Deno.test(`compileSeccomp() on ${architecture} agrees with the policy for every call`, () => {
    const values = interestingWords(AGENT);
    for (const audit of [...Object.values(AUDIT_ARCHITECTURE), I386]) {
      for (let number = -1; number <= LAST_NUMBER; number++) {
        const none = { number, architecture: audit, args: [] };
        agree(AGENT, architecture, filter, none);
      }
    }
    for (const name of new Set(AGENT.rules.flatMap(({ calls }) => calls))) {
      const number = systemCallNumber(name, architecture);
      if (number === undefined) continue;
      for (let argument = 0; argument < 4; argument++) {
        for (const value of values) {
          for (const other of [0n, 0x40n, 0xffff_ffff_ffff_ffffn]) {
            const args = new Array<bigint>(6).fill(other);
            args[argument] = value;
            const call = { number, architecture: AUDIT_ARCHITECTURE[architecture], args };
            agree(AGENT, architecture, filter, call);
          }
        }
      }
    }
  });

  Deno.test(`compileSeccomp() on ${architecture} agrees with any policy on any call`, () => {
    const calls = ["openat", "ioctl", "clone", "kill", "socket", "mount", "open", "futex"];
    const small = fc.nat(9);
    const condition: fc.Arbitrary<Condition> = fc.oneof(
      fc.record({ argument: fc.nat(5), equals: fc.array(small, { minLength: 1, maxLength: 5 }) }),
      fc.record({ argument: fc.nat(5), except: fc.array(small, { minLength: 1, maxLength: 5 }) }),
      fc.record({ argument: fc.nat(5), anyBits: fc.integer({ min: 1, max: 15 }) }),
    );
    const policy: fc.Arbitrary<SeccompPolicy> = fc.record({
      id: fc.constant("any"),
      version: fc.constant(1),
      rules: fc.array(
        fc.record({
          why: fc.constant("-"),
          calls: fc.uniqueArray(fc.constantFrom(...calls), { minLength: 1, maxLength: 3 }),
          when: fc.array(condition, { maxLength: 3 }),
          error: fc.constantFrom(...Object.keys(ERRORS) as RefusalError[]),
        }),
        { maxLength: 8 },
      ),
    });
    const word = fc.tuple(fc.nat(10), fc.boolean())
      .map(([value, high]) => BigInt(value) | (high ? HIGH : 0n));
    fc.assert(fc.property(
      policy,
      fc.constantFrom(...calls),
      fc.array(word, { minLength: 6, maxLength: 6 }),
      (policy, name, args) => {
        const number = systemCallNumber(name, architecture) ?? LAST_NUMBER;
        const call = { number, architecture: AUDIT_ARCHITECTURE[architecture], args };
        agree(policy, architecture, compileSeccomp(policy, architecture), call);
      },
    ));
  });

  Deno.test(`compileSeccomp() on ${architecture} fits what the kernel accepts`, () => {
    assert.equal(filter.length % 8, 0);
    assert.ok(filter.length / 8 < 4096);
  });
}

Deno.test("compileSeccomp() ends whoever calls by the x32 numbers", () => {
  const filter = compileSeccomp(AGENT, "x86_64");
  const call = { number: 0x40000000 | 41, architecture: AUDIT_ARCHITECTURE.x86_64, args: [] };
  assert.equal(runFilter(filter, call), "kill");
});

function agree(
  policy: SeccompPolicy,
  architecture: Architecture,
  filter: Uint8Array<ArrayBuffer>,
  call: Parameters<typeof decideCall>[2],
): void {
  const wanted = decideCall(policy, architecture, call);
  const got = runFilter(filter, call);
  // Without assert.equal's message, which would be built millions of times.
  if (got !== wanted) {
    assert.fail(
      `${JSON.stringify({ ...call, args: call.args.map(String) })}: ` +
        `the policy says ${wanted}, the filter ${got}`,
    );
  }
}

/** Every value that a rule names, those around it, and each with bits that the kernel ignores. */
function interestingWords(policy: SeccompPolicy): bigint[] {
  const named = policy.rules.flatMap(({ when }) =>
    when.flatMap(({ equals = [], except = [], anyBits = 0 }) => [
      ...equals,
      ...except,
      ...new Array(32).keys().filter((bit) => anyBits >>> bit & 1).map((bit) => 2 ** bit),
    ])
  );
  const around = new Set(
    [0, ...named].flatMap((value) => [value - 1, value, value + 1]).filter((value) => value >= 0),
  );
  return [...around].flatMap((value) => [BigInt(value), BigInt(value) | HIGH]);
}
