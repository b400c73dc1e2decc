import assert from "node:assert/strict";
import {
  CONFIGURATION_DOC,
  jsonSchema,
  SCHEMA_FILE,
  withTables,
} from "../../scripts/config_docs.ts";
import { placedKeys } from "../config/placed_keys.ts";
import { parseConfig } from "../../src/config/schema.ts";
import { SCHEMA_URL } from "../../src/config/schema_url.ts";
import { parseToml } from "../../src/config/toml.ts";
import type { Json } from "../../src/config/value_type.ts";
import { blocks } from "./guide.ts";

const RUN = "run: scripts/deno run -A scripts/config_docs.ts";
const DOCUMENT = Deno.readTextFileSync(CONFIGURATION_DOC);

type Schema = { readonly [keyword: string]: Json };

/** Whether `value` is what `schema` says, for the keywords that the schema uses. */
function accepts(schema: Schema, value: unknown): boolean {
  return Object.entries(schema).every(([keyword, said]) => {
    switch (keyword) {
      case "type":
        return typeOf(value) === said || said === "integer" && Number.isInteger(value);
      case "enum":
        return (said as Json[]).includes(value as Json);
      case "pattern":
        return typeof value !== "string" || new RegExp(said as string, "u").test(value);
      case "minLength":
        return typeof value !== "string" || value.length >= (said as number);
      case "minimum":
        return typeof value !== "number" || value >= (said as number);
      case "maximum":
        return typeof value !== "number" || value <= (said as number);
      case "items":
        return !Array.isArray(value) || value.every((each) => accepts(said as Schema, each));
      case "properties":
        return Object.entries(said).every(([name, inner]) =>
          !isObject(value) || !(name in value) || accepts(inner as Schema, value[name])
        );
      case "propertyNames":
        return !isObject(value) ||
          Object.keys(value).every((name) => accepts(said as Schema, name));
      case "required":
        return !isObject(value) || (said as string[]).every((name) => name in value);
      case "additionalProperties": {
        if (!isObject(value)) return true;
        const known = Object.keys(schema["properties"] ?? {});
        return Object.entries(value).every(([name, inner]) =>
          known.includes(name) || said !== false && accepts(said as Schema, inner)
        );
      }
      case "anyOf":
        return (said as Schema[]).some((each) => accepts(each, value));
      case "$schema":
      case "$id":
      case "title":
      case "description":
      case "default":
      case "examples":
        return true;
      default:
        assert.fail(`an unknown keyword: ${keyword}`);
    }
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeOf(value) === "object";
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? "array" : typeof value;
}

/** The paths of all values in a schema, as `placedKeys()` names them, with what is said of each. */
function leaves(schema: Schema, path = ""): [string, Schema][] {
  const { properties, items, additionalProperties } = schema;
  if (properties !== undefined) {
    return Object.entries(properties).flatMap(([name, inner]) =>
      leaves(inner as Schema, path === "" ? name : `${path}.${name}`)
    );
  }
  const isTables = items !== undefined && (items as Schema)["properties"] !== undefined;
  if (isTables) return leaves(items as Schema, `${path}[]`);
  if (typeof additionalProperties === "object") {
    return leaves(additionalProperties as Schema, `${path}.*`);
  }
  return [[path, schema]];
}

Deno.test("docs/firma.schema.json is made from the keys as they are", () => {
  assert.deepEqual(JSON.parse(Deno.readTextFileSync(SCHEMA_FILE)), jsonSchema(), RUN);
});

Deno.test("docs/configuration.md has the keys as they are", () => {
  assert.equal(DOCUMENT, withTables(DOCUMENT), RUN);
});

Deno.test("every key is in the schema, and the schema has no other", () => {
  const names = placedKeys().map(({ name }) => name.replace(/<\w+>/, "*"));
  assert.deepEqual(leaves(jsonSchema()).map(([name]) => name).sort(), names.sort());
});

Deno.test("the schema takes every example and every default that the code takes", () => {
  const schemas = new Map(leaves(jsonSchema()));
  for (const { name, key } of placedKeys()) {
    for (const value of [key.default, key.example]) {
      if (value === undefined) continue;
      assert.ok(accepts(schemas.get(name.replace(/<\w+>/, "*"))!, value), name);
    }
  }
});

Deno.test("the schema refuses what an editor can see to be wrong", () => {
  const agent = "agt_00000000000000000000000000";
  const sidecar = { authority: { agent_id: agent } };
  const good: unknown[] = [{ sidecar }, { authority: {} }, { sidecar, run: { profile: "codex" } }];
  for (const value of good) assert.ok(accepts(jsonSchema(), value), JSON.stringify(value));
  const bad: unknown[] = [
    {},
    { sidecar: {} },
    { sidecar: { authority: { agent_id: "agent" } } },
    { sidecar, authorities: {} },
    { sidecar, authority: { max_ttl: "soon" } },
    { sidecar: { ...sidecar, mapping: { default_protected: "yes" } } },
    { sidecar: { ...sidecar, connector: { hosts: [{ connect_addr: "a:1" }] } } },
    { sidecar, authority: { store: { kind: "redis" } } },
  ];
  for (const value of bad) assert.ok(!accepts(jsonSchema(), value), JSON.stringify(value));
});

Deno.test("every example of docs/configuration.md is a configuration, for firma and for editors", () => {
  const examples = blocks(DOCUMENT, /never^/g).filter(({ language }) => language === "toml");
  assert.ok(examples.length > 0);
  const defaults = { projectDataDir: "/data", auditFile: "/audit", authorityKey: "/key" };
  for (const { text } of examples) {
    const config = parseConfig(text, "/p/.firma/firma.toml", defaults);
    assert.ok(config.ok, JSON.stringify(config));
    const document = parseToml(text, "example");
    assert.ok(document.ok && accepts(jsonSchema(), document.value.root), text);
  }
  assert.ok(DOCUMENT.includes(`#:schema ${SCHEMA_URL}\n`));
});
