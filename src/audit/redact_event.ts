import type { ExecutionEvent } from "../core/event.ts";
import { redactResource } from "./redaction.ts";

/** The event without the secrets of its query; the same object when there are none. */
export function redactEvent(
  event: ExecutionEvent,
  extraNames: readonly string[] = [],
): ExecutionEvent {
  if (event.kind !== "decision") return event;
  const resource = redactResource(event.resource, extraNames);
  return resource === event.resource ? event : { ...event, resource };
}
