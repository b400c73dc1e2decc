import { EVENT_SCHEMA_VERSION, type EventBase, type KeyEvent } from "../core/event.ts";
import { newId } from "../core/id.ts";
import { timestamp } from "../core/timestamp.ts";

/** Something that happened to the log itself, in the words of `key`. */
export function keyEvent(
  publicKey: Uint8Array,
  change: KeyEvent["change"],
  detail: string,
  members: Omit<KeyEvent, keyof EventBase | "kind" | "change" | "public_key" | "detail"> = {},
): KeyEvent {
  return {
    kind: "key",
    event_id: newId("aevt"),
    timestamp: timestamp(),
    sandbox_id: "",
    session_id: "",
    agent_id: "",
    change,
    public_key: publicKey.toBase64(),
    detail,
    schema_version: EVENT_SCHEMA_VERSION,
    ...members,
  };
}
