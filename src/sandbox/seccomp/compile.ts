import {
  answer,
  encode,
  type Instruction,
  load,
  skipWhenEqual,
  unlessEqual,
  whenAnyBit,
  whenAtLeast,
  whenEqual,
} from "./bpf.ts";
import { type Condition, ERRORS, type Rule, type SeccompPolicy } from "./policy.ts";
import { type Architecture, AUDIT_ARCHITECTURE, systemCallNumber, X32_BIT } from "./syscalls.ts";

// Offsets in struct seccomp_data; both machines are little-endian, so the low half comes first.
const NUMBER = 0;
const ARCHITECTURE = 4;
const lowHalfOfArgument = (index: number) => 16 + 8 * index;

const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const refuseWith = (error: keyof typeof ERRORS) => answer(0x00050000 | ERRORS[error]);

/**
 * Compiles a policy for one machine into the bytes that the kernel takes.
 *
 * @throws {RangeError} when the rules of one call are too many for the jumps of classic BPF.
 */
export function compileSeccomp(
  policy: SeccompPolicy,
  architecture: Architecture,
): Uint8Array<ArrayBuffer> {
  const program = [
    load(ARCHITECTURE),
    // The numbers of another architecture mean other calls.
    ...unlessEqual(AUDIT_ARCHITECTURE[architecture], [answer(KILL_PROCESS)]),
    load(NUMBER),
  ];
  if (architecture === "x86_64") program.push(...whenAtLeast(X32_BIT, [answer(KILL_PROCESS)]));
  for (const [number, rules] of rulesByCall(policy, architecture)) {
    program.push(...whenEqual(number, rulesOfCall(rules)));
  }
  program.push(answer(ALLOW));
  return encode(program);
}

/** In the order of the policy, so that calls which programs make often can stand first there. */
function rulesByCall(policy: SeccompPolicy, architecture: Architecture): Map<number, Rule[]> {
  const byCall = new Map<number, Rule[]>();
  for (const rule of policy.rules) {
    for (const name of rule.calls) {
      const number = systemCallNumber(name, architecture);
      if (number === undefined) continue;
      byCall.set(number, [...byCall.get(number) ?? [], rule]);
    }
  }
  return byCall;
}

/** Ends in an answer on every way through. */
function rulesOfCall(rules: readonly Rule[]): Instruction[] {
  const first = rules.findIndex(({ when }) => when.length === 0);
  const reached = first < 0 ? rules : rules.slice(0, first + 1);
  const body = reached.flatMap(({ when, error }) => conditions(when, [refuseWith(error)]));
  return first < 0 ? [...body, answer(ALLOW)] : body;
}

/** `then` where all conditions hold; otherwise it is jumped over. */
function conditions(
  [first, ...rest]: readonly Condition[],
  then: readonly Instruction[],
): readonly Instruction[] {
  if (first === undefined) return then;
  const inner = conditions(rest, then);
  const { argument, equals, except, anyBits } = first;
  const look = load(lowHalfOfArgument(argument));
  if (equals !== undefined) {
    // A value that matches jumps over the tests of those that are left.
    const others = equals.slice(0, -1).map((value, index) =>
      skipWhenEqual(value, equals.length - 1 - index)
    );
    return [look, ...others, ...whenEqual(equals.at(-1)!, inner)];
  }
  if (except !== undefined) {
    const tests = except.map((value, index) =>
      skipWhenEqual(value, except.length - 1 - index + inner.length)
    );
    return [look, ...tests, ...inner];
  }
  return [look, ...whenAnyBit(anyBits!, inner)];
}
