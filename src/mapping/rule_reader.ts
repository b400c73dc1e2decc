import { type ActionClass, actionClasses, parseActionClass } from "../core/action_class.ts";
import { nearest } from "../core/nearest.ts";
import type { FirmaError } from "../core/result.ts";
import type { TomlDocument } from "../config/toml.ts";
import { quote } from "./malformed.ts";
import { METHODS } from "./method.ts";
import { type RulePlace, rulePlace } from "./rule.ts";

/** What a rule may name as its method. */
export const RULE_METHODS: readonly string[] = [...METHODS, "CONNECT"];

const NAME = /^[a-z][a-z0-9_.-]*$/;

/** The question whether the nearest of `known` was meant, when one is near. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const close = nearest(word, known);
  return close && `did you mean "${close}"?`;
}

/** One `[[rules]]` or `[[aliases]]` table: typed access to its keys, errors with their places. */
export class RuleReader {
  readonly errors: FirmaError[] = [];
  readonly #document: TomlDocument;
  readonly #index: number;
  readonly #table: Readonly<Record<string, unknown>>;

  readonly #list: "rules" | "aliases";

  constructor(
    document: TomlDocument,
    index: number,
    table: Readonly<Record<string, unknown>>,
    list: "rules" | "aliases" = "rules",
  ) {
    this.#document = document;
    this.#index = index;
    this.#table = table;
    this.#list = list;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#table, key);
  }

  place(...path: (string | number)[]): RulePlace {
    const document = this.#document;
    return rulePlace(
      document.file,
      () => document.locate([this.#list, this.#index, ...path])?.line ?? 1,
    );
  }

  fail(key: string, state: string, cure?: string): undefined {
    const value = this.#table[key];
    const shown = typeof value === "string" ? ` ${quote(value)}` : "";
    this.errors.push({
      code: "MAPPING_RULE_INVALID",
      message: `Cannot use ${key}${shown}: ${state}`,
      ...(cure !== undefined && { cure }),
      at: this.place(key),
    });
  }

  keys(known: readonly string[]): void {
    for (const key of Object.keys(this.#table)) {
      if (known.includes(key)) continue;
      this.errors.push(unknownKey(this.#document, [this.#list, this.#index, key], known));
    }
  }

  string(key: string): string | undefined {
    if (!this.has(key)) return undefined;
    const value = this.#table[key];
    if (typeof value === "string" && value !== "") return value;
    return this.fail(key, "not a text, or empty");
  }

  strings(key: string): readonly string[] | undefined {
    if (!this.has(key)) return undefined;
    const value = this.#table[key];
    const list = Array.isArray(value) ? value : [value];
    const good = list.length > 0 && list.every((item) => typeof item === "string" && item !== "");
    return good ? list as string[] : this.fail(key, "not a text or a list of texts, or empty");
  }

  /** The keys and values of a table. */
  entries(key: string): [string, unknown][] | undefined {
    if (!this.has(key)) return undefined;
    const value = this.#table[key];
    const good = typeof value === "object" && value !== null && !Array.isArray(value) &&
      !(value instanceof Date);
    const entries = good ? Object.entries(value) : [];
    return entries.length > 0 ? entries : this.fail(key, "not a table, or empty");
  }

  flag(key: string): boolean {
    const value = this.#table[key] ?? false;
    if (typeof value === "boolean") return value;
    this.fail(key, "not true or false");
    return false;
  }

  actionClass(): ActionClass | undefined {
    const name = this.string("action_class");
    if (name === undefined) {
      return this.has("action_class") ? undefined : this.fail("action_class", "there is none");
    }
    const known = parseActionClass(name);
    if (known) return known;
    return this.fail(
      "action_class",
      "not in the registry",
      didYouMean(name, actionClasses().map((entry) => entry.name)),
    );
  }

  methods(): ReadonlySet<string> | undefined {
    const names = this.strings("method");
    for (const name of names ?? []) {
      if (!RULE_METHODS.includes(name)) {
        this.fail(
          "method",
          `${quote(name)} is not one of ${RULE_METHODS.join(", ")}`,
          didYouMean(name, RULE_METHODS),
        );
      }
    }
    return names && new Set(names);
  }

  name(key: string): string | undefined {
    const value = this.string(key);
    if (value === undefined || NAME.test(value)) return value;
    return this.fail(key, "not a name in lower case");
  }
}

/** The error for a key that is not in `known`; it names the nearest one. */
export function unknownKey(
  document: TomlDocument,
  path: readonly (string | number)[],
  known: readonly string[],
): FirmaError {
  const key = String(path.at(-1));
  const at = document.locate(path);
  return {
    code: "MAPPING_KEY_UNKNOWN",
    message: `Cannot use key ${quote(key)}: there is no such key here`,
    cure: didYouMean(key, known) ?? `known keys: ${known.join(", ")}`,
    ...(at && { at }),
  };
}
