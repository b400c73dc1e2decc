/** Variables of the environment that go before keys of `[authority]`. */
import type { FirmaError } from "../core/result.ts";
import { AUTHORITY } from "./keys/authority.ts";
import type { Environment } from "./paths.ts";
import { isTable } from "./reader.ts";
import type { TomlPath } from "./toml_positions.ts";

const PREFIX = "FIRMA_AUTHORITY_";

/** The variable that goes before the key at `path`; lists and keys of further tables have none. */
export function authorityVariable(path: TomlPath): string | undefined {
  const [table, name, ...rest] = path;
  if (table !== "authority" || typeof name !== "string" || rest.length > 0) return undefined;
  const node = Object.hasOwn(AUTHORITY.keys, name)
    ? AUTHORITY.keys[name as keyof typeof AUTHORITY.keys]
    : undefined;
  const isText = node?.kind === "key" && node.type.schema["type"] === "string";
  return isText ? PREFIX + name.toUpperCase() : undefined;
}

/** The root of a `firma.toml` with what `env` says of `[authority]` in place of what is written. */
export function withAuthorityVariables(
  root: Readonly<Record<string, unknown>>,
  env: Environment,
): Readonly<Record<string, unknown>> {
  const overrides = Object.entries(env)
    .filter(([name, value]) => name.startsWith(PREFIX) && value !== undefined && value !== "")
    .map(([name, value]) => [name.slice(PREFIX.length).toLowerCase(), value] as const);
  if (overrides.length === 0) return root;
  const given = root["authority"];
  if (given !== undefined && !isTable(given)) return root; // which is a fault of the file
  return { ...root, authority: { ...given, ...Object.fromEntries(overrides) } };
}

/** A fault of a value that came from the environment is not in the file. */
export function atVariable(error: FirmaError, env: Environment): FirmaError {
  const key = /"authority\.(\w+)"/.exec(error.message)?.[1] ?? "";
  const variable = PREFIX + key.toUpperCase();
  if (key === "" || !env[variable]) return error;
  const { code, message } = error;
  return { code, message, cure: `change or unset ${variable}` };
}
