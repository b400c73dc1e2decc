import {
  NEEDED_BY_LAYER,
  NEEDED_CALLS,
  neededFault,
  SYSTEM_CALL,
} from "../../config/keys/run_seccomp.ts";
import { key, section } from "../../config/key.ts";
import { fault, listOf, type Reader } from "../../config/reader.ts";
import { parseToml } from "../../config/toml.ts";
import { list, NOT_EMPTY, oneOf, text, type ValueType } from "../../config/value_type.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";

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

const MOST_VALUES = 64;

function integer(least: number, most: number): ValueType<number> {
  return {
    name: "integer",
    schema: { type: "integer", minimum: least, maximum: most },
    read(value, path, context) {
      if (Number.isInteger(value) && value as number >= least && value as number <= most) {
        return value as number;
      }
      fault(context, path, `it is not a whole number from ${least} to ${most}`);
      return least;
    },
  };
}

const WORD = integer(0, 0xffff_ffff);

const CONDITION = section("What must hold of an argument", {
  argument: key(integer(0, 5), { about: "Which one", required: true, applies: "next run" }),
  equals: key(list(WORD), { about: "One of these", otherwise: "any", applies: "next run" }),
  except: key(list(WORD), { about: "None of these", otherwise: "any", applies: "next run" }),
  any_bits: key(integer(1, 0xffff_ffff), {
    about: "A bit of this mask",
    otherwise: "any",
    applies: "next run",
  }),
});

const readCondition: Reader<Condition> = (value, path, context) => {
  const before = context.errors.length;
  const { any_bits: anyBits, equals, except, argument } = CONDITION.read(value, path, context);
  if (context.errors.length > before) return { argument: 0 };
  if ([equals, except, anyBits].filter((given) => given !== undefined).length !== 1) {
    fault(context, path, "a condition needs exactly one of equals, except and any_bits");
  }
  for (const [name, values] of [["equals", equals], ["except", except]] as const) {
    if (values === undefined || values.length > 0 && values.length <= MOST_VALUES) continue;
    fault(context, [...path, name], `it has ${values.length} values, not 1 to ${MOST_VALUES}`);
  }
  return {
    argument,
    ...(equals && { equals }),
    ...(except && { except }),
    ...(anyBits !== undefined && { anyBits }),
  };
};

const RULE = section("What is refused", {
  why: key(NOT_EMPTY, { about: "For whoever reads it", required: true, applies: "next run" }),
  calls: key(list(SYSTEM_CALL), { about: "Calls", required: true, applies: "next run" }),
  when: key(
    { name: "list of conditions", schema: {}, read: listOf(readCondition) },
    { about: "All of these hold", default: [], applies: "next run" },
  ),
  error: key(oneOf(Object.keys(ERRORS) as [RefusalError, ...RefusalError[]]), {
    about: "What the call fails with",
    required: true,
    applies: "next run",
  }),
});

const readRule: Reader<Rule> = (value, path, context) => {
  const before = context.errors.length;
  const rule = RULE.read(value, path, context);
  if (context.errors.length > before) return rule;
  if (rule.calls.length === 0) fault(context, [...path, "calls"], "it is empty");
  // What is refused by arguments may leave those of every program alone.
  const needed = rule.when.length === 0 ? NEEDED_CALLS : NEEDED_BY_LAYER;
  rule.calls.forEach((call, index) => {
    if (!needed.has(call)) return;
    const { state, cure } = neededFault(call);
    fault(context, [...path, "calls", index], state, cure);
  });
  return rule;
};

const POLICY = section("What the kernel refuses", {
  id: key(
    text<string>("name", {}, (value) =>
      /^[a-z][a-z0-9-]*$/.test(value) ? { value } : {
        state: `"${value}" is not one word in lower case`,
      }),
    { about: "Its name", required: true, applies: "next run" },
  ),
  version: key(integer(1, 0x7fff_ffff), {
    about: "Counts up with each change",
    required: true,
    applies: "next run",
  }),
  rules: key(
    { name: "list of rules", schema: {}, read: listOf(readRule) },
    { about: "In order", required: true, applies: "next run" },
  ),
});

/** Reads a policy from TOML; `file` is named in what is wrong with it, with the line. */
export function parseSeccompPolicy(
  source: string,
  file: string,
): Result<SeccompPolicy, readonly FirmaError[]> {
  const document = parseToml(source, file);
  if (!document.ok) return err([{ ...document.error, code: "SECCOMP_POLICY_INVALID" }]);
  const errors: FirmaError[] = [];
  const policy = POLICY.read(document.value.root, [], {
    document: document.value,
    directory: "/",
    errors,
  });
  if (errors.length === 0) return ok(policy);
  return err(errors.map((error) => ({ ...error, code: "SECCOMP_POLICY_INVALID" })));
}
