import type { FirmaError } from "../core/result.ts";
import type { RuleMethod } from "./method.ts";
import { excludes, impliedBy } from "./query_condition.ts";
import {
  compareRules,
  describe,
  type MappingRule,
  methodRank,
  methodsOf,
  patternKey,
  type RulePlace,
} from "./rule.ts";
import { comparePathPatterns, covers } from "./specificity.ts";

function place({ file, line }: RulePlace): string {
  return `${file}:${line}`;
}

function groupBy(rules: readonly MappingRule[], key: (rule: MappingRule) => string) {
  const groups = new Map<string, MappingRule[]>();
  for (const rule of rules) {
    const name = key(rule);
    const group = groups.get(name);
    if (group) group.push(rule);
    else groups.set(name, [rule]);
  }
  return groups.values();
}

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
    message: `Cannot order rules ${place(a.place)} (${describe(a)}) and ${place(b.place)} (${
      describe(b)
    }): both match ${method} alike`,
    cure: "remove one of them, or let their methods or queries differ",
    at: b.place,
  };
}

function shadow(rule: MappingRule, by: readonly MappingRule[]): FirmaError {
  const places = [...new Set(by.map((other) => place(other.place)))].join(", ");
  return {
    code: "MAPPING_RULE_SHADOWED",
    message: `Cannot reach rule ${place(rule.place)} (${
      describe(rule)
    }): everything it matches is matched by more specific rules, ${places}`,
    cure: "remove it, or make it more specific than they are",
    at: rule.place,
  };
}

/** Tells whether `other` goes before `rule` in everything that `rule` matches with `method`. */
function hides(other: MappingRule, rule: MappingRule, method: RuleMethod): boolean {
  if (methodRank(other, method) === 0 || !impliedBy(other.query, rule.query)) return false;
  const order = comparePathPatterns(other.path, rule.path);
  if (order < 0) return covers(other.path, rule.path);
  return patternKey(other.path) === patternKey(rule.path) && compareRules(other, rule, method) < 0;
}

function shadows(rule: MappingRule, candidates: readonly MappingRule[]): FirmaError | undefined {
  if (candidates.length < 2) return undefined;
  const by: MappingRule[] = [];
  for (const method of methodsOf(rule)) {
    // HEAD comes along with GET; a rule that only lost it still does its work.
    if (methodRank(rule, method) === 2) continue;
    const hider = candidates.find((other) => other !== rule && hides(other, rule, method));
    if (!hider) return undefined;
    by.push(hider);
  }
  return shadow(rule, by);
}

/**
 * Finds rules that no order decides between, and rules that can never be the
 * most specific match. The files' order plays no part in either.
 */
export function findConflicts(rules: readonly MappingRule[]): FirmaError[] {
  const errors: FirmaError[] = [];
  for (const ofHost of groupBy(rules, (rule) => rule.host.text)) {
    // One rule hides another only if both have a `**`, or the same path: any other
    // pattern that is more specific leaves out some path of the wider one.
    const open = ofHost.filter((rule) => rule.path.tail);
    for (const group of groupBy(ofHost, (rule) => patternKey(rule.path))) {
      for (const [i, a] of group.entries()) {
        for (const b of group.slice(i + 1)) {
          const method = tiedMethod(a, b);
          if (method) errors.push(tie(a, b, method));
        }
      }
      for (const rule of group) {
        const error = shadows(rule, rule.path.tail ? open : group);
        if (error) errors.push(error);
      }
    }
  }
  return errors;
}
