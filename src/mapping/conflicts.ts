import type { FirmaError } from "../core/result.ts";
import type { Alias } from "./alias.ts";
import type { RuleMethod } from "./method.ts";
import type { PathTrie } from "./path_trie.ts";
import { excludes, impliedBy } from "./query_condition.ts";
import {
  compareRules,
  describe,
  formatPlace,
  type MappingRule,
  methodRank,
  methodsOf,
} from "./rule.ts";
import { comparePathPatterns, covers } from "./specificity.ts";

/** The first method for which neither rule goes before the other and both may hold. */
function tiedMethod(a: MappingRule, b: MappingRule): RuleMethod | undefined {
  if (excludes(a.query, b.query)) return undefined;
  if (a.query.size !== b.query.size) {
    const [fewer, more] = a.query.size < b.query.size ? [a, b] : [b, a];
    if (impliedBy(fewer.query, more.query)) return undefined;
    // Neither is a special case of the other, whatever their number of parameters.
    return methodsOf(fewer).find((method) => methodRank(more, method) > 0);
  }
  const equal = impliedBy(a.query, b.query);
  return methodsOf(a).find((method) =>
    methodRank(b, method) > 0 && (!equal || compareRules(a, b, method) === 0)
  );
}

function tie(a: MappingRule, b: MappingRule, method: RuleMethod): FirmaError {
  return {
    code: "MAPPING_RULES_TIE",
    message: `Cannot order rules ${formatPlace(a.place)} (${describe(a)}) and ${
      formatPlace(b.place)
    } (${describe(b)}): both match ${method} alike`,
    cure: "remove one of them, or let their methods or queries differ",
    at: b.place,
  };
}

function shadow(rule: MappingRule, by: readonly MappingRule[]): FirmaError {
  const places = [...new Set(by.map((other) => formatPlace(other.place)))].join(", ");
  return {
    code: "MAPPING_RULE_SHADOWED",
    message: `Cannot reach rule ${formatPlace(rule.place)} (${
      describe(rule)
    }): everything it matches is matched by more specific rules, ${places}`,
    cure: "remove it, or make it more specific than they are",
    at: rule.place,
  };
}

/** Tells whether a rule that stands before `rule` takes all its calls with `method`. */
function hides(
  other: MappingRule,
  rule: MappingRule,
  method: RuleMethod,
  samePath: boolean,
): boolean {
  if (methodRank(other, method) === 0 || !impliedBy(other.query, rule.query)) return false;
  return !samePath || compareRules(other, rule, method) < 0;
}

/** `wider`: rules with other paths that go before `rule` on every path that it matches. */
function shadows(
  rule: MappingRule,
  samePath: readonly MappingRule[],
  wider: readonly MappingRule[],
): FirmaError | undefined {
  const by: MappingRule[] = [];
  for (const method of methodsOf(rule)) {
    // HEAD comes along with GET; a rule that only lost it still does its work.
    if (methodRank(rule, method) === 2) continue;
    const hider = samePath.find((other) => hides(other, rule, method, true)) ??
      wider.find((other) => hides(other, rule, method, false));
    if (!hider) return undefined;
    by.push(hider);
  }
  return shadow(rule, by);
}

/**
 * Finds rules that no order decides between, and rules that can never be the
 * most specific match. The files' order plays no part in either.
 */
export function findConflicts(trie: PathTrie): FirmaError[] {
  const errors: FirmaError[] = [];
  const groups = trie.groups();
  // One rule hides another only if both have a `**`, or the same path: any other
  // pattern that is more specific leaves out some path of the wider one.
  const open = groups.filter(([rule]) => rule!.path.tail);
  for (const group of groups) {
    for (let i = 0; i < group.length; i++) {
      for (let j = i + 1; j < group.length; j++) {
        const method = tiedMethod(group[i]!, group[j]!);
        if (method) errors.push(tie(group[i]!, group[j]!, method));
      }
    }
    const { path } = group[0]!;
    const wider = path.tail
      ? open.filter(([rule]) =>
        covers(rule!.path, path) && comparePathPatterns(rule!.path, path) < 0
      ).flat()
      : [];
    if (group.length + wider.length < 2) continue;
    for (const rule of group) {
      const error = shadows(rule, group, wider);
      if (error) errors.push(error);
    }
  }
  return errors;
}

/** Finds aliases of one host that begin alike and stand for different paths. */
export function findAliasConflicts(aliases: readonly Alias[]): FirmaError[] {
  return aliases.flatMap((alias, index) => {
    const other = aliases.slice(0, index).find(({ path }) =>
      path.length === alias.path.length && path.every((text, i) => mayEqual(text, alias.path[i]))
    );
    if (!other || other.standsFor.join("/") === alias.standsFor.join("/")) return [];
    const [a, b] = [other, alias].map(({ place, text }) => `${formatPlace(place)} (${text})`);
    return [{
      code: "MAPPING_RULES_TIE",
      message: `Cannot order aliases ${a} and ${b}: the same path stands for two others`,
      cure: "remove one of them",
      at: alias.place,
    }];
  });
}

/** Tells whether a path may have both at one place; `undefined` stands for a number. */
function mayEqual(a: string | undefined, b: string | undefined): boolean {
  const isNumber = (text: string) => /^[0-9]+$/.test(text);
  if (a === undefined) return b === undefined || isNumber(b);
  return b === undefined ? isNumber(a) : a === b;
}
