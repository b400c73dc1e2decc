import type { HttpCall } from "../../core/envelope.ts";
import { matchesHost } from "../../mapping/host_pattern.ts";
import { matchesPath, matchSegments } from "../../mapping/path_pattern.ts";
import { type MappingRule, methodsOf } from "../../mapping/rule.ts";
import { distinct, generalise, literally, type PathShape } from "./generalise.ts";
import type { ObservedCalls } from "./observed.ts";
import { mayMeet } from "./overlap.ts";
import { policyText } from "./policy_text.ts";

/** A policy that permits what was observed. */
export interface SuggestedPolicy {
  readonly id: string;
  readonly text: string;
  readonly observed: ObservedCalls;
  /** What of the path is permitted; none where no policy may look at it. */
  readonly shapes: readonly PathShape[];
  /** Operations of the mapping, of the same class and host, that it permits and nobody called. */
  readonly opens: readonly string[];
}

/** What is known of a call beside its path: which rules could have classified it. */
export interface Rules {
  /** The rule that classifies a call now; absent where the mapping has changed. */
  readonly match: (call: HttpCall) => { readonly ref: string } | undefined;
  readonly all: readonly MappingRule[];
}

/** How many values a part of a path may have before it is left open. */
export const DEFAULT_MOST = 3;

/** The least policies that permit what was observed, one for each agent, class and host. */
export function suggestPolicies(
  groups: readonly ObservedCalls[],
  rules: Rules,
  most: number = DEFAULT_MOST,
): SuggestedPolicy[] {
  const ids = new Map<string, number>();
  const byRef = Map.groupBy(rules.all, ({ matched }) => matched?.ref ?? "");
  return groups.map((observed) => {
    const used = new Map<MappingRule, string[]>();
    const shapes: PathShape[] = [];
    for (const path of observed.paths.keys()) {
      const rule = ruleOf(observed, path, rules.match, byRef);
      if (rule === undefined) shapes.push(literally(path));
      else if (used.has(rule)) used.get(rule)!.push(path);
      else used.set(rule, [path]);
    }
    for (const [rule, paths] of used) shapes.push(...generalise(rule.path, paths, most));
    const id = uniqueId(observed, ids);
    const wanted = observed.pathHidden ? [] : distinct(shapes);
    return {
      id,
      observed,
      shapes: wanted,
      text: policyText(id, observed, wanted),
      opens: openedBy(observed, wanted, rules, new Set(used.keys())),
    };
  });
}

/** The rule by whose pattern a path is generalised: the one that classifies the call. */
function ruleOf(
  { host, paths }: ObservedCalls,
  path: string,
  match: Rules["match"],
  byRef: ReadonlyMap<string, readonly MappingRule[]>,
): MappingRule | undefined {
  if (host === "") return undefined;
  const { method, id } = paths.get(path)!.intent.resource;
  const port = Number(/:(\d+)$/.exec(id.slice(0, id.length - path.length))?.[1] ?? 443);
  const matched = match({ method, scheme: "https", host, port, path, query: "" });
  if (matched === undefined) return undefined;
  const segments = matchSegments(path);
  return byRef.get(matched.ref)?.find((rule) =>
    matchesHost(rule.host, host) && matchesPath(rule.path, segments)
  );
}

function openedBy(
  { host, actionClass }: ObservedCalls,
  shapes: readonly PathShape[],
  rules: Rules,
  used: ReadonlySet<MappingRule>,
): string[] {
  if (host === "") return []; // programs have no rules of a mapping
  const opened = rules.all.filter((rule) =>
    rule.matched?.actionClass === actionClass && !used.has(rule) && matchesHost(rule.host, host) &&
    (shapes.length === 0 || shapes.some((shape) => mayMeet(shape, rule.path)))
  );
  return opened.map((rule) => `${methodsOf(rule).join("|")} ${rule.host.text}${rule.path.text}`)
    .toSorted();
}

function uniqueId({ actionClass, host }: ObservedCalls, ids: Map<string, number>): string {
  const id = `suggested.${actionClass}.${host || "exec"}`.replaceAll(/[^\w.-]/g, "-");
  const count = (ids.get(id) ?? 0) + 1;
  ids.set(id, count);
  return count === 1 ? id : `${id}-${count}`;
}
