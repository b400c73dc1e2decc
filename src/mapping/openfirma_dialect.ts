import type { HttpCall } from "../core/envelope.ts";
import type { FirmaError } from "../core/result.ts";
import { formatAuthority } from "./authority.ts";
import { withoutPort } from "./host_pattern.ts";
import { METHODS } from "./method.ts";
import { formatPlace, type MatchedRule, type RulePlace } from "./rule.ts";

/**
 * A rule of a file that says `dialect = "openfirma"`. There `*` stands for any
 * run of characters, dots and slashes included, in hosts and paths alike; a
 * slash at the end of a path does not count; a method is matched by its name
 * alone. One thing is stricter than there: a rule without a method does not
 * cover CONNECT, which would open a tunnel that nobody looks into.
 */
export interface OpenfirmaRule {
  readonly host: string;
  readonly path: string | undefined;
  readonly method: string | undefined;
  readonly matched: MatchedRule;
  readonly place: RulePlace;
}

/** Tells whether `text` as a whole fits `pattern`, in time of at most their lengths' product. */
export function matchesGlob(pattern: string, text: string): boolean {
  let [p, t] = [0, 0];
  // Where to go on when a run of characters was taken for too short.
  let [star, mark] = [-1, 0];
  while (t < text.length) {
    if (pattern[p] === "*") [star, mark] = [p++, t];
    else if (pattern[p] === text[t]) [p, t] = [p + 1, t + 1];
    else if (star >= 0) [p, t] = [star + 1, ++mark];
    else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/** A host pattern of the dialect as Deno's net permission takes it: `*` where it has no such form. */
export function permittedHost(host: string): string {
  return host.replace(/^\*\./, "").includes("*") ? "*" : host;
}

/** Host as the dialect compares it: lower case, without trailing dots and default port. */
export function foldHost(raw: string): string {
  const host = raw.trim().toLowerCase().replace(/\.+$/, "").replace(/\.*:(?:443|80)$/, "");
  return host.replace(/\.+(:\d+)?$/, "$1");
}

/** Path as the dialect compares it: single slashes, none at the end. */
export function foldPath(raw: string): string {
  const path = raw.normalize("NFC").replace(/\/{2,}/g, "/");
  return path.length > 1 ? path.replace(/\/$/, "") : path;
}

function score(rule: OpenfirmaRule): number {
  let total = rule.host.includes("*") ? 0 : 100;
  if (rule.method) total += 10;
  if (rule.path !== undefined) {
    total += 5 + rule.path.split("/").filter((segment) => segment !== "").length;
    if (!rule.path.includes("*")) total += 10;
  }
  return total;
}

/** The rules of all files in this dialect; the highest score wins, then the file's order. */
export class OpenfirmaRules {
  readonly #exact = new Map<string, OpenfirmaRule[]>();
  readonly #globs: OpenfirmaRule[] = [];

  constructor(rules: readonly OpenfirmaRule[]) {
    for (const rule of rules.toSorted((a, b) => score(b) - score(a))) {
      if (rule.host.includes("*")) this.#globs.push(rule);
      else {
        const ofHost = this.#exact.get(rule.host);
        if (ofHost) ofHost.push(rule);
        else this.#exact.set(rule.host, [rule]);
      }
    }
  }

  /** Whether a rule is for this host, on whatever port. */
  namesHost(host: string): boolean {
    return this.#exact.keys().some((exact) => withoutPort(exact) === host) ||
      this.#globs.some((rule) => matchesGlob(withoutPort(rule.host), host));
  }

  match(call: HttpCall): MatchedRule | undefined {
    if (this.#exact.size === 0 && this.#globs.length === 0) return undefined;
    const host = formatAuthority(call.host, call.port, call.scheme);
    const path = foldPath(call.path);
    const fits = (rule: OpenfirmaRule) =>
      (rule.method ? rule.method === call.method : call.method !== "CONNECT") &&
      (rule.path === undefined || matchesGlob(rule.path, path));
    const rule = this.#exact.get(host)?.find(fits) ??
      this.#globs.find((rule) => matchesGlob(rule.host, host) && fits(rule));
    return rule?.matched;
  }
}

/** Finds rules that are written twice, and rules whose methods others have all taken. */
export function findOpenfirmaConflicts(rules: readonly OpenfirmaRule[]): FirmaError[] {
  const errors: FirmaError[] = [];
  const seen = new Map<string, Map<string, OpenfirmaRule>>();
  const place = (rule: OpenfirmaRule) => formatPlace(rule.place);
  for (const rule of rules) {
    const target = JSON.stringify([rule.host, rule.path]);
    const methods = seen.get(target) ?? new Map<string, OpenfirmaRule>();
    seen.set(target, methods);
    const other = methods.get(rule.method ?? "*");
    if (other) {
      errors.push({
        code: "MAPPING_RULES_TIE",
        message: `Cannot order rules ${place(other)} and ${
          place(rule)
        }: method, host and path are equal`,
        cure: "remove one of them",
        at: rule.place,
      });
    } else methods.set(rule.method ?? "*", rule);
  }
  for (const methods of seen.values()) {
    const any = methods.get("*");
    if (!any || !METHODS.every((method) => methods.has(method))) continue;
    const others = [...methods.values()].filter((rule) => rule !== any).map(place);
    errors.push({
      code: "MAPPING_RULE_SHADOWED",
      message: `Cannot reach rule ${place(any)}: each method has a rule of its own, ${
        others.join(", ")
      }`,
      cure: "remove it",
      at: any.place,
    });
  }
  return errors;
}
