import type { ActionClass } from "../core/action_class.ts";
import type { HostPattern } from "./host_pattern.ts";
import { METHODS, type RuleMethod } from "./method.ts";
import type { PathPattern, Token } from "./path_pattern.ts";
import type { QueryCondition } from "./query_condition.ts";

/** What a rule says about the calls that it matches. */
export interface MatchedRule {
  readonly actionClass: ActionClass;
  /** A narrower name for the same operation, for people; no effect on policies. */
  readonly finer?: string;
  /** Decoder that must read the call before the class is final. */
  readonly decoder?: string;
  /** Where the rule stands: `<file>:<line>`. */
  readonly ref: string;
  /** The rule's own words, for explanations. */
  readonly host: string;
  readonly path: string;
  /** Methods joined by `|`, or `*` when the rule names none. */
  readonly method: string;
  readonly query?: string;
}

/** Where a rule is written. */
export interface RulePlace {
  readonly file: string;
  readonly line: number;
}

/** A rule for one host pattern and one path pattern. */
export interface MappingRule {
  readonly host: HostPattern;
  readonly path: PathPattern;
  /** `undefined`: every method but CONNECT. */
  readonly methods: ReadonlySet<RuleMethod> | undefined;
  readonly query: QueryCondition;
  readonly acceptsEncodedSlash: boolean;
  /** `undefined`: the calls that this rule matches count as not mapped. */
  readonly matched: MatchedRule | undefined;
  readonly place: RulePlace;
}

/** How closely a rule names a method: 3 by name, 2 HEAD by way of GET, 1 as any, 0 not at all. */
export function methodRank(rule: MappingRule, method: RuleMethod): 0 | 1 | 2 | 3 {
  if (!rule.methods) return method === "CONNECT" ? 0 : 1;
  if (rule.methods.has(method)) return 3;
  // The answer to HEAD is that to GET without its content (RFC 9110, 9.3.2).
  return method === "HEAD" && rule.methods.has("GET") ? 2 : 0;
}

/** All methods that a rule matches. */
export function methodsOf(rule: MappingRule): RuleMethod[] {
  return [...METHODS, "CONNECT" as const].filter((method) => methodRank(rule, method) > 0);
}

/** The order in which rules of the same host and path are asked about a method. */
export function compareRules(a: MappingRule, b: MappingRule, method: RuleMethod): number {
  return b.query.size - a.query.size || methodRank(b, method) - methodRank(a, method);
}

/**
 * The same for two patterns exactly when they match the same paths. `?` and `#`
 * stand for `*` and `**`: they occur in no segment, while an escaped `*` may.
 */
export function patternKey(path: PathPattern): string {
  const key = (token: Token) =>
    token.kind === "literal"
      ? token.text
      : token.kind === "star"
      ? "?"
      : `${token.prefix}?${token.suffix}`;
  const tokens = path.tail
    ? [...path.head.map(key), "#", ...path.tail.map(key)]
    : path.head.map(key);
  return tokens.join("/");
}

/** What a rule matches, for messages. */
export function describe(rule: MappingRule): string {
  const method = rule.methods ? [...rule.methods].join("|") : "any method";
  const query = [...rule.query].map(([name, value]) => `${name}=${value}`).join("&");
  return `${method} ${rule.host.text}${rule.path.text}${query && `?${query}`}`;
}
