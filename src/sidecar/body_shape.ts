/**
 * What the body of a request has to look like. By hand, because the session of every run would wait
 * for a schema library.
 */

/** Says what is wrong with a value, and where in it; `undefined`: nothing. */
export type Shape = (value: unknown) => Fault | undefined;

/** What is wrong with a value. */
export interface Fault {
  /** Names and indices that lead there. */
  readonly path: readonly string[];
  readonly state: string;
}

function fault(state: string, ...path: string[]): Fault {
  return { path, state };
}

/** A text of at most so many characters, of which more may be asked. */
export function text(
  most = Infinity,
  isGood: (text: string) => boolean = () => true,
  is = "is wrong",
): Shape {
  return (value) => {
    if (typeof value !== "string") return fault("is not a text");
    if (value.length > most) return fault(`is longer than ${most} characters`);
    return isGood(value) ? undefined : fault(is);
  };
}

/** A whole number. */
export function integer(least = -Infinity): Shape {
  return (value) => {
    if (!Number.isInteger(value)) return fault("is not a whole number");
    return (value as number) < least ? fault(`is less than ${least}`) : undefined;
  };
}

/** One of some values. */
export function oneOf(...values: readonly (string | boolean)[]): Shape {
  return (value) =>
    values.some((each) => each === value)
      ? undefined
      : fault(`is not one of ${values.map((each) => JSON.stringify(each)).join(", ")}`);
}

/** A list of at most so many. */
export function list(shape: Shape, most: number): Shape {
  return (value) => {
    if (!Array.isArray(value)) return fault("is not a list");
    if (value.length > most) return fault(`has more than ${most} entries`);
    for (const [index, entry] of value.entries()) {
      const wrong = shape(entry);
      if (wrong !== undefined) return fault(wrong.state, String(index), ...wrong.path);
    }
  };
}

/** An object that has all of the first members, and may have the second, and has no others. */
export function members(
  wanted: Readonly<Record<string, Shape>>,
  possible: Readonly<Record<string, Shape>> = {},
): Shape {
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return fault("is not an object");
    }
    const given = value as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(wanted)) {
      if (!Object.hasOwn(given, name)) return fault("is missing", name);
    }
    for (const [name, member] of Object.entries(given)) {
      const shape = Object.hasOwn(wanted, name)
        ? wanted[name]!
        : Object.hasOwn(possible, name)
        ? possible[name]!
        : undefined;
      if (shape === undefined) return fault("is not known", name);
      // As in JSON, where there is no such value.
      if (member === undefined && !Object.hasOwn(wanted, name)) continue;
      const wrong = shape(member);
      if (wrong !== undefined) return fault(wrong.state, name, ...wrong.path);
    }
  };
}
