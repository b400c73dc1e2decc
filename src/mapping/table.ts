import type { HttpCall } from "../core/envelope.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { formatAuthority } from "./authority.ts";
import { DECODERS } from "./decoders/decoders.ts";
import type { Found } from "./alias.ts";
import { findAliasConflicts, findConflicts } from "./conflicts.ts";
import { findOpenfirmaConflicts, OpenfirmaRules, permittedHost } from "./openfirma_dialect.ts";
import { allowsEncodedSlashes, matchSegments } from "./path_pattern.ts";
import { type HostPattern, withoutPort } from "./host_pattern.ts";
import { HostRules } from "./host_rules.ts";
import type { MappingRule, MatchedRule } from "./rule.ts";
import { type MappingFile, type ParsedFile, parseRuleFile } from "./rule_file.ts";

/** Options of {@linkcode MappingTable.parse}. */
export interface MappingTableOptions {
  /**
   * The body decoders that rules may name.
   * @default {DECODERS.keys()} those that there are
   */
  readonly decoders?: Iterable<string>;
  /**
   * Whether these very files were found valid before: then conflicts are not
   * looked for, and the rules of a host are read when a call to it comes.
   * @default {false}
   */
  readonly checked?: boolean;
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
  readonly #exact = new Map<string, HostRules>();
  /** By the domain under the `*.`. */
  readonly #wildcard = new Map<string, HostRules>();
  readonly #openfirma: OpenfirmaRules;
  readonly #openfirmaSize: number;
  /** Hosts and `*.` patterns without their ports. */
  #named: ReadonlySet<string> | undefined;

  private constructor(files: readonly ParsedFile[]) {
    const openfirmaRules = files.flatMap((file) => file.openfirmaRules);
    const hosts = new Set(openfirmaRules.map(({ host }) => permittedHost(host)));
    const rulesOf = (host: HostPattern) => {
      hosts.add(host.text);
      return this.#rulesOf(host);
    };
    for (const { rules, putOff, aliases } of files) {
      for (const rule of rules) rulesOf(rule.host).add(rule);
      for (const { host, alias } of aliases) rulesOf(host).addAlias(alias);
      for (const { host, read } of putOff) rulesOf(host).putOff(read);
    }
    this.hosts = [...hosts].sort();
    this.#openfirma = new OpenfirmaRules(openfirmaRules);
    this.#openfirmaSize = openfirmaRules.length;
  }

  #rulesOf({ host, wildcard }: HostPattern): HostRules {
    const all = wildcard ? this.#wildcard : this.#exact;
    let rules = all.get(host);
    if (!rules) all.set(host, rules = new HostRules());
    return rules;
  }

  /** Number of rules. */
  get size(): number {
    return this.#all().reduce((sum, rules) => sum + rules.size, this.#openfirmaSize);
  }

  #all(): HostRules[] {
    return [...this.#exact.values(), ...this.#wildcard.values()];
  }

  /** Reads all files; reports every fault of every file, and rules that conflict. */
  static parse(
    files: readonly MappingFile[],
    { decoders = DECODERS.keys(), checked = false }: MappingTableOptions = {},
  ): Result<MappingTable, FirmaError[]> {
    const known = new Set(decoders);
    const parsed = files.map((file) => parseRuleFile(file, known, checked));
    const errors = parsed.flatMap((file) => file.errors);
    if (errors.length > 0) return err(errors);
    const table = new MappingTable(parsed);
    if (checked) return ok(table);
    const conflicts = [
      ...table.#all().flatMap(({ trie }) => findConflicts(trie)),
      ...table.#all().flatMap(({ aliases }) => findAliasConflicts(aliases)),
      ...findOpenfirmaConflicts(parsed.flatMap((file) => file.openfirmaRules)),
    ];
    return conflicts.length > 0 ? err(conflicts) : ok(table);
  }

  /**
   * The rule that classifies a call, or `undefined`: then the call is not mapped.
   * The call must be canonical (`normaliseCall`, `connectCall`).
   */
  match(call: HttpCall): MatchedRule | undefined {
    const segments = matchSegments(call.path);
    const found = this.#find(call, segments);
    if (!found) return this.#openfirma.match(call);
    const { rule, alias } = found;
    if (!rule?.matched) return undefined;
    // Where the rule's author says nothing of encoded slashes, what the upstream makes
    // of one may be another operation, for which less specific rules do not speak.
    if (call.path.includes("%2F") && !allowsEncodedSlashes(rule.path, found.segments)) {
      return undefined;
    }
    // The same goes for a path that some servers read as another one.
    for (const reading of otherReadings(rule.path, segments)) {
      const other = reading && this.#find(call, reading)?.rule?.matched;
      if (other === undefined || !meansTheSame(other, rule.matched)) return undefined;
    }
    return alias ? { ...rule.matched, alias: alias.text } : rule.matched;
  }

  /**
   * Tells whether some rule names a canonical host, on whatever port. A call that
   * is not mapped on a host that is was left out on purpose: it is not one to let
   * pass because calls to unknown hosts may.
   */
  namesHost(host: string): boolean {
    this.#named ??= new Set([
      ...this.#exact.keys().map(withoutPort),
      ...this.#wildcard.keys().map((domain) => `*.${withoutPort(domain)}`),
    ]);
    if (this.#named.has(host) || this.#openfirma.namesHost(host)) return true;
    for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
      if (this.#named.has(`*${host.slice(dot)}`)) return true;
    }
    return false;
  }

  #find(call: HttpCall, segments: readonly string[]): Found | undefined {
    const host = formatAuthority(call.host, call.port, call.scheme);
    const found = this.#exact.get(host)?.find(segments, call.method, call.query);
    if (found || this.#wildcard.size === 0) return found;
    for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
      const rules = this.#wildcard.get(host.slice(dot + 1));
      const found = rules?.find(segments, call.method, call.query);
      if (found) return found;
    }
    return undefined;
  }
}

/** Whether two rules say the same of a call. */
export function meansTheSame(a: MatchedRule, b: MatchedRule): boolean {
  return a.actionClass === b.actionClass && a.decoder === b.decoder && a.tools === b.tools &&
    a.websocket === b.websocket;
}

/**
 * What servers make of a path besides what it says, where the pattern that took it does not: Java's
 * drop parameters behind a `;`, many frameworks a slash at the end. `undefined`: it has no segment
 * left where there is one.
 */
function otherReadings(
  pattern: MappingRule["path"],
  segments: readonly string[],
): (readonly string[] | undefined)[] {
  const readings: (readonly string[] | undefined)[] = [];
  if (!pattern.text.includes(";") && segments.some((segment) => segment.includes(";"))) {
    const plain = segments.map((segment) => segment.split(";", 1)[0]!);
    const isCut = plain.some((segment, i) => segment === "" && segments[i] !== "");
    readings.push(isCut ? undefined : plain);
  }
  // A pattern without a `**` takes a slash at the end only where it has one.
  const isSwallowed = pattern.tail !== undefined && pattern.tail.at(-1)?.kind !== "literal";
  if (isSwallowed && segments.length > 1 && segments.at(-1) === "") {
    readings.push(segments.slice(0, -1));
  }
  return readings;
}
