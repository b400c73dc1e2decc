/** Deeper nesting than this is refused, so that hostile input cannot exhaust the stack. */
const MAX_DEPTH = 64;

/**
 * The canonical form of a JSON value (RFC 8785): members sorted by UTF-16 code
 * units, no white space, numbers and strings as ECMAScript writes them.
 * Members whose value is `undefined` are left out, as `JSON.stringify` does.
 *
 * Throws a `TypeError` for what has no canonical form: a number that is not
 * finite, a string with a lone surrogate, a bigint, a function, a class
 * instance, nesting deeper than 64.
 */
export function canonicalJson(value: unknown): string {
  const sorted = sortMembers(value, 0);
  if (sorted !== NOT_SORTABLE) {
    const text = JSON.stringify(sorted);
    // The escape of a lone surrogate, or something that looks like it.
    if (text !== undefined && !text.includes("\\ud")) return text;
  }
  return write(value, 0);
}

/** Whether an object keeps this name in its place: those that look like numbers come first. */
export function isPlainName(name: string): boolean {
  const first = name.charCodeAt(0);
  return !(first >= 0x30 && first <= 0x39) && name !== "__proto__";
}

/** The canonical form of one string (RFC 8785, 3.2.2.2). Throws as {@linkcode canonicalJson}. */
export function canonicalString(text: string): string {
  if (!text.isWellFormed()) throw new TypeError("Cannot write a string: it has a lone surrogate");
  return JSON.stringify(text);
}

/** Says that an object cannot have its members in canonical order. */
export const NOT_SORTABLE: unique symbol = Symbol("not sortable");

/**
 * The same value with its members in canonical order, so that the engine's own serialiser, which is
 * much faster than {@linkcode write}, can write it; the value itself where it is in order already.
 * Gives up on whatever is out of the ordinary: objects keep names that look like numbers first, and
 * `__proto__` is no member when it is assigned.
 */
export function sortMembers(value: unknown, depth: number): unknown {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : NOT_SORTABLE;
  if (typeof value !== "object" || depth >= MAX_DEPTH) return NOT_SORTABLE;
  if (Array.isArray(value)) return sortItems(value, depth);
  if (Object.getPrototypeOf(value) !== Object.prototype || "toJSON" in value) return NOT_SORTABLE;
  const members = value as Readonly<Record<string, unknown>>;
  const names = Object.keys(members);
  let copied = false;
  for (let i = 1; i < names.length && !copied; i++) copied = names[i - 1]! > names[i]!;
  if (copied) names.sort();
  let sorted = copied ? {} as Record<string, unknown> : members;
  for (const name of names) {
    if (!isPlainName(name)) return NOT_SORTABLE;
    const member = members[name];
    if (member === undefined) continue;
    const inOrder = sortMembers(member, depth + 1);
    if (inOrder === NOT_SORTABLE) return NOT_SORTABLE;
    if (!copied && inOrder !== member) {
      // The members before this one are as they were, and so are their places.
      sorted = { ...members };
      copied = true;
    }
    if (copied) sorted[name] = inOrder;
  }
  return sorted;
}

function sortItems(items: readonly unknown[], depth: number): unknown {
  let sorted: unknown[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const inOrder = sortMembers(items[i], depth + 1);
    if (inOrder === NOT_SORTABLE) return NOT_SORTABLE;
    if (inOrder !== items[i]) (sorted ??= [...items])[i] = inOrder;
  }
  return sorted ?? items;
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return canonicalString(value);
    case "number":
      if (!Number.isFinite(value)) {
        throw new TypeError(`Cannot write the number "${value}": it is not finite`);
      }
      return String(value);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      if (value === null) return "null";
      if (depth >= MAX_DEPTH) {
        throw new TypeError(`Cannot write a value: it is nested deeper than ${MAX_DEPTH}`);
      }
      return Array.isArray(value) ? writeArray(value, depth) : writeObject(value, depth);
    default:
      throw new TypeError(`Cannot write a value: JSON has no ${typeof value}`);
  }
}

function writeArray(items: readonly unknown[], depth: number): string {
  let text = "[";
  for (let i = 0; i < items.length; i++) {
    if (i > 0) text += ",";
    text += write(items[i], depth + 1);
  }
  return text + "]";
}

function writeObject(object: object, depth: number): string {
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError("Cannot write an object: it is not a plain one");
  }
  const members = object as Readonly<Record<string, unknown>>;
  let text = "";
  // Without a comparison function, sort() compares UTF-16 code units, as the RFC wants.
  for (const name of Object.keys(members).sort()) {
    const value = members[name];
    if (value === undefined) continue;
    if (text !== "") text += ",";
    text += `${canonicalString(name)}:${write(value, depth + 1)}`;
  }
  return `{${text}}`;
}
