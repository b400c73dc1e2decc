/** Services that give secrets out, and which of their answers have any in them. */
import { pathMatches } from "./path_pattern.ts";
import type { ValuePath } from "./value_path.ts";

/** What is said of some of the calls to a store. */
export interface StoreRule {
  /** See {@linkcode pathMatches}. */
  readonly path: string;
  /** Upper case. */
  readonly methods: readonly string[];
  /** What `X-Amz-Target` must say, for services whose calls all go to one path. */
  readonly operation?: string | undefined;
}

/** Calls whose answers hold secrets. */
export interface SensitiveRule extends StoreRule {
  /** At least one of them is in each answer that is a success. */
  readonly values: readonly ValuePath[];
  /** How the values are written. */
  readonly encoding: "plain" | "base64";
}

/** A store of secrets that agents may call. */
export interface SecretStore {
  readonly id: string;
  /** Canonical: a host, or `*.` and the domain that it is in. */
  readonly host: string;
  /** Where its values may go in the place of their placeholders; over TLS alone. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly blocked: readonly StoreRule[];
  readonly sensitive: readonly SensitiveRule[];
  readonly safe: readonly StoreRule[];
}

/** A call, as far as stores look at it. */
export interface StoreCall {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly fields: readonly (readonly [string, string])[];
}

/** What becomes of a call to a store. */
export type StoreVerdict =
  | { readonly kind: "blocked"; readonly store: SecretStore }
  | { readonly kind: "sensitive"; readonly store: SecretStore; readonly rule: SensitiveRule }
  | { readonly kind: "safe"; readonly store: SecretStore };

/**
 * What stores say of a call; `undefined` when it goes to none of them. What blocks comes before what
 * is sensitive, and that before what is safe; what no rule names is blocked.
 */
export function storeVerdict(
  stores: readonly SecretStore[],
  call: StoreCall,
): StoreVerdict | undefined {
  const store = stores.find(({ host }) => hostMatches(host, call.host));
  if (store === undefined) return undefined;
  const isFor = (rule: StoreRule) => ruleMatches(rule, call);
  if (store.blocked.some(isFor)) return { kind: "blocked", store };
  const rule = store.sensitive.find(isFor);
  if (rule !== undefined) return { kind: "sensitive", store, rule };
  return { kind: store.safe.some(isFor) ? "safe" : "blocked", store };
}

function hostMatches(pattern: string, host: string): boolean {
  return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;
}

function ruleMatches({ path, methods, operation }: StoreRule, call: StoreCall): boolean {
  if (!methods.includes(call.method) || !pathMatches(path, call.path)) return false;
  if (operation === undefined) return true;
  const named = call.fields.filter(([name]) => name === "x-amz-target");
  return named.length === 1 && named[0]![1] === operation;
}
