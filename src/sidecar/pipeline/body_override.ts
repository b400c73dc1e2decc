import type { HttpCall } from "../../core/envelope.ts";
import { bodyForm, overridesInBody } from "../../mapping/override.ts";
import { type MappingTable, meansTheSame } from "../../mapping/table.ts";
import { type Denial, type Draft, found, type Stage } from "./draft.ts";

/** What a form stands in for: browsers send none of these. */
const METHODS = ["PUT", "PATCH", "DELETE"] as const;

/**
 * Denies a POST whose body asks to be taken for another method, where the mapping says something
 * else of that. Elsewhere it makes no difference, and no body is read for it. Of a body beyond
 * `limit` bytes the beginning is looked at.
 */
export function bodyOverride(mapping: () => MappingTable, limit: number): Stage {
  return (draft) => {
    const { input } = draft;
    const call = found(draft.call, "call");
    if (call.method !== "POST" || draft.rule === undefined) return;
    const type = input.headers.find(([name]) => name === "content-type")?.[1] ?? "";
    if (bodyForm(type) === undefined || !matters(mapping(), call, draft)) return;
    return beginning(draft, limit).then((bytes): Denial | undefined => {
      if (bytes === undefined || !overridesInBody(type, bytes)) return;
      const detail = '"_method" in the body asks to be taken for another call';
      return { reason: "MalformedRequest", detail };
    });
  };
}

function matters(mapping: MappingTable, call: HttpCall, { rule }: Draft): boolean {
  return METHODS.some((method) => {
    const other = mapping.match({ ...call, method });
    return other !== undefined && !meansTheSame(other, rule!);
  });
}

async function beginning({ input }: Draft, limit: number): Promise<Uint8Array | undefined> {
  if (input.readPrefix === undefined) return await input.readBody(limit);
  return (await input.readPrefix(limit))?.bytes;
}
