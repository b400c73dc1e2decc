import type { ActionClass } from "../core/action_class.ts";
import type { HostPattern } from "./host_pattern.ts";
import { isMethod, METHODS, type RuleMethod } from "./method.ts";
import type { PathPattern } from "./path_pattern.ts";
import type { QueryCondition } from "./query_condition.ts";
import type { ToolTable } from "./tool_table.ts";

/** What a rule says about the calls that it matches. */
export interface MatchedRule {
  readonly actionClass: ActionClass;
  /** A narrower name for the same operation, for people; no effect on policies. */
  readonly finer?: string;
  /** Decoder that must read the call before the class is final. */
  readonly decoder?: string;
  /** Classes of MCP tools; a tool that it does not name is not classified. */
  readonly tools?: ToolTable;
  /** A WebSocket may be opened by it, though its class says that it reads. */
  readonly websocket?: true;
  /** Where the rule stands: `<file>:<line>`. */
  readonly ref: string;
  /** The rule's own words, for explanations. */
  readonly host: string;
  readonly path: string;
  /** Methods joined by `|`, or `*` when the rule names none. */
  readonly method: string;
  readonly query?: string;
  /** The alias by which the call came to the rule: its path has numbers for names. */
  readonly alias?: string;
}

/** Where a rule is written. The line is looked for when it is first asked for. */
export interface RulePlace {
  readonly file: string;
  readonly line: number;
}

/** A place whose line is found by `find`, at most once. */
export function rulePlace(file: string, find: () => number): RulePlace {
  let line: number | undefined;
  return {
    file,
    get line() {
      return line ??= find();
    },
  };
}

/** `<file>:<line>` */
export function formatPlace({ file, line }: RulePlace): string {
  return `${file}:${line}`;
}

/** A rule for one host pattern and one path pattern. */
export interface MappingRule {
  readonly host: HostPattern;
  readonly path: PathPattern;
  /** `undefined`: every method but CONNECT. */
  readonly methods: ReadonlySet<string> | undefined;
  readonly query: QueryCondition;
  /** `undefined`: the calls that this rule matches count as not mapped. */
  readonly matched: MatchedRule | undefined;
  readonly place: RulePlace;
}

/** How closely a rule names a method: 3 by name, 2 HEAD by way of GET, 1 as any, 0 not at all. */
export function methodRank(rule: MappingRule, method: string): 0 | 1 | 2 | 3 {
  if (!rule.methods) return isMethod(method) ? 1 : 0;
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

/** What a rule matches, for messages. */
export function describe(rule: MappingRule): string {
  const method = rule.methods ? [...rule.methods].join("|") : "any method";
  const query = [...rule.query].map(([name, value]) => `${name}=${value}`).join("&");
  return `${method} ${rule.host.text}${rule.path.text}${query && `?${query}`}`;
}
