/** What the values of keys in `firma.toml` may be: how each is read, and how it is described. */
import { isAbsolute, resolve } from "../core/path.ts";
import { type Checked, fault, listOf, type Reader } from "./reader.ts";
import { parseAge, parseDuration, parseSize } from "./units.ts";

/** A value as JSON has it. */
export type Json =
  | string
  | number
  | boolean
  | readonly Json[]
  | { readonly [name: string]: Json };

/** A kind of value. */
export interface ValueType<T> {
  /** As a reference names it: `duration`, `list of hosts`. */
  readonly name: string;
  /** What is written, as JSON Schema (draft 2020-12) says it. */
  readonly schema: Readonly<Record<string, Json>>;
  /** Reads a value that is there. */
  readonly read: Reader<T>;
}

/** After a fault, which is in the errors, a value has no meaning. */
const NO_VALUE = undefined as never;

/** Strings that `check` accepts; `directory` is that of the file. */
export function text<T>(
  name: string,
  schema: Readonly<Record<string, Json>>,
  check: (value: string, directory: string) => Checked<T>,
): ValueType<T> {
  return {
    name,
    schema: { type: "string", ...schema },
    read(value, path, context) {
      if (typeof value !== "string") {
        fault(context, path, "it is not a string");
        return NO_VALUE;
      }
      const checked = check(value, context.directory);
      if ("value" in checked) return checked.value;
      fault(context, path, checked.state, checked.cure);
      return NO_VALUE;
    },
  };
}

/** Any string but the empty one. */
export const NOT_EMPTY: ValueType<string> = text<string>(
  "string",
  { minLength: 1 },
  (value) => value === "" ? { state: "value is empty" } : { value },
);

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly [T, ...T[]]): ValueType<T> {
  const quoted = words.map((word) => `"${word}"`);
  const list = `${quoted.slice(0, -1).join(", ")} ${quoted.length > 1 ? "or " : ""}${
    quoted.at(-1)
  }`;
  return text<T>(list.trim(), { enum: words }, (value) => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return { value: found };
    return words.length === 2
      ? { state: `"${value}" is neither ${quoted[0]} nor ${quoted[1]}` }
      : { state: `"${value}" is not ${list}` };
  });
}

const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The name of a variable of the environment. */
export const VARIABLE: ValueType<string> = text<string>(
  "name of a variable",
  { pattern: ENVIRONMENT_NAME.source },
  (value) => {
    if (ENVIRONMENT_NAME.test(value)) return { value };
    return { state: `"${value}" is not the name of an environment variable` };
  },
);

/** `true` or `false`. */
export const BOOLEAN: ValueType<boolean> = {
  name: "boolean",
  schema: { type: "boolean" },
  read(value, path, context) {
    if (typeof value === "boolean") return value;
    fault(context, path, "it is neither true nor false");
    return NO_VALUE;
  },
};

/** The most that a count may be: no kernel has more processes, or files in one process by default. */
const MOST = 4_194_304;

/** A whole number of things, at least one. */
export const COUNT: ValueType<number> = {
  name: "count",
  schema: { type: "integer", minimum: 1, maximum: MOST },
  read(value, path, context) {
    if (Number.isInteger(value) && value as number >= 1 && value as number <= MOST) {
      return value as number;
    }
    fault(context, path, `it is not a whole number from 1 to ${MOST}`);
    return NO_VALUE;
  },
};

const LEAST_NUMBER = 0.01;

/** A number of things that can be divided. */
export const NUMBER: ValueType<number> = {
  name: "number",
  schema: { type: "number", minimum: LEAST_NUMBER, maximum: MOST },
  read(value, path, context) {
    if (typeof value === "number" && value >= LEAST_NUMBER && value <= MOST) return value;
    fault(context, path, `it is not a number from ${LEAST_NUMBER} to ${MOST}`);
    return NO_VALUE;
  },
};

const TIMES = "^(?:[0-9]+(?:\\.[0-9]+)?(?:ms|s|m|h|d))+$";

/** A time of at least 1 ms, in milliseconds. */
export const DURATION: ValueType<number> = text<number>("duration", { pattern: TIMES }, (value) => {
  const parsed = parseDuration(value);
  return parsed.ok ? { value: parsed.value } : { state: parsed.error };
});

/** How old something may become, in milliseconds. */
export const AGE: ValueType<number> = text<number>("age", { pattern: TIMES }, (value) => {
  const parsed = parseAge(value);
  return parsed.ok ? { value: parsed.value } : { state: parsed.error };
});

/** A time, in milliseconds; `"0s"` is one. */
export const DURATION_OR_NONE: ValueType<number> = text<number>(
  'duration, or "0s"',
  { pattern: TIMES },
  (value) => {
    if (value === "0s") return { value: 0 };
    const parsed = parseDuration(value);
    return parsed.ok ? { value: parsed.value } : { state: parsed.error };
  },
);

/** A size of at least 1 byte, in bytes. */
export const SIZE: ValueType<number> = text<number>(
  "size",
  { pattern: "^[0-9]+(?:\\.[0-9]+)? ?(?:B|KB|MB|GB|KiB|MiB|GiB)$" },
  (value) => {
    const parsed = parseSize(value);
    return parsed.ok ? { value: parsed.value } : { state: parsed.error };
  },
);

function resolved(value: string, directory: string): Checked<string> {
  if (value === "") return { state: "value is empty" };
  if (value.includes("\0")) return { state: "a path cannot contain NUL" };
  return { value: resolve(directory, value) };
}

/** A path, resolved against the directory of the file. */
export const PATH: ValueType<string> = text<string>("path", { minLength: 1 }, resolved);

/** A path that does not depend on where the file lies. */
export const ABSOLUTE_PATH: ValueType<string> = text<string>(
  "absolute path",
  { pattern: "^/" },
  (value) => isAbsolute(value) ? resolved(value, "/") : { state: `"${value}" is not absolute` },
);

/** A path below the user's home. */
export const HOME_PATH: ValueType<string> = text<string>(
  "path below your home",
  { pattern: "^[^/]" },
  (value) => {
    const words = value.split("/");
    if (isAbsolute(value) || words.some((word) => ["", ".", "..", "~"].includes(word))) {
      return { state: `"${value}" is not a plain path below your home` };
    }
    return value.includes("\0") ? { state: "a path cannot contain NUL" } : { value };
  },
);

/** Any number of values of a type. */
export function list<T>(of: ValueType<T>, name = `list of ${of.name}s`): ValueType<T[]> {
  return { name, schema: { type: "array", items: of.schema }, read: listOf(of.read) };
}
