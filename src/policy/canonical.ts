import type { ContextValue } from "../core/envelope.ts";
import type { ContextType } from "./context.ts";

/**
 * A value in a form that no other value has and that says where it ends, so that
 * encodings can be joined without two different lists ever becoming equal.
 */
export function encodeValue(value: ContextValue | undefined): string {
  switch (typeof value) {
    case "undefined":
      return "-";
    case "string":
      return `s${value.length}:${value}`;
    case "number":
      return `n${value};`;
    case "boolean":
      return value ? "t" : "f";
    default:
      return value.reduce((text, item) => text + encodeValue(item), `a${value.length}:`);
  }
}

/**
 * Brings a value to canonical form: a set is sorted and without repetitions.
 * Returns `undefined` when it is not of the type, or cannot be handed to Cedar
 * unchanged: a number that is no integer within ±(2^53 - 1), a string with half a
 * surrogate pair.
 */
export function canonicalValue(value: ContextValue, type: ContextType): ContextValue | undefined {
  switch (type) {
    case "Boolean":
      return typeof value === "boolean" ? value : undefined;
    case "Long":
      return Number.isSafeInteger(value) ? value : undefined;
    case "String":
      return isText(value) ? value : undefined;
    case "Set<String>":
      return Array.isArray(value) && value.every(isText) ? [...new Set(value)].sort() : undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.isWellFormed();
}
