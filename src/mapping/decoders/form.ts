import { err, ok, type Result } from "../../core/result.ts";
import { quote } from "../malformed.ts";

const MOST_FIELDS = 10_000;

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/**
 * Reads a form or a query (application/x-www-form-urlencoded) with names in bracket
 * syntax: `a[b]`, `list[]`, `list[0]`. A list without indexes keeps each of its
 * values, by names `list[]`. A name that is there twice, a name that is a value
 * here and has brackets there, and escapes that are not UTF-8 are refused:
 * servers make different things of them.
 */
export function parseForm(text: string): Result<ReadonlyMap<string, readonly string[]>, string> {
  const fields = new Map<string, string[]>();
  if (text === "") return ok(fields);
  // Some servers take it for "&"; clients encode it.
  if (text.includes(";")) return err('it has a ";" that is not encoded');
  const pairs = text.split("&");
  if (pairs.length > MOST_FIELDS) return err("it has too many fields");
  const branches = new Set<string>();
  for (const pair of pairs) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = decode(equals < 0 ? "" : pair.slice(equals + 1));
    if (name === undefined || value === undefined) return err("a field is not UTF-8");
    if (!/^[^[\]&=;\s]+(?:\[[^[\]]*\])*$/.test(name)) {
      return err(`the name ${quote(name)} is not a name`);
    }
    // deno-lint-ignore no-control-regex -- NUL ends a text for some servers
    if (/\u0000/.test(name + value)) return err(`the field ${quote(name)} has a NUL`);
    const known = fields.get(name);
    if (known === undefined) fields.set(name, [value]);
    else if (name.endsWith("[]")) known.push(value);
    else return err(`the field ${quote(name)} is there twice`);
    for (let at = name.indexOf("["); at >= 0; at = name.indexOf("[", at + 1)) {
      branches.add(name.slice(0, at));
    }
  }
  for (const name of fields.keys()) {
    if (branches.has(name)) return err(`the field ${quote(name)} is a value and a group`);
  }
  return ok(fields);
}
