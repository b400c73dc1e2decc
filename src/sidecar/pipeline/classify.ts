import type { MappingTable } from "../../mapping/table.ts";
import { isCanonicalIpv4 } from "../../mapping/ip_address.ts";
import { found, type Stage } from "./draft.ts";

/** What `classify` needs; the members may change between calls. */
export interface Classification {
  readonly mapping: MappingTable;
  /** Whether a call that no rule names is denied. */
  readonly defaultProtected: boolean;
}

/**
 * Gives the call its action class from the mapping table. Where the operator lets
 * unmapped hosts pass, a host that some rule names on any port is not one of them,
 * and neither is an address: which host is behind it, nobody can tell.
 */
export function classify(current: () => Classification): Stage {
  return (draft) => {
    const { mapping, defaultProtected } = current();
    const call = found(draft.call, "call");
    const rule = mapping.match(call);
    if (rule !== undefined) {
      draft.rule = rule;
      return;
    }
    const detail = defaultProtected
      ? "no mapping rule names this call"
      : protectedAnyway(call.host);
    if (detail !== undefined) return { reason: "UnclassifiedIntent", detail };
    draft.passthrough = true;

    function protectedAnyway(host: string): string | undefined {
      if (host.startsWith("[") || isCanonicalIpv4(host)) {
        return "no mapping rule names this address, and which host is behind it cannot be told";
      }
      if (mapping.namesHost(host)) return "mapping rules name this host, but not this call";
    }
  };
}
