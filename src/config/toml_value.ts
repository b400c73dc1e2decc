import type { Json } from "./value_type.ts";

/** A value as TOML writes it, on one line. */
export function tomlValue(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(", ")}]`;
  return JSON.stringify(value).replaceAll("\x7f", "\\u007f");
}
