import type { HttpCall } from "../core/envelope.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { formatAuthority } from "./authority.ts";
import { DECODERS } from "./decoders/decoders.ts";
import { findConflicts } from "./conflicts.ts";
import {
  findOpenfirmaConflicts,
  type OpenfirmaRule,
  OpenfirmaRules,
  permittedHost,
} from "./openfirma_dialect.ts";
import { allowsEncodedSlashes, matchSegments } from "./path_pattern.ts";
import { PathTrie } from "./path_trie.ts";
import type { MappingRule, MatchedRule } from "./rule.ts";
import { type MappingFile, parseRuleFile } from "./rule_file.ts";

/** Options of {@linkcode MappingTable.parse}. */
export interface MappingTableOptions {
  /**
   * The body decoders that rules may name.
   * @default {DECODERS.keys()} those that there are
   */
  readonly decoders?: Iterable<string>;
}

/**
 * The mapping rules of all files: what class a call has.
 *
 * The most specific rule that matches wins; the order of rules and files plays
 * no part. Specificity is decided by, in this order: the host (a host, then
 * `*.` patterns with the longest domain first), the path (`specificity.ts`), the
 * query (a rule with more conditions goes first), the method (named, HEAD by way
 * of GET, any). Rules in the `openfirma` dialect are asked only when no other
 * rule matches.
 */
export class MappingTable {
  /**
   * Host patterns of all rules, sorted, as Deno's net permission takes them.
   * A pattern that has no such form (a dialect's `api.*.test`) becomes `*`.
   */
  readonly hosts: readonly string[];
  /** Number of rules. */
  readonly size: number;
  readonly #exact = new Map<string, PathTrie>();
  /** By the domain under the `*.`. */
  readonly #wildcard = new Map<string, PathTrie>();
  readonly #openfirma: OpenfirmaRules;

  private constructor(
    rules: readonly MappingRule[],
    openfirmaRules: readonly OpenfirmaRule[],
  ) {
    const hosts = new Set<string>();
    for (const rule of rules) {
      const tries = rule.host.wildcard ? this.#wildcard : this.#exact;
      let trie = tries.get(rule.host.host);
      if (!trie) tries.set(rule.host.host, trie = new PathTrie());
      trie.add(rule);
      hosts.add(rule.host.text);
    }
    for (const { host } of openfirmaRules) {
      hosts.add(permittedHost(host));
    }
    this.hosts = [...hosts].sort();
    this.size = rules.length + openfirmaRules.length;
    this.#openfirma = new OpenfirmaRules(openfirmaRules);
  }

  /** Reads all files; reports every fault of every file, and rules that conflict. */
  static parse(
    files: readonly MappingFile[],
    { decoders = DECODERS.keys() }: MappingTableOptions = {},
  ): Result<MappingTable, FirmaError[]> {
    const known = new Set(decoders);
    const parsed = files.map((file) => parseRuleFile(file, known));
    const errors = parsed.flatMap((file) => file.errors);
    if (errors.length > 0) return err(errors);
    const rules = parsed.flatMap((file) => file.rules);
    const openfirmaRules = parsed.flatMap((file) => file.openfirmaRules);
    const table = new MappingTable(rules, openfirmaRules);
    const tries = [...table.#exact.values(), ...table.#wildcard.values()];
    const conflicts = [
      ...tries.flatMap(findConflicts),
      ...findOpenfirmaConflicts(openfirmaRules),
    ];
    return conflicts.length > 0 ? err(conflicts) : ok(table);
  }

  /**
   * The rule that classifies a call, or `undefined`: then the call is not mapped.
   * The call must be canonical (`normaliseCall`, `connectCall`).
   */
  match(call: HttpCall): MatchedRule | undefined {
    const segments = matchSegments(call.path);
    const rule = this.#find(call, segments);
    if (!rule) return this.#openfirma.match(call);
    // Where the rule's author says nothing of encoded slashes, what the upstream makes
    // of one may be another operation, for which less specific rules do not speak.
    if (call.path.includes("%2F") && !allowsEncodedSlashes(rule.path, segments)) return undefined;
    return rule.matched;
  }

  /**
   * Tells whether some rule names the host of a call. A call that is not mapped
   * on a host that is was left out on purpose: it is not one to let pass
   * because calls to unknown hosts may.
   */
  namesHost(call: HttpCall): boolean {
    const host = formatAuthority(call.host, call.port, call.scheme);
    if (this.#exact.has(host) || this.#openfirma.namesHost(host)) return true;
    return [...this.#wildcard.keys()].some((domain) => host.endsWith(`.${domain}`));
  }

  #find(call: HttpCall, segments: readonly string[]): MappingRule | undefined {
    const host = formatAuthority(call.host, call.port, call.scheme);
    const rule = this.#exact.get(host)?.find(segments, call.method, call.query);
    if (rule || this.#wildcard.size === 0) return rule;
    for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
      const trie = this.#wildcard.get(host.slice(dot + 1));
      const rule = trie?.find(segments, call.method, call.query);
      if (rule) return rule;
    }
    return undefined;
  }
}
