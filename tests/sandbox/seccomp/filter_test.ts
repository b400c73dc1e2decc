import assert from "node:assert/strict";
import fc from "fast-check";
import { agentFilter } from "../../../src/sandbox/seccomp/filter.ts";
import {
  type Architecture,
  type SystemCall,
  systemCallNumber,
} from "../../../src/sandbox/seccomp/syscalls.ts";

const AUDIT = { x86_64: 0xc000003e, aarch64: 0xc00000b7, i386: 0x40000003 };
const ALLOW = "allow";
const EPERM = "errno 1";
const KILL = "kill";

/** Runs a filter as the kernel does: classic BPF over `struct seccomp_data`. */
function answer(
  filter: Uint8Array<ArrayBuffer>,
  call: { number: number; architecture: number; args?: readonly bigint[] },
): string {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call.number, true);
  data.setUint32(4, call.architecture, true);
  (call.args ?? []).forEach((value, index) => data.setBigUint64(16 + 8 * index, value, true));
  const program = new DataView(filter.buffer);
  let accumulator = 0;
  for (let at = 0; at * 8 < filter.length; at++) {
    const code = program.getUint16(at * 8, true);
    const operand = program.getUint32(at * 8 + 4, true);
    const jump = (condition: boolean) => {
      at += program.getUint8(at * 8 + (condition ? 2 : 3));
    };
    if (code === 0x20) accumulator = data.getUint32(operand, true);
    else if (code === 0x15) jump(accumulator === operand);
    else if (code === 0x35) jump(accumulator >= operand);
    else if (code === 0x45) jump((accumulator & operand) !== 0);
    else if (code === 0x06) return actionName(operand);
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error("the filter has no end");
}

function actionName(action: number): string {
  if (action === 0x7fff0000) return ALLOW;
  if (action === 0x80000000) return KILL;
  return `errno ${action - 0x00050000}`;
}

function ask(name: SystemCall, architecture: Architecture, ...args: bigint[]): string {
  const number = systemCallNumber(name, architecture)!;
  return answer(agentFilter(architecture), { number, architecture: AUDIT[architecture], args });
}

const HIGH = 1n << 32n;
const CASES: Readonly<Record<string, [string, SystemCall, ...bigint[]]>> = {
  "mount": [EPERM, "mount"],
  "ptrace": [EPERM, "ptrace"],
  "terminal input": [EPERM, "ioctl", 0n, 0x5412n],
  "terminal input, high bits set": [EPERM, "ioctl", 0n, 0x5412n | HIGH],
  "console selection": [EPERM, "ioctl", 0n, 0x541cn],
  "window size": [ALLOW, "ioctl", 0n, 0x5413n],
  "new user namespace by clone": [EPERM, "clone", 0x10000011n],
  "new user namespace by clone, high bits set": [EPERM, "clone", 0x10000011n | HIGH],
  "fork": [ALLOW, "clone", 0x11n],
  "a thread": [ALLOW, "clone", 0x3d0f00n],
  "a child with another exit signal": [ALLOW, "clone", 0x80n],
  "new network namespace by unshare": [EPERM, "unshare", 0x40000000n],
  "new time namespace by unshare": [EPERM, "unshare", 0x80n],
  "own file table by unshare": [ALLOW, "unshare", 0x400n],
  "clone3, which hides its flags": ["errno 38", "clone3"],
  "SIGKILL to the own group": [EPERM, "kill", 0n, 9n],
  "SIGSTOP to the own group": [EPERM, "kill", 0n, 19n],
  "SIGUSR1 to the own group, high bits set": [EPERM, "kill", HIGH, 10n | HIGH],
  "SIGTERM to the own group": [ALLOW, "kill", 0n, 15n],
  "SIGTSTP to the own group": [ALLOW, "kill", 0n, 20n],
  "SIGKILL to a process": [ALLOW, "kill", 7n, 9n],
  "SIGKILL to another group": [ALLOW, "kill", 0xffff_fff9n, 9n],
  "unix socket": [ALLOW, "socket", 1n, 1n],
  "IPv4 socket": [ALLOW, "socket", 2n, 1n],
  "IPv6 socket": [ALLOW, "socket", 10n, 2n],
  "routing socket": [ALLOW, "socket", 16n, 3n, 0n],
  "audit socket": ["errno 97", "socket", 16n, 3n, 9n],
  "virtual machine socket": ["errno 97", "socket", 40n, 1n],
  "virtual machine socket, high bits set": ["errno 97", "socket", 40n | HIGH, 1n],
  "unix pair": [ALLOW, "socketpair", 1n, 1n],
  "TIPC pair": ["errno 97", "socketpair", 30n, 1n],
};

for (const architecture of ["x86_64", "aarch64"] as const) {
  for (const [name, [expected, call, ...args]] of Object.entries(CASES)) {
    Deno.test(`agentFilter() on ${architecture} answers ${expected} to ${name}`, () => {
      assert.equal(ask(call, architecture, ...args), expected);
    });
  }

  Deno.test(`agentFilter() on ${architecture} kills whoever calls by another architecture`, () => {
    const filter = agentFilter(architecture);
    for (const [name, value] of Object.entries(AUDIT)) {
      const expected = name === architecture ? ALLOW : KILL;
      assert.equal(answer(filter, { number: 0, architecture: value }), expected);
    }
  });

  Deno.test(`agentFilter() on ${architecture} has an answer to every call`, () => {
    const filter = agentFilter(architecture);
    fc.assert(
      fc.property(fc.nat(600), fc.array(fc.bigInt(0n, (1n << 64n) - 1n)), (number, args) => {
        answer(filter, { number, architecture: AUDIT[architecture], args: args.slice(0, 6) });
      }),
    );
  });

  Deno.test(`agentFilter() on ${architecture} fits what the kernel accepts`, () => {
    const { length } = agentFilter(architecture);
    assert.equal(length % 8, 0);
    assert.ok(length / 8 < 4096);
  });
}

Deno.test("agentFilter() kills whoever calls by the x32 numbers", () => {
  const call = { number: 0x40000000 | 41, architecture: AUDIT.x86_64 };
  assert.equal(answer(agentFilter("x86_64"), call), KILL);
});
