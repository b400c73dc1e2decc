import { err, ok, type Result } from "../core/result.ts";
import type { PathTrie } from "./path_trie.ts";
import type { MappingRule, RulePlace } from "./rule.ts";

/** A second address under which a service serves paths, with numbers in the place of names. */
export interface Alias {
  /** The path as it is written. */
  readonly text: string;
  /** What a path begins with; `undefined` stands for any number. */
  readonly path: readonly (string | undefined)[];
  /** What rules have in its place; `undefined` for a name that the number hides. */
  readonly standsFor: readonly (string | undefined)[];
  readonly place: RulePlace;
}

/** What a path was found to be. */
export interface Found {
  /** `undefined`: the call is not mapped, whatever less specific rules say. */
  readonly rule: MappingRule | undefined;
  /** The segments that the rule matches. */
  readonly segments: readonly string[];
  /** The alias by which the path came to the rule. */
  readonly alias?: Alias;
}

const LITERAL = /^[A-Za-z0-9_~-][\w.~-]*$/;
const NUMBER = /^[0-9]+$/;

/** Stands for a name that a path does not tell. */
const SOME_NAME = "-";

/** Reads fixed segments, some of which are `hole`; the error says what is wrong with them. */
export function parseAliasPath(
  raw: string,
  hole: string,
): Result<readonly (string | undefined)[], string> {
  if (!raw.startsWith("/")) return err('does not start with "/"');
  const segments = raw.slice(1).split("/");
  const odd = segments.find((segment) => segment !== hole && !LITERAL.test(segment));
  if (odd !== undefined) return err(`has a segment "${odd}", not a plain text or "${hole}"`);
  if (!segments.includes(hole)) return err(`has no "${hole}"`);
  return ok(segments.map((segment) => segment === hole ? undefined : segment));
}

/**
 * Finds the rule for a path: its own, else the one for the path that it is an alias
 * of. A rule of its own whose `**` takes part of the alias gives way, for it was not
 * written for what the alias stands for. Where the rule depends on the names that
 * the numbers hide, the call is not mapped.
 */
export function findWithAliases(
  trie: PathTrie,
  aliases: readonly Alias[],
  segments: readonly string[],
  method: string,
  query: string,
): Found | undefined {
  const rule = trie.find(segments, method, query);
  const own = rule && { rule, segments };
  const alias = aliases.find(({ path }) => begins(segments, path));
  if (!alias || rule && !(rule.path.tail && rule.path.head.length < alias.path.length)) return own;
  const rest = segments.slice(alias.path.length);
  const { rules, always } = trie.findAny(alias.standsFor, rest, method, query);
  const [first] = rules;
  if (!first) return own;
  return {
    rule: always && rules.every((other) => agree(first, other)) ? first : undefined,
    segments: [...alias.standsFor.map((text) => text ?? SOME_NAME), ...rest],
    alias,
  };
}

function begins(segments: readonly string[], path: Alias["path"]): boolean {
  return segments.length >= path.length &&
    path.every((text, i) => text === undefined ? NUMBER.test(segments[i]!) : text === segments[i]);
}

/** Tells whether it makes no difference to a call which of two rules matches it. */
function agree({ matched: a, path }: MappingRule, { matched: b, path: other }: MappingRule) {
  return a?.actionClass === b?.actionClass && a?.decoder === b?.decoder && a?.tools === b?.tools &&
    path.restEncodedSlashes === other.restEncodedSlashes;
}
