/**
 * Arguments of a command line as far as they can be told apart without knowing the program: what
 * is unknown counts for all that it might be.
 */

/** One argument. */
export type Argument =
  /** Begins with a dash, and comes before `--`. */
  | {
    readonly kind: "option";
    /** Without what follows a `=`. */
    readonly name: string;
    /** What follows a `=`, the rest of a short option, or the next argument. */
    readonly values: readonly string[];
  }
  | {
    readonly kind: "operand";
    readonly text: string;
    /** It follows an option of which nobody knows whether it takes a value. */
    readonly isDoubtful: boolean;
  };

/** Reads the arguments after the program's name; `withValue` are options that take the next one. */
export function readArguments(
  texts: readonly string[],
  withValue: ReadonlySet<string> = new Set(),
): readonly Argument[] {
  const read: Argument[] = [];
  let onlyOperands = false;
  /** The argument before was an option that may take this one. */
  let mayTake = false;
  for (let at = 0; at < texts.length; at++) {
    const text = texts[at]!;
    if (onlyOperands || !text.startsWith("-") || text === "-") {
      read.push({ kind: "operand", text, isDoubtful: mayTake });
      mayTake = false;
      continue;
    }
    if (text === "--") {
      // As the value of the option before, it would end nothing.
      onlyOperands = !mayTake;
      mayTake = false;
      continue;
    }
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    const isShort = !text.startsWith("--");
    const values = equals < 0 ? [] : [text.slice(equals + 1)];
    if (isShort && text.length > 2) values.push(text.slice(2));
    const takesNext = equals < 0 && withValue.has(name);
    const next = texts[at + 1];
    if (takesNext) at++;
    if (equals < 0 && next !== undefined) values.push(next);
    read.push({ kind: "option", name, values });
    mayTake = equals < 0 && !takesNext;
  }
  return read;
}

/**
 * Whether an argument gives the option `wanted`: by its name, by the beginning of a long name as
 * GNU programs and git take it, or as one of several short options in one.
 */
export function givesOption(argument: Argument, wanted: string): boolean {
  if (argument.kind !== "option") return false;
  const { name } = argument;
  if (name === wanted) return true;
  if (wanted.startsWith("--")) {
    return name.startsWith("--") && name.length > 2 && wanted.startsWith(name);
  }
  // -auto-approve is --auto-approve to programs that write options so.
  if (wanted.length > 2) return name === `-${wanted}`;
  if (name.startsWith("--")) return false;
  return name.slice(1).includes(wanted[1]!);
}

/**
 * Whether there are no options but those of `only`, each in full and once, and no `--`. What makes
 * a command harmless counts for nothing if another argument can take it back, or take it for its
 * own value.
 */
export function hasOnly(texts: readonly string[], only: ReadonlySet<string>): boolean {
  const seen = new Set<string>();
  for (const text of texts) {
    if (!text.startsWith("-") || text === "-") continue;
    const name = text.split("=", 1)[0]!;
    const isShort = /^-[A-Za-z]{2,}$/.test(name) && !only.has(name);
    for (const each of isShort ? [...name.slice(1)].map((letter) => `-${letter}`) : [name]) {
      if (!only.has(each) || seen.has(each)) return false;
      seen.add(each);
    }
  }
  return true;
}
