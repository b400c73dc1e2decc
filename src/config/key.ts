/**
 * The description of a key of `firma.toml`, and the only one there is: the parser
 * and everything that tells of keys come from it.
 *
 * To add a key, write it into its table in `keys/`, beside the others:
 *
 *     drain_timeout: key(DURATION, {
 *       about: "How long calls under way may take once the Sidecar is asked to end",
 *       default: "30s",
 *       example: "1m",
 *       applies: "restart",
 *     }),
 *
 * Give it a `default` (a TOML value, read like one in a file), or `otherwise`
 * (words for what holds when it is absent; the value is then `undefined`), or
 * `required: true`. Its type is one of `value_type.ts`, or one made there with
 * `text()`. Then put its value into `FirmaConfig` (schema.ts) or `AuthorityConfig`
 * (authority_config.ts), and run `scripts/deno run -A scripts/config_docs.ts`, which
 * writes `docs/firma.schema.json` and the tables of `docs/configuration.md`. Tests
 * fail for a key that nothing reads or no document has. `about` and `otherwise` are
 * Markdown of one line without a full stop.
 */
import { fault, isTable, listOf, type Reader, table } from "./reader.ts";
import type { Json, ValueType } from "./value_type.ts";

/** The first version that has keys. */
export const FIRST_VERSION = "0.1.0";

/**
 * When a changed value comes into force: at once in a Sidecar that runs
 * (`live`), with the next `firma run` (`next run`), or when Sidecar and
 * Authority start again (`restart`).
 */
export type Applies = "live" | "next run" | "restart";

/** What is said of a key beside its type. */
interface KeySpec {
  /** What it is for, in one line. */
  readonly about: string;
  readonly applies: Applies;
  /** A value other than the default. */
  readonly example?: Json;
  /** The version that has it first. Default: the first of all. */
  readonly since?: string;
}

/** A key with a value. */
export interface Key<T> {
  readonly kind: "key";
  readonly type: ValueType<unknown>;
  readonly about: string;
  readonly applies: Applies;
  readonly example: Json | undefined;
  readonly since: string;
  readonly isRequired: boolean;
  /** What holds when it is absent, as TOML would say it. */
  readonly default: Json | undefined;
  /** The same in words, where no one value says it. */
  readonly otherwise: string | undefined;
  readonly read: Reader<T>;
}

/** A table with keys of its own. */
export interface Section<T> {
  readonly kind: "section";
  readonly about: string;
  readonly keys: Readonly<Record<string, Node<unknown>>>;
  readonly read: Reader<T>;
}

/** Any number of tables, `[[written]]` so. */
export interface SectionList<T> {
  readonly kind: "section list";
  readonly about: string;
  readonly section: Section<unknown>;
  readonly read: Reader<T>;
}

/** Tables of one form under names that an operator chooses. */
export interface SectionMap<T> {
  readonly kind: "section map";
  readonly about: string;
  /** What stands for a name in a reference: `<id>`. */
  readonly label: string;
  readonly section: Section<unknown>;
  readonly read: Reader<T>;
}

/** Whatever a table can hold under a name. */
export type Node<T> = Key<T> | Section<T> | SectionList<T> | SectionMap<T>;

/** What reading a node gives. */
export type ValueOf<N> = N extends { readonly read: Reader<infer T> } ? T : never;

/** A key that must be there. */
export function key<T>(type: ValueType<T>, spec: KeySpec & { readonly required: true }): Key<T>;
/** A key with a default. */
export function key<T>(type: ValueType<T>, spec: KeySpec & { readonly default: Json }): Key<T>;
/** A key without a value when it is absent. */
export function key<T>(
  type: ValueType<T>,
  spec: KeySpec & { readonly otherwise: string },
): Key<T | undefined>;
export function key<T>(
  type: ValueType<T>,
  spec: KeySpec & {
    readonly required?: true;
    readonly default?: Json;
    readonly otherwise?: string;
  },
): Key<T | undefined> {
  const { required = false, default: fallback } = spec;
  return {
    kind: "key",
    type,
    about: spec.about,
    applies: spec.applies,
    example: spec.example,
    since: spec.since ?? FIRST_VERSION,
    isRequired: required,
    default: fallback,
    otherwise: spec.otherwise,
    read(value, path, context) {
      const given = value ?? fallback;
      if (given !== undefined) return type.read(given, path, context);
      if (required) fault(context, path, "it is missing");
      return undefined;
    },
  };
}

/** A table with exactly these keys. */
export function section<const S extends Readonly<Record<string, Node<unknown>>>>(
  about: string,
  keys: S,
): Section<{ [K in keyof S]: ValueOf<S[K]> }> {
  const readers = Object.fromEntries(Object.entries(keys).map(([name, { read }]) => [name, read]));
  return {
    kind: "section",
    about,
    keys,
    read: table(readers) as Reader<{ [K in keyof S]: ValueOf<S[K]> }>,
  };
}

/** Any number of tables of one form. */
export function sectionList<T>(of: Section<T>): SectionList<T[]> {
  return { kind: "section list", about: of.about, section: of, read: listOf(of.read) };
}

/** Names that an operator may choose: what needs no quotes in TOML, and is no name of JavaScript's. */
export const LABEL = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** Tables of one form, each under a name of the operator's; `label` stands for it, such as `<id>`. */
export function sectionMap<T>(
  label: string,
  of: Section<T>,
): SectionMap<ReadonlyMap<string, T>> {
  return {
    kind: "section map",
    about: of.about,
    label,
    section: of,
    read(value, path, context) {
      const members = new Map<string, T>();
      if (value === undefined) return members;
      if (!isTable(value)) {
        fault(context, path, "it is not a table");
        return members;
      }
      for (const [name, member] of Object.entries(value)) {
        if (LABEL.test(name)) members.set(name, of.read(member, [...path, name], context));
        else {
          fault(context, [...path, name], "its name is not one word in lower case", "rename it");
        }
      }
      return members;
    },
  };
}
