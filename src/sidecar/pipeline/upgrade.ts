import { listHas } from "../../net/http/end_to_end.ts";
import { found, type Stage } from "./draft.ts";

/**
 * Denies a WebSocket where the call was found to read: what goes through it afterwards, nobody
 * decides, and it goes both ways. A GET that only reads would open the shell of a container.
 */
export function upgrade(): Stage {
  return (draft) => {
    if (draft.passthrough || !listHas(draft.input.headers, "upgrade", "websocket")) return;
    const { actionClass, websocket } = found(draft.rule, "rule");
    if (websocket || !/(?:^|\.)read$/.test(actionClass)) return;
    return {
      reason: "UnclassifiedIntent",
      detail: `a WebSocket does more than the class "${actionClass}" says; another class, or ` +
        '"websocket = true" in the mapping rule, lets it be opened',
    };
  };
}
