import { shellWord } from "../../core/shell.ts";
import type { MappingFile } from "../../mapping/rule_file.ts";
import type { Explanation } from "../../sidecar/explain.ts";

/**
 * What would let a call pass that is denied, for an operator to judge; `""` where nothing in the
 * policies or mappings would. `place` says where a policy stands.
 */
export function cureFor(
  { decision, reason, call, lineage, policyIds, policies }: Explanation,
  mapping: readonly MappingFile[],
  place: (file: string, line: number) => string,
): string {
  if (decision !== "DENY" || call === undefined) return "";
  if (reason === "UnclassifiedIntent") {
    // A host that some rule names is known; what the call does there, only a rule can say.
    return mapping.some(({ text }) => text.includes(`"${call.host}"`))
      ? "a rule for this path, beside the others of its host (docs/guides/mappings.md)"
      : `firma config --extra-hosts ${shellWord(call.host)}`;
  }
  if (reason !== "PolicyDenied") return "";
  const forbids = policies.filter(({ id, effect }) =>
    effect === "forbid" && policyIds.includes(id)
  );
  if (forbids.length > 0) {
    const places = forbids.map(({ file, line }) => place(file, line)).join(", ");
    return `except it there: ${places}; what is forbidden stays so, whatever permits it`;
  }
  return `a policy that permits Firma::Action::${JSON.stringify(lineage[0] ?? "")}`;
}
