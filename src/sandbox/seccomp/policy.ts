import { parse } from "smol-toml";
import * as v from "valibot";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { isSystemCall } from "./syscalls.ts";

/** What a refused call fails with; numbers of asm-generic/errno.h. */
export const ERRORS = { EPERM: 1, EACCES: 13, ENOSYS: 38, EAFNOSUPPORT: 97 } as const;

/** The name of an error that a rule may answer. */
export type RefusalError = keyof typeof ERRORS;

/** What must hold of the low 32 bits of an argument. Exactly one of the three is given. */
export interface Condition {
  /** 0 to 5. */
  readonly argument: number;
  /** It is one of these. */
  readonly equals?: readonly number[] | undefined;
  /** It is none of these. */
  readonly except?: readonly number[] | undefined;
  /** It has any bit of this mask. */
  readonly anyBits?: number | undefined;
}

/** Refuses calls whose arguments fulfil all conditions. */
export interface Rule {
  readonly why: string;
  readonly calls: readonly string[];
  readonly when: readonly Condition[];
  readonly error: RefusalError;
}

/** What the kernel refuses; whatever no rule refuses is allowed. */
export interface SeccompPolicy {
  readonly id: string;
  readonly version: number;
  readonly rules: readonly Rule[];
}

const word = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff_ffff));
const words = v.pipe(v.array(word), v.minLength(1), v.maxLength(64));

const conditionSchema = v.pipe(
  v.strictObject({
    argument: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(5)),
    equals: v.optional(words),
    except: v.optional(words),
    any_bits: v.optional(v.pipe(word, v.minValue(1))),
  }),
  v.check(
    ({ equals, except, any_bits }) =>
      [equals, except, any_bits].filter((given) => given !== undefined).length === 1,
    "a condition needs exactly one of equals, except and any_bits",
  ),
  v.transform(({ any_bits, ...rest }): Condition => ({ ...rest, anyBits: any_bits })),
);

const policySchema = v.strictObject({
  id: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]*$/)),
  version: v.pipe(v.number(), v.integer(), v.minValue(1)),
  rules: v.array(v.strictObject({
    why: v.pipe(v.string(), v.nonEmpty()),
    calls: v.pipe(
      v.array(v.pipe(v.string(), v.check(isSystemCall, "no such system call"))),
      v.minLength(1),
    ),
    when: v.optional(v.array(conditionSchema), () => []),
    error: v.picklist(Object.keys(ERRORS) as RefusalError[]),
  })),
});

/** Reads a policy from TOML; `file` is named in what is wrong with it. */
export function parseSeccompPolicy(text: string, file: string): Result<SeccompPolicy> {
  const fail = (state: string): { ok: false; error: FirmaError } =>
    err({
      code: "SECCOMP_POLICY_INVALID",
      message: `Cannot parse "${file}": ${state}`,
      at: { file },
    });
  let document: unknown;
  try {
    document = parse(text);
  } catch (cause) {
    return fail(cause instanceof Error ? cause.message.split("\n")[0]! : String(cause));
  }
  const checked = v.safeParse(policySchema, document);
  if (checked.success) return ok(checked.output);
  const issue = checked.issues[0];
  return fail(`${v.getDotPath(issue) ?? "document"}: ${issue.message}`);
}
