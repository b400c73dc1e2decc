/**
 * Variables of the environment that go before keys of `[authority]`: `FIRMA_AUTHORITY_MAX_TTL`,
 * and `FIRMA_AUTHORITY_STORE_KIND` for a key of a table within. A list is written as paths are,
 * with colons between its members, and a boolean as `true` or `false`. An empty variable counts as none.
 */
import type { FirmaError } from "../core/result.ts";
import type { Section } from "./key.ts";
import { AUTHORITY } from "./keys/authority.ts";
import type { Environment } from "./paths.ts";
import { isTable } from "./reader.ts";
import type { TomlPath } from "./toml_positions.ts";

const PREFIX = "FIRMA_AUTHORITY_";

/** A key that has a variable. */
interface Place {
  /** From the root of the file on. */
  readonly path: readonly string[];
  readonly isList: boolean;
  readonly isBoolean: boolean;
}

/** The keys of a table by the names of their variables. */
function keysOf(section: Section<unknown>, above: readonly string[]): [string, Place][] {
  return Object.entries(section.keys).flatMap(([name, node]) => {
    const path = [...above, name];
    if (node.kind === "section") return keysOf(node, path);
    if (node.kind !== "key") return [];
    const isList = node.type.schema["type"] === "array";
    const isBoolean = node.type.schema["type"] === "boolean";
    return [[`FIRMA_${path.join("_").toUpperCase()}`, { path, isList, isBoolean }]];
  });
}

const VARIABLES: ReadonlyMap<string, Place> = new Map(keysOf(AUTHORITY, ["authority"]));

/** What the environment says of the key at `path`, as a file would have it. */
export function fromVariable(
  path: TomlPath,
  env: Environment,
): { readonly variable: string; readonly value: VariableValue } | undefined {
  const variable = `FIRMA_${path.join("_").toUpperCase()}`;
  const place = VARIABLES.get(variable);
  const text = env[variable];
  if (place?.path.join(".") !== path.join(".") || !text) return undefined;
  return { variable, value: valueOf(text, place) };
}

type VariableValue = string | boolean | readonly string[];

function valueOf(text: string, place: Place | undefined): VariableValue {
  if (place?.isBoolean && (text === "true" || text === "false")) return text === "true";
  return place?.isList ? text.split(":") : text;
}

/** The root of a `firma.toml` with what `env` says of `[authority]` in place of what is written. */
export function withAuthorityVariables(
  root: Readonly<Record<string, unknown>>,
  env: Environment,
): Readonly<Record<string, unknown>> {
  let all = root;
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || !value) continue;
    const place = VARIABLES.get(name);
    // One that names no key is refused like a key that there is not.
    const path = place?.path ?? ["authority", name.slice(PREFIX.length).toLowerCase()];
    all = put(all, path, valueOf(value, place));
  }
  return all;
}

function put(
  table: Readonly<Record<string, unknown>>,
  [name, ...below]: readonly string[],
  value: unknown,
): Readonly<Record<string, unknown>> {
  if (name === undefined) return table;
  if (below.length === 0) return { ...table, [name]: value };
  const given = table[name] ?? {};
  // What is no table where one is wanted is a fault of the file.
  return isTable(given) ? { ...table, [name]: put(given, below, value) } : table;
}

/** A fault of a value that came from the environment is not in the file. */
export function atVariable(error: FirmaError, env: Environment): FirmaError {
  const key = /"(authority\.[\w.]+)/.exec(error.message)?.[1] ?? "";
  const variable = `FIRMA_${key.replaceAll(".", "_").toUpperCase()}`;
  if (key === "" || !env[variable]) return error;
  const { code, message } = error;
  return { code, message, cure: `change or unset ${variable}` };
}
