import type { MappingTable } from "../../mapping/table.ts";
import { found, type Stage } from "./draft.ts";

/** What `classify` needs; the members may change between calls. */
export interface Classification {
  readonly mapping: MappingTable;
  /** Whether a call that no rule names is denied. */
  readonly defaultProtected: boolean;
}

/** Gives the call its action class from the mapping table. */
export function classify(current: () => Classification): Stage {
  return (draft) => {
    const { mapping, defaultProtected } = current();
    const rule = mapping.match(found(draft.call, "call"));
    if (rule !== undefined) {
      draft.rule = rule;
    } else if (defaultProtected) {
      return { reason: "UnclassifiedIntent", detail: "no mapping rule names this call" };
    } else {
      draft.passthrough = true;
    }
  };
}
