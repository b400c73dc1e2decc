/**
 * How bad a wrongly allowed call of a class would be. For people, and for
 * policies as `context.risk_score`; nothing else at run time depends on it.
 */
export type Risk = "critical" | "high" | "medium" | "low";

/** What a class is about. */
export type Domain = "access" | "code" | "communication" | "local" | "payment";

/** An entry of the action-class registry. */
export interface ActionClassEntry {
  readonly name: string;
  readonly domain: Domain;
  readonly risk: Risk;
  /** One line for the author of a policy. */
  readonly meaning: string;
  /** The class whose policies cover this one too. */
  readonly parent?: string;
}

/** A class with its finer classes within it, so that each of them has exactly one parent. */
export type ClassTree = readonly [
  name: string,
  risk: Risk,
  meaning: string,
  finer?: readonly (readonly [name: string, risk: Risk, meaning: string])[],
];

/** The entries of one domain. */
export function domainEntries(domain: Domain, trees: readonly ClassTree[]): ActionClassEntry[] {
  return trees.flatMap(([parent, risk, meaning, finer = []]) => [
    { name: parent, domain, risk, meaning },
    ...finer.map(([name, risk, meaning]) => ({ name, domain, risk, meaning, parent })),
  ]);
}
