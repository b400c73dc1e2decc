import { err, ok, type Result } from "../../../core/result.ts";
import type { ServiceAnswer } from "./ask.ts";

/** A JSON object of a service; nothing is known of its members. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads an answer as a JSON object. The error is what is wrong with it, and repeats none of it. */
export function jsonAnswer({ mediaType, text }: ServiceAnswer): Result<JsonObject, string> {
  if (!/^application\/(?:[a-z0-9.-]+\+)?json$/.test(mediaType)) {
    return err("its answer is not application/json");
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return ok(value as JsonObject);
    }
  } catch { /* the parser's own words repeat the text */ }
  return err("its answer is not a JSON object");
}

/** A member that is a member of the object itself, not of what objects inherit. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
