/**
 * Writes `docs/firma.schema.json` and the tables of `docs/configuration.md` from the
 * descriptions of the keys.
 *
 *   deno run -A scripts/config_docs.ts
 */
import type { Key, Node, Section } from "../src/config/key.ts";
import { ROOT } from "../src/config/keys/root.ts";
import { FIRST_VERSION, LABEL } from "../src/config/key.ts";
import { SCHEMA_URL } from "../src/config/schema_url.ts";
import type { Json } from "../src/config/value_type.ts";

export const SCHEMA_FILE = new URL("../docs/firma.schema.json", import.meta.url);
export const CONFIGURATION_DOC = new URL("../docs/configuration.md", import.meta.url);

type JsonObject = { readonly [name: string]: Json };

/** `firma.toml` as JSON Schema, draft 2020-12, for editors. */
export function jsonSchema(): JsonObject {
  const { required: _, ...root } = sectionSchema(ROOT);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: SCHEMA_URL,
    title: "firma.toml",
    ...root,
    // An Authority alone needs no agent; everything else does.
    anyOf: [{ required: ["sidecar"] }, { required: ["authority"] }],
  };
}

function nodeSchema(node: Node<unknown>): JsonObject {
  switch (node.kind) {
    case "key":
      return keySchema(node);
    case "section":
      return sectionSchema(node);
    case "section list":
      return { type: "array", description: node.about, items: sectionSchema(node.section) };
    case "section map":
      return {
        type: "object",
        description: node.about,
        propertyNames: { pattern: LABEL.source },
        additionalProperties: sectionSchema(node.section),
      };
  }
}

function keySchema({ type, about, example, ...key }: Key<unknown>): JsonObject {
  const otherwise = key.otherwise === undefined ? "" : `\n\nDefault: ${key.otherwise}`;
  return {
    ...type.schema,
    description: `${about}.${otherwise}`,
    ...(key.default !== undefined && { default: key.default }),
    ...(example !== undefined && { examples: [example] }),
  };
}

function sectionSchema({ about, keys }: Section<unknown>): JsonObject {
  const required = Object.entries(keys).filter(([, node]) => isRequired(node));
  return {
    type: "object",
    description: `${about}.`,
    properties: Object.fromEntries(
      Object.entries(keys).map(([name, node]) => [name, nodeSchema(node)]),
    ),
    ...(required.length > 0 && { required: required.map(([name]) => name) }),
    additionalProperties: false,
  };
}

function isRequired(node: Node<unknown>): boolean {
  if (node.kind === "key") return node.isRequired;
  return node.kind === "section" && Object.values(node.keys).some(isRequired);
}

const GENERATED = /(<!-- deno-fmt-ignore-start -->\n)[^]*?(<!-- deno-fmt-ignore-end -->)/;

/** `docs/configuration.md` with its tables made anew. */
export function withTables(document: string): string {
  if (!GENERATED.test(document)) throw new Error("Cannot write the tables: they have no place");
  return document.replace(GENERATED, (_, start, end) => `${start}\n${tables()}\n${end}`);
}

function tables(): string {
  return Object.entries(ROOT.keys).flatMap(([name, node]) => tableOf(name, node)).join("\n");
}

/** The keys of a table, and then those of the tables within. */
function tableOf(name: string, node: Node<unknown>): string[] {
  if (node.kind === "key") throw new Error(`Cannot document "${name}": it is in no table`);
  const heading = {
    "section": `[${name}]`,
    "section list": `[[${name}]]`,
    "section map": node.kind === "section map" ? `[${name}.${node.label}]` : "",
  }[node.kind];
  const { keys } = node.kind === "section" ? node : node.section;
  const own = Object.entries(keys).filter(([, member]) => member.kind === "key");
  const rows = own.map(([key, member]) => member.kind === "key" ? row(key, member) : "");
  return [
    `### \`${heading}\``,
    "",
    `${node.about}.`,
    "",
    ...(rows.length > 0
      ? [
        "| key | meaning | type | default | example | a change holds |",
        "| --- | --- | --- | --- | --- | --- |",
        ...rows,
        "",
      ]
      : []),
    ...Object.entries(keys).filter(([, member]) => member.kind !== "key")
      .flatMap(([key, member]) => tableOf(`${name}.${key}`, member)),
  ];
}

const APPLIES = { "live": "at once", "next run": "next run", "restart": "restart" } as const;

function row(name: string, key: Key<unknown>): string {
  const absent = key.isRequired
    ? "required"
    : key.default === undefined
    ? key.otherwise!
    : code(key.default);
  const example = key.example === undefined ? "" : code(key.example);
  const since = key.since === FIRST_VERSION ? "" : ` (since ${key.since})`;
  const cells = [
    `\`${name}\``,
    key.about + since,
    key.type.name,
    absent,
    example,
    APPLIES[key.applies],
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/** A value as TOML writes it, which for these is as JSON does. */
function code(value: Json): string {
  return `\`${
    Array.isArray(value)
      ? `[${value.map((each) => JSON.stringify(each)).join(", ")}]`
      : JSON.stringify(value)
  }\``;
}

if (import.meta.main) {
  Deno.writeTextFileSync(SCHEMA_FILE, `${JSON.stringify(jsonSchema(), null, 2)}\n`);
  const document = Deno.readTextFileSync(CONFIGURATION_DOC);
  Deno.writeTextFileSync(CONFIGURATION_DOC, withTables(document));
}
