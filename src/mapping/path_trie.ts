import type { RuleMethod } from "./method.ts";
import { takes, takesTail, type Token } from "./path_pattern.ts";
import { holds } from "./query_condition.ts";
import { compareRules, type MappingRule, methodsOf, patternKey } from "./rule.ts";
import { compareTails, compareTokens } from "./specificity.ts";

/** The rules of one host and one path pattern. */
class Leaf {
  readonly #byMethod = new Map<string, MappingRule[]>();

  add(rule: MappingRule): void {
    for (const method of methodsOf(rule)) this.#insert(method, rule);
  }

  #insert(method: RuleMethod, rule: MappingRule): void {
    const rules = this.#byMethod.get(method) ?? [];
    rules.push(rule);
    rules.sort((a, b) => compareRules(a, b, method));
    this.#byMethod.set(method, rules);
  }

  find(method: string, query: string): MappingRule | undefined {
    const rules = this.#byMethod.get(method);
    if (!rules) return undefined;
    for (const rule of rules) {
      if (rule.query.size === 0 || holds(rule.query, query)) return rule;
    }
    return undefined;
  }
}

interface Branch {
  readonly token: Token;
  readonly node: Node;
}

interface Rest {
  readonly key: string;
  readonly tail: readonly Token[];
  readonly leaf: Leaf;
}

/** What may follow a certain beginning of a path; branches and rests most specific first. */
class Node {
  readonly literals = new Map<string, Node>();
  readonly branches: Branch[] = [];
  readonly rests: Rest[] = [];
  leaf: Leaf | undefined;

  child(token: Token): Node {
    if (token.kind === "literal") {
      const known = this.literals.get(token.text);
      if (known) return known;
      const node = new Node();
      this.literals.set(token.text, node);
      return node;
    }
    const known = this.branches.find((branch) =>
      compareTokens(branch.token, token) === 0 && sameText(branch.token, token)
    );
    if (known) return known.node;
    const node = new Node();
    this.branches.push({ token, node });
    this.branches.sort((a, b) => compareTokens(a.token, b.token));
    return node;
  }

  rest(key: string, tail: readonly Token[]): Leaf {
    const known = this.rests.find((rest) => rest.key === key);
    if (known) return known.leaf;
    const leaf = new Leaf();
    this.rests.push({ key, tail, leaf });
    this.rests.sort((a, b) => compareTails(a.tail, b.tail));
    return leaf;
  }
}

function sameText(a: Token, b: Token): boolean {
  return a.kind !== "partial" || b.kind !== "partial" ||
    (a.prefix === b.prefix && a.suffix === b.suffix);
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
    const leaf = rule.path.tail
      ? node.rest(patternKey(rule.path), rule.path.tail)
      : (node.leaf ??= new Leaf());
    leaf.add(rule);
  }

  /** The most specific rule that matches, in the order of `specificity.ts`. */
  find(segments: readonly string[], method: string, query: string): MappingRule | undefined {
    return find(this.#root, segments, 0, method, query);
  }
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
    const literal = node.literals.get(segment);
    if (literal) {
      const rule = find(literal, segments, at + 1, method, query);
      if (rule) return rule;
    }
    for (const branch of node.branches) {
      if (!takes(branch.token, segment)) continue;
      const rule = find(branch.node, segments, at + 1, method, query);
      if (rule) return rule;
    }
  }
  for (const rest of node.rests) {
    if (!takesTail(rest.tail, segments, at)) continue;
    const rule = rest.leaf.find(method, query);
    if (rule) return rule;
  }
  return undefined;
}
