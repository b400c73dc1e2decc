import { err, ok, type Result } from "../core/result.ts";

/** Query parameters that a call must have for a rule to match it, each with this one value. */
export type QueryCondition = ReadonlyMap<string, string>;

/** A rule without a condition. */
export const NO_CONDITION: QueryCondition = new Map();

/** Form decoding (WHATWG URL, 5.1) of a name or value; `undefined` when it is not UTF-8. */
function decode(text: string): string | undefined {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/** Reads `name=value`, several of them joined by `&`; the error says what is wrong with it. */
export function parseQueryCondition(raw: string): Result<QueryCondition, string> {
  const condition = new Map<string, string>();
  for (const pair of raw.split("&")) {
    const equals = pair.indexOf("=");
    if (equals < 1) return err(`"${pair}" is not name=value`);
    const name = decode(pair.slice(0, equals));
    const value = decode(pair.slice(equals + 1));
    if (name === undefined || value === undefined) return err(`"${pair}" is not UTF-8`);
    if (condition.has(name)) return err(`"${name}" occurs twice`);
    condition.set(name, value);
  }
  return ok(condition);
}

function holdsOne(query: string, separator: RegExp, name: string, value: string): boolean {
  let found = 0;
  for (const pair of query.slice(1).split(separator)) {
    const equals = pair.indexOf("=");
    const pairName = decode(equals < 0 ? pair : pair.slice(0, equals));
    // A name that cannot be decoded might be this one to the server.
    if (pairName === undefined) return false;
    if (pairName.toLowerCase() !== name.toLowerCase()) continue;
    if (++found > 1 || pairName !== name || equals < 0) return false;
    if (decode(pair.slice(equals + 1)) !== value) return false;
  }
  return found === 1;
}

/**
 * Tells whether a query (with its `?`) has each parameter of the condition
 * exactly once and with its value, whether the server splits at `&` alone or at
 * `;` too, and whether or not it minds the case of names.
 */
export function holds(condition: QueryCondition, query: string): boolean {
  for (const [name, value] of condition) {
    if (!holdsOne(query, /&/, name, value)) return false;
    if (query.includes(";") && !holdsOne(query, /[&;]/, name, value)) return false;
  }
  return true;
}

/** Tells whether `a` holds wherever `b` does. */
export function impliedBy(a: QueryCondition, b: QueryCondition): boolean {
  for (const [name, value] of a) if (b.get(name) !== value) return false;
  return true;
}

/** Tells whether no query fulfils both: they want different values of one parameter. */
export function excludes(a: QueryCondition, b: QueryCondition): boolean {
  for (const [name, value] of a) {
    const other = b.get(name);
    if (other !== undefined && other !== value) return true;
  }
  return false;
}
