import { takes, takesTail, type Token } from "./path_pattern.ts";
import { holds } from "./query_condition.ts";
import { type MappingRule, methodRank } from "./rule.ts";
import { compareTails, compareTokens } from "./specificity.ts";

/** The rules of one host and one path pattern: a handful, told apart by query and method. */
class Leaf {
  /** Those with most conditions on the query first. */
  readonly rules: MappingRule[] = [];

  add(rule: MappingRule): void {
    this.rules.push(rule);
    if (this.rules.length > 1) this.rules.sort((a, b) => b.query.size - a.query.size);
  }

  find(method: string, query: string): MappingRule | undefined {
    let best: MappingRule | undefined;
    let bestRank = 0;
    for (const rule of this.rules) {
      if (best && best.query.size > rule.query.size) break;
      const rank = methodRank(rule, method);
      if (rank <= bestRank || (rule.query.size > 0 && !holds(rule.query, query))) continue;
      best = rule;
      bestRank = rank;
    }
    return best;
  }
}

interface Branch {
  readonly token: Token;
  readonly node: Node;
}

interface Rest {
  readonly tail: readonly Token[];
  readonly leaf: Leaf;
}

/**
 * What may follow a certain beginning of a path; branches and rests most specific
 * first. Most nodes have one kind of them, so none is made before it is needed.
 */
class Node {
  literals: Map<string, Node> | undefined;
  branches: Branch[] | undefined;
  rests: Rest[] | undefined;
  leaf: Leaf | undefined;

  child(token: Token): Node {
    if (token.kind === "literal") {
      this.literals ??= new Map();
      const known = this.literals.get(token.text);
      if (known) return known;
      const node = new Node();
      this.literals.set(token.text, node);
      return node;
    }
    this.branches ??= [];
    const known = this.branches.find((branch) => same(branch.token, token));
    if (known) return known.node;
    const node = new Node();
    this.branches.push({ token, node });
    this.branches.sort((a, b) => compareTokens(a.token, b.token));
    return node;
  }

  rest(tail: readonly Token[]): Leaf {
    this.rests ??= [];
    const known = this.rests.find((rest) =>
      rest.tail.length === tail.length && rest.tail.every((token, i) => same(token, tail[i]!))
    );
    if (known) return known.leaf;
    const leaf = new Leaf();
    this.rests.push({ tail, leaf });
    this.rests.sort((a, b) => compareTails(a.tail, b.tail));
    return leaf;
  }
}

function same(a: Token, b: Token): boolean {
  if (a.kind === "literal") return b.kind === "literal" && a.text === b.text;
  return a.kind === b.kind && compareTokens(a, b) === 0;
}

function collect(node: Node, groups: (readonly MappingRule[])[]): void {
  if (node.leaf) groups.push(node.leaf.rules);
  for (const rest of node.rests ?? []) groups.push(rest.leaf.rules);
  for (const child of node.literals?.values() ?? []) collect(child, groups);
  for (const branch of node.branches ?? []) collect(branch.node, groups);
}

/**
 * The rules of one host pattern. Finding one takes time in the length of the
 * path and in the number of rules that share its beginning, whatever else the
 * table holds.
 */
export class PathTrie {
  readonly #root = new Node();

  add(rule: MappingRule): void {
    let node = this.#root;
    for (const token of rule.path.head) node = node.child(token);
    const leaf = rule.path.tail ? node.rest(rule.path.tail) : (node.leaf ??= new Leaf());
    leaf.add(rule);
  }

  /** All rules; those of the same path pattern together. */
  groups(): (readonly MappingRule[])[] {
    const groups: (readonly MappingRule[])[] = [];
    collect(this.#root, groups);
    return groups;
  }

  /** The most specific rule that matches, in the order of `specificity.ts`. */
  find(segments: readonly string[], method: string, query: string): MappingRule | undefined {
    return find(this.#root, segments, 0, method, query);
  }

  /**
   * The rules that {@linkcode find} may return for a path that begins with `beginning`,
   * whatever non-empty segments the `undefined` in it stand for, and goes on with `rest`.
   */
  findAny(
    beginning: readonly (string | undefined)[],
    rest: readonly string[],
    method: string,
    query: string,
  ): PossibleRules {
    const find = { beginning, rest, method, query };
    const rules = new Set<MappingRule>();
    const always = findAny(this.#root, 0, find, rules);
    return { rules: [...rules], always };
  }
}

/** What {@linkcode PathTrie.findAny} found. */
export interface PossibleRules {
  readonly rules: readonly MappingRule[];
  /** Whether one of them matches in any case. */
  readonly always: boolean;
}

interface PartlyKnown {
  readonly beginning: readonly (string | undefined)[];
  readonly rest: readonly string[];
  readonly method: string;
  readonly query: string;
}

/** Adds the rules from `node` on; tells whether one matches whatever the unknown segments are. */
function findAny(node: Node, at: number, call: PartlyKnown, rules: Set<MappingRule>): boolean {
  const { beginning, rest, method, query } = call;
  if (at === beginning.length) {
    const rule = find(node, rest, 0, method, query);
    if (rule) rules.add(rule);
    return rule !== undefined;
  }
  const segment = beginning[at];
  for (const [text, child] of node.literals ?? []) {
    if (text === segment) {
      if (findAny(child, at + 1, call, rules)) return true;
    } else if (segment === undefined && text !== "") findAny(child, at + 1, call, rules);
  }
  for (const { token, node: child } of node.branches ?? []) {
    if (segment !== undefined && !takes(token, segment)) continue;
    const always = findAny(child, at + 1, call, rules);
    if (always && (segment !== undefined || token.kind === "star")) return true;
  }
  for (const { tail, leaf } of node.rests ?? []) {
    // What is unknown may be what the end of the pattern asks for.
    const least = beginning.length - at + rest.length;
    const known = tail.length <= rest.length;
    if (known ? !takesTail(tail, rest, 0) : tail.length > least) continue;
    const rule = leaf.find(method, query);
    if (!rule) continue;
    rules.add(rule);
    if (known) return true;
  }
  return false;
}

function find(
  node: Node,
  segments: readonly string[],
  at: number,
  method: string,
  query: string,
): MappingRule | undefined {
  if (at === segments.length) {
    const rule = node.leaf?.find(method, query);
    if (rule) return rule;
  } else {
    const segment = segments[at]!;
    const literal = node.literals?.get(segment);
    if (literal) {
      const rule = find(literal, segments, at + 1, method, query);
      if (rule) return rule;
    }
    if (node.branches) {
      for (const branch of node.branches) {
        if (!takes(branch.token, segment)) continue;
        const rule = find(branch.node, segments, at + 1, method, query);
        if (rule) return rule;
      }
    }
  }
  if (!node.rests) return undefined;
  for (const rest of node.rests) {
    if (!takesTail(rest.tail, segments, at)) continue;
    const rule = rest.leaf.find(method, query);
    if (rule) return rule;
  }
  return undefined;
}
