/** What each key of a configuration is set to, and by what. */
import type { FirmaError } from "../core/result.ts";
import { fromVariable } from "./authority_environment.ts";
import type { Key, Node, Section } from "./key.ts";
import { ROOT } from "./keys/root.ts";
import type { Environment } from "./paths.ts";
import { isTable, pathName } from "./reader.ts";
import type { TomlDocument } from "./toml.ts";
import type { TomlPath } from "./toml_positions.ts";
import type { Json } from "./value_type.ts";

/** What set a value. */
export type ValueSource =
  | { readonly kind: "file"; readonly file: string; readonly line: number | undefined }
  | { readonly kind: "environment"; readonly variable: string }
  | { readonly kind: "default" };

/** A key with what holds for it. */
export interface ConfigValue {
  /** `sidecar.connector.hosts[0].host` */
  readonly name: string;
  /** As TOML writes it; absent where no one value says what holds. */
  readonly value: Json | undefined;
  /** What holds then, in words. */
  readonly otherwise: string | undefined;
  readonly source: ValueSource;
}

interface Walk {
  readonly document: TomlDocument;
  readonly env: Environment;
  readonly directory: string;
  readonly found: ConfigValue[];
}

/**
 * Every key of a configuration that was found valid, in the order of the
 * reference, with paths resolved against `directory`. A table that may be there
 * any number of times has the keys of those that are there.
 */
export function configValues(
  document: TomlDocument,
  directory: string,
  env: Environment,
): ConfigValue[] {
  const walk: Walk = { document, env, directory, found: [] };
  visitSection(ROOT, document.root, [], walk);
  return walk.found;
}

function visitSection(
  { keys }: Section<unknown>,
  given: unknown,
  path: TomlPath,
  walk: Walk,
): void {
  const table = isTable(given) ? given : {};
  for (const [name, node] of Object.entries(keys)) {
    const value = Object.hasOwn(table, name) ? table[name] : undefined;
    visit(node, value, [...path, name], walk);
  }
}

function visit(node: Node<unknown>, given: unknown, path: TomlPath, walk: Walk): void {
  switch (node.kind) {
    case "key":
      walk.found.push(valueOf(node, given, path, walk));
      return;
    case "section":
      return visitSection(node, given, path, walk);
    case "section list":
      return (Array.isArray(given) ? given : []).forEach((member, index) =>
        visitSection(node.section, member, [...path, index], walk)
      );
    case "section map":
      for (const [name, member] of Object.entries(isTable(given) ? given : {})) {
        visitSection(node.section, member, [...path, name], walk);
      }
  }
}

function valueOf(key: Key<unknown>, given: unknown, path: TomlPath, walk: Walk): ConfigValue {
  const name = pathName(path);
  const override = fromVariable(path, walk.env);
  const at = walk.document.locate(path);
  const source: ValueSource = override
    ? { kind: "environment", variable: override.variable }
    : given !== undefined
    ? { kind: "file", file: walk.document.file, line: at?.line }
    : { kind: "default" };
  const written = override?.value ?? given ?? key.default;
  return {
    name,
    value: written === undefined ? undefined : resolvedValue(key, written as Json, path, walk),
    otherwise: written === undefined ? key.otherwise : undefined,
    source,
  };
}

/** Paths as they are looked for and hosts as they are compared; everything else as it is written. */
function resolvedValue(key: Key<unknown>, written: Json, path: TomlPath, walk: Walk): Json {
  const errors: FirmaError[] = [];
  const { document, directory } = walk;
  const read = key.type.read(written, path, { document, directory, errors });
  const isText = typeof read === "string" ||
    Array.isArray(read) && read.every((each) => typeof each === "string");
  return errors.length === 0 && isText ? read as Json : written;
}
