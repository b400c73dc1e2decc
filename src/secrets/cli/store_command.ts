import { pathMatches } from "../store/path_pattern.ts";
import type { ValuePath } from "../store/value_path.ts";
import { type CommandForm, type ReadCommand, readCommand } from "./command_form.ts";

/** What a store's program prints, and where the values in it are. */
export type OutputForm =
  /** One value, and nothing else. */
  | { readonly kind: "value" }
  /** A first line that is a value, and lines behind it, which are values or have a name in front. */
  | { readonly kind: "lines" }
  /** JSON, in which everything is a value but what stands there. */
  | { readonly kind: "json"; readonly keep: readonly ValuePath[] };

/** A command that prints values of a store. */
export interface SensitiveCommand extends CommandForm {
  readonly output: OutputForm;
  /**
   * What says what is read: operands, by their numbers, and options, by their names, as far as they
   * are there; in this order, with slashes between. An option that is absent is a dash, or left out
   * where its name ends with `?`.
   */
  readonly reads: readonly (number | string)[];
}

/** A command that prints no values. */
export type SafeCommand = CommandForm & { readonly output?: undefined };

/** What is known of a store's program. */
export interface StoreProgram {
  readonly sensitive: readonly SensitiveCommand[];
  readonly safe: readonly SafeCommand[];
}

/** What becomes of a command. */
export type CommandVerdict =
  | { readonly kind: "blocked"; readonly why: string }
  | { readonly kind: "safe"; readonly args: readonly string[] }
  | {
    readonly kind: "sensitive";
    /** What the program is to be started with. */
    readonly args: readonly string[];
    readonly output: OutputForm;
    /** What is read, as the command names it. */
    readonly name: string;
  };

/**
 * What becomes of a command by its arguments, its own name not among them; `names` are patterns for
 * what may be read, everything without any. What no form has a place for is blocked.
 */
export function judgeCommand(
  { sensitive, safe }: StoreProgram,
  names: readonly string[],
  args: readonly string[],
): CommandVerdict {
  const known = [...sensitive, ...safe]
    .filter(({ words }) => words.every((word, at) => args[at] === word))
    // The one that knows most of it; of two that know as much, the one that takes it for worse.
    .sort((one, two) => two.words.length - one.words.length);
  let why: string | undefined;
  for (const form of known) {
    const read = readCommand(args, form);
    if (!read.ok) why ??= read.error;
    else if (form.output === undefined) return { kind: "safe", args: runs(form, args) };
    else return judgeName(nameIn(read.value, form), names, form, runs(form, args));
  }
  return { kind: "blocked", why: why ?? "it is not known to be harmless" };
}

function runs(
  { words, runsWith = [], inFolders = false }: CommandForm,
  args: readonly string[],
): readonly string[] {
  const isFolder = (argument: string, at: number) =>
    inFolders && at >= words.length && !argument.startsWith("-") && !argument.endsWith("/");
  return [...runsWith, ...args.map((each, at) => isFolder(each, at) ? `${each}/` : each)];
}

function judgeName(
  name: string,
  names: readonly string[],
  { output }: SensitiveCommand,
  args: readonly string[],
): CommandVerdict {
  const isOpen = names.length === 0 || names.some((pattern) => pathMatches(pattern, name));
  return isOpen
    ? { kind: "sensitive", output, name, args }
    : { kind: "blocked", why: `"${name}" is not in its names` };
}

function nameIn(
  { operands, options }: ReadCommand,
  { reads }: SensitiveCommand,
): string {
  const parts = reads.map((each) => {
    if (typeof each === "number") return operands[each];
    const name = each.replace(/\?$/, "");
    // Absent, it is said so, or what follows could be taken for it.
    return options.get(name) ?? (name === each ? ABSENT : undefined);
  });
  return parts.filter((part) => part !== undefined).join("/").replace(/^op:\/\//, "");
}

/** No name of anything. */
const ABSENT = "-";
