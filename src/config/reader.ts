/**
 * A small language for configuration schemas. A {@linkcode Reader} checks one
 * value and turns it into what the program works with; faults are collected, so
 * that an operator sees all of them at once, each with its line.
 */
import { resolve } from "../core/path.ts";
import { nearest } from "../core/nearest.ts";
import type { FirmaError } from "../core/result.ts";
import type { TomlDocument } from "./toml.ts";
import type { TomlPath } from "./toml_positions.ts";

/** What a reader needs beside the value. */
export interface ReadContext {
  readonly document: TomlDocument;
  /** Directory that relative paths resolve against. */
  readonly directory: string;
  readonly errors: FirmaError[];
  /** What to write instead of a key that is unknown here and means something elsewhere. */
  readonly instead?: ((path: TomlPath) => string | undefined) | undefined;
}

/**
 * Reads the value at `path`; `undefined` means that the key is absent. After a
 * fault, which is in `context.errors`, the value returned has no meaning.
 */
export type Reader<T> = (value: unknown, path: TomlPath, context: ReadContext) => T;

/** Names a path as an operator would: `sidecar.connector.hosts[0].host`. */
export function pathName(path: TomlPath): string {
  return path.map((part, i) => typeof part === "number" ? `[${part}]` : i ? `.${part}` : part)
    .join("");
}

/** Notes what is wrong with the value at `path`. */
export function fault(
  context: ReadContext,
  path: TomlPath,
  state: string,
  cure?: string,
): void {
  context.errors.push({
    code: "CONFIG_INVALID",
    message: `Cannot use "${pathName(path)}": ${state}`,
    ...(cure && { cure }),
    at: context.document.locate(path),
  });
}

/** Tells a table from the other values of TOML. */
export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Date);
}

function text<T>(fallback: T, parse: (value: string, context: ReadContext) => Checked<T>) {
  return (value: unknown, path: TomlPath, context: ReadContext): T => {
    if (value === undefined) return fallback;
    if (typeof value !== "string") {
      fault(context, path, "it is not a string");
      return fallback;
    }
    const parsed = parse(value, context);
    if ("value" in parsed) return parsed.value;
    fault(context, path, parsed.state, parsed.cure);
    return fallback;
  };
}

/** What a check says of a string: the value it stands for, or what is wrong with it. */
export type Checked<T> = { readonly value: T } | { readonly state: string; readonly cure?: string };

/** A string that `check` accepts; `fallback` when the key is absent. */
export function stringOr<T>(fallback: T, check: (value: string) => Checked<T>): Reader<T> {
  return text(fallback, check);
}

/** A string that must be there and that `check` accepts. */
export function requiredString(check: (value: string) => Checked<string>): Reader<string> {
  const optional = text("", check);
  return (value, path, context) => {
    if (value === undefined) fault(context, path, "it is missing");
    return optional(value, path, context);
  };
}

function resolved(value: string, directory: string): Checked<string> {
  if (value === "") return { state: "value is empty" };
  if (value.includes("\0")) return { state: "a path cannot contain NUL" };
  return { value: resolve(directory, value) };
}

/** A path that may be absent, resolved against the directory of the file. */
export const optionalPath: Reader<string | undefined> = text<string | undefined>(
  undefined,
  (value, context) => resolved(value, context.directory),
);

/** A list of what `item` reads; empty when the key is absent. */
export function listOf<T>(item: Reader<T>): Reader<T[]> {
  return (value, path, context) => {
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      fault(context, path, "it is not a list");
      return [];
    }
    return value.map((member, index) => item(member, [...path, index], context));
  };
}

/** A table with exactly these keys; all of them absent when the table is. */
export function table<S extends Readonly<Record<string, Reader<unknown>>>>(
  shape: S,
): Reader<{ [K in keyof S]: ReturnType<S[K]> }> {
  const known = Object.keys(shape);
  return (value, path, context) => {
    if (value !== undefined && !isTable(value)) fault(context, path, "it is not a table");
    const given = isTable(value) ? value : {};
    for (const key of Object.keys(given)) {
      if (Object.hasOwn(shape, key)) continue;
      const close = nearest(key, known);
      const cure = context.instead?.([...path, key]) ??
        (close ? `did you mean "${close}"?` : `known here: ${known.join(", ")}`);
      fault(context, [...path, key], "there is no such key", cure);
    }
    const read = known.map((key) => [
      key,
      shape[key]!(Object.hasOwn(given, key) ? given[key] : undefined, [...path, key], context),
    ]);
    return Object.fromEntries(read) as { [K in keyof S]: ReturnType<S[K]> };
  };
}
