import { err, ok, type Result } from "../../core/result.ts";

/** What the arguments of a store's program may be, to the last one. */
export interface CommandForm {
  /** The first arguments: subcommands. */
  readonly words: readonly string[];
  /** The operands behind them, in order. */
  readonly operands?: readonly OperandForm[];
  /**
   * Options by how they are written, all ways with `|` between: without a value, or with one that
   * looks so. The first way is what they are called.
   */
  readonly options?: Readonly<Record<string, "flag" | RegExp>>;
  /** Options that have to be there. */
  readonly needs?: readonly string[];
  /** Words that are put in front of the arguments when it is run. @default {[]} */
  readonly runsWith?: readonly string[];
  /**
   * Its operands are folders: a slash is put behind each when it is run, so that a program which shows
   * what is in an entry of that name shows nothing of it.
   */
  readonly inFolders?: boolean;
  /** Behind the first operand there are no options any more. */
  readonly optionsFirst?: boolean;
}

/** What an operand may be. */
export interface OperandForm {
  readonly like: RegExp;
  /** @default {false} */
  readonly isOptional?: boolean;
}

/** A command that is of a form, taken apart. */
export interface ReadCommand {
  readonly operands: readonly string[];
  /** The values of options by their names; `""` for those without. */
  readonly options: ReadonlyMap<string, string>;
}

/** Takes arguments apart that begin with the words of a form; the error says what it has no place for. */
export function readCommand(
  args: readonly string[],
  { words, operands: forms = [], options: known = {}, needs = [], optionsFirst }: CommandForm,
): Result<ReadCommand, string> {
  const operands: string[] = [];
  const options = new Map<string, string>();
  const canonical = namesOf(known);
  for (let at = words.length; at < args.length; at++) {
    const argument = args[at]!;
    if (!argument.startsWith("-")) {
      operands.push(argument);
      continue;
    }
    if (optionsFirst && operands.length > 0) return err("an option stands behind an operand");
    const end = argument.indexOf("=");
    const name = end < 0 ? argument : argument.slice(0, end);
    const [called, form] = canonical.get(name) ?? [];
    if (called === undefined || form === undefined) {
      return err(`the option "${name}" is not known to be harmless`);
    }
    if (options.has(called)) return err(`the option "${name}" is there twice`);
    if (form === "flag") {
      if (end >= 0) return err(`the option "${name}" takes no value`);
      options.set(called, "");
      continue;
    }
    const value = end < 0 ? args[++at] : argument.slice(end + 1);
    if (value === undefined || !form.test(value)) {
      return err(`the value of "${name}" is not known to be harmless`);
    }
    options.set(called, value);
  }
  const fewest = forms.filter(({ isOptional }) => !isOptional).length;
  if (operands.length < fewest) return err("something is missing in it");
  if (operands.length > forms.length) return err("there are too many operands");
  const odd = operands.findIndex((operand, at) => !forms[at]!.like.test(operand));
  if (odd >= 0) return err(`operand ${odd + 1} is not like any that is known to be harmless`);
  const missing = needs.find((name) => !options.has(name));
  if (missing !== undefined) return err(`it needs the option "${missing}"`);
  return ok({ operands, options });
}

/** Options by each way of writing them. */
function namesOf(
  known: NonNullable<CommandForm["options"]>,
): ReadonlyMap<string, readonly [called: string, form: "flag" | RegExp]> {
  return new Map(
    Object.entries(known).flatMap(([ways, form]) => {
      const names = ways.split("|");
      return names.map((name) => [name, [names[0]!, form]] as const);
    }),
  );
}
