/** What is different between two configurations, and when each difference comes into force. */
import { dirname } from "../core/path.ts";
import { withAuthorityVariables } from "./authority_environment.ts";
import type { Applies, Key, Node, Section } from "./key.ts";
import { ROOT } from "./keys/root.ts";
import type { Environment } from "./paths.ts";
import { isTable, type ReadContext } from "./reader.ts";
import type { TomlDocument } from "./toml.ts";

/** A key with another value than before. */
export interface ConfigChange {
  /** As an operator names it; a list of tables and tables under chosen names as a whole. */
  readonly key: string;
  readonly applies: Applies;
}

/** What takes longest comes last. */
const ORDER: readonly Applies[] = ["live", "next run", "restart"];

interface Side {
  readonly given: unknown;
  readonly context: ReadContext;
}

/**
 * The keys whose values differ between two valid configurations, in the order of
 * the reference. Another way to write the same value is no difference.
 */
export function compareConfigs(
  before: TomlDocument,
  after: TomlDocument,
  env: Environment = {},
): ConfigChange[] {
  const side = (document: TomlDocument): Side => ({
    given: withAuthorityVariables(document.root, env),
    context: { document, directory: dirname(document.file), errors: [] },
  });
  return compareSection(ROOT, side(before), side(after), "");
}

function compareSection(
  { keys }: Section<unknown>,
  before: Side,
  after: Side,
  prefix: string,
): ConfigChange[] {
  return Object.entries(keys).flatMap(([name, node]) =>
    compareNode(node, within(before, name), within(after, name), prefix + name)
  );
}

function within({ given, context }: Side, name: string): Side {
  const value = isTable(given) && Object.hasOwn(given, name) ? given[name] : undefined;
  return { given: value, context };
}

function compareNode(node: Node<unknown>, before: Side, after: Side, key: string): ConfigChange[] {
  switch (node.kind) {
    case "section":
      return compareSection(node, before, after, `${key}.`);
    case "key":
      if (valueText(node, before) === valueText(node, after)) return [];
      return [{ key, applies: node.applies }];
    case "section list":
    case "section map":
      if (membersText(node.section, before) === membersText(node.section, after)) return [];
      return [{ key, applies: slowest(node.section) }];
  }
}

/** Equal for equal meanings. Required keys of what is absent read as nothing. */
function valueText(key: Key<unknown>, { given, context }: Side): string {
  return JSON.stringify(key.read(given, [], context)) ?? "";
}

function membersText(section: Section<unknown>, { given, context }: Side): string {
  if (!isTable(given) && !Array.isArray(given)) return "[]";
  return JSON.stringify(
    Object.entries(given).map(([name, member]) => [name, sectionValues(section, member, context)]),
  );
}

function sectionValues(section: Section<unknown>, given: unknown, context: ReadContext): unknown {
  return Object.entries(section.keys).map(([name, node]) => {
    const inner = within({ given, context }, name);
    if (node.kind === "key") return valueText(node, inner);
    if (node.kind === "section") return sectionValues(node, inner.given, context);
    return membersText(node.section, inner);
  });
}

/** A table that is there or not is as a whole in force when the last of its keys is. */
function slowest(section: Section<unknown>): Applies {
  const all = Object.values(section.keys).map((node) =>
    node.kind === "key" ? node.applies : slowest(node.kind === "section" ? node : node.section)
  );
  return ORDER.findLast((applies) => all.includes(applies)) ?? "live";
}
