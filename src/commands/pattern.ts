import { type Argument, givesOption } from "./arguments.ts";
import { err, ok, type Result } from "../core/result.ts";

/**
 * A pattern of arguments, as a rule of `[[commands]]` writes it:
 *
 *     push -f|--force        the first operand is "push", and one of the options is there
 *     push ... +*            the first operand is "push", and a later one begins with "+"
 *     -c=alias.*             the option is there with a value like that
 *
 * Options may stand in any order and place before `--`. `*` stands for any characters.
 */
export interface ArgumentPattern {
  readonly text: string;
  /** Of the first operands, the alternatives for each. */
  readonly leading: readonly (readonly Glob[])[];
  /** Operands that must be there somewhere after them. */
  readonly later: readonly (readonly Glob[])[];
  /** Options that must be there, the alternatives for each. */
  readonly options: readonly (readonly OptionPattern[])[];
}

/** An option with, maybe, what its value must look like. */
interface OptionPattern {
  readonly name: string;
  readonly value: Glob | undefined;
}

/** A text in which `*` stands for any characters. */
interface Glob {
  readonly text: string;
  readonly matches: (text: string) => boolean;
}

const OPTION = /^(--?[A-Za-z0-9][\w.-]*)(?:=(.+))?$/;
const MOST_TOKENS = 16;

/** Reads a pattern; the empty one takes any arguments. */
export function parsePattern(text: string): Result<ArgumentPattern> {
  const refuse = (state: string) =>
    err({ code: "COMMAND_RULE", message: `Cannot use argv "${text}": ${state}` });
  const tokens = text.split(" ").filter((token) => token !== "");
  if (tokens.length > MOST_TOKENS) return refuse(`it has more than ${MOST_TOKENS} words`);
  const leading: Glob[][] = [];
  const later: Glob[][] = [];
  const options: OptionPattern[][] = [];
  let isLater = false;
  for (const token of tokens) {
    if (token === "...") {
      if (isLater) return refuse('"..." stands in it twice');
      isLater = true;
      continue;
    }
    const alternatives = token.split("|");
    if (alternatives.includes("")) return refuse(`"${token}" has an empty alternative`);
    if (!alternatives.some((each) => each.startsWith("-"))) {
      (isLater ? later : leading).push(alternatives.map((each) => glob(each)));
      continue;
    }
    const parsed = alternatives.map((each) => OPTION.exec(each));
    if (parsed.includes(null)) return refuse(`"${token}" mixes options with other words`);
    // What stands behind the last alternative is the value of each.
    const value = parsed.at(-1)?.[2];
    if (parsed.slice(0, -1).some((match) => match![2] !== undefined)) {
      return refuse(`"${token}" has a value before its end`);
    }
    options.push(parsed.map((match) => ({
      name: match![1]!,
      value: value === undefined ? undefined : glob(value, "i"),
    })));
  }
  return ok({ text, leading, later, options });
}

function glob(text: string, flags = ""): Glob {
  if (!text.includes("*") && flags === "") return { text, matches: (other) => other === text };
  const source = text.split("*").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  const expression = new RegExp(`^${source.join("[^]*?")}$`, flags);
  return { text, matches: (other) => expression.test(other) };
}

/** The operands after the leading ones that a pattern matched. */
export interface PatternMatch {
  readonly rest: readonly string[];
}

/** Whether arguments are such as a pattern describes. */
export function matchPattern(
  pattern: ArgumentPattern,
  read: readonly Argument[],
): PatternMatch | undefined {
  const { leading, later, options } = pattern;
  for (const alternatives of options) {
    if (!alternatives.some((wanted) => read.some((given) => isGiven(wanted, given)))) return;
  }
  const operands = read.filter((argument) => argument.kind === "operand");
  const ends = leadingEnds(leading, operands);
  for (const end of ends) {
    const rest = operands.slice(end).map(({ text }) => text);
    const hasAll = later.every((globs) =>
      rest.some((text) => globs.some(({ matches }) => matches(text)))
    );
    if (hasAll) return { rest };
  }
}

function isGiven({ name, value }: OptionPattern, argument: Argument): boolean {
  if (argument.kind !== "option" || !givesOption(argument, name)) return false;
  return value === undefined || argument.values.some((given) => value.matches(given));
}

/** Where the leading operands may end, if an operand may be the value of an unknown option. */
function leadingEnds(
  leading: ArgumentPattern["leading"],
  operands: readonly Extract<Argument, { readonly kind: "operand" }>[],
): ReadonlySet<number> {
  let places = new Set([0]);
  for (const globs of leading) {
    const next = new Set<number>();
    for (const place of places) {
      for (let at = place; at < operands.length; at++) {
        const { text, isDoubtful } = operands[at]!;
        if (globs.some(({ matches }) => matches(text))) next.add(at + 1);
        if (!isDoubtful) break;
      }
    }
    places = next;
  }
  return places;
}

/** How much a pattern asks for: operands in front, then all else, then how exact the words are. */
export function specificity({ leading, later, options }: ArgumentPattern): readonly number[] {
  const words = [...leading, ...later].map((globs) => Math.min(...globs.map(exactness)));
  const values = options.filter((each) => each.every(({ value }) => value !== undefined));
  const exact = words.reduce((sum, each) => sum + each, values.length);
  return [leading.length, later.length + options.length, exact];
}

function exactness({ text }: Glob): number {
  return text === "*" ? 0 : text.includes("*") ? 1 : 2;
}

/** Below zero when `a` asks for less than `b`. */
export function compareSpecificity(a: ArgumentPattern, b: ArgumentPattern): number {
  const [left, right] = [specificity(a), specificity(b)];
  for (let at = 0; at < left.length; at++) {
    if (left[at] !== right[at]) return left[at]! - right[at]!;
  }
  return 0;
}

/** Whether some arguments may match both patterns; errs towards yes. */
export function mayOverlap(a: ArgumentPattern, b: ArgumentPattern): boolean {
  return a.leading.every((globs, at) => {
    const others = b.leading[at];
    return others === undefined ||
      globs.some((one) => others.some((other) => mayBeSame(one.text, other.text)));
  });
}

/** Whether a text may match both; of two with `*`, by how they begin and end. */
function mayBeSame(one: string, other: string): boolean {
  const begin = (text: string) => text.split("*", 1)[0]!;
  const end = (text: string) => text.slice(text.lastIndexOf("*") + 1);
  if (!one.includes("*")) return glob(other).matches(one);
  if (!other.includes("*")) return glob(one).matches(other);
  const fits = (a: string, b: string) => a.startsWith(b) || b.startsWith(a);
  const reversed = (text: string) => [...text].reverse().join("");
  return fits(begin(one), begin(other)) && fits(reversed(end(one)), reversed(end(other)));
}
