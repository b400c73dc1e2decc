/**
 * Writes `docs/audit/event.schema.json`, the JSON Schema of a line of the audit log, from the types
 * that the code has for it: `scripts/deno run -A scripts/event_schema.ts`.
 */
import { createGenerator } from "ts-json-schema-generator";
import { publishedUrl } from "../src/config/schema_url.ts";
import { EVENT_SCHEMA_VERSION } from "../src/core/event.ts";

const ROOT = new URL("../", import.meta.url);

/** Where it is published. */
export const EVENT_SCHEMA_FILE = new URL("docs/audit/event.schema.json", ROOT);

/** The text of the schema (JSON Schema draft-07). */
export function eventSchemaText(): string {
  const directory = Deno.makeTempDirSync();
  try {
    const tsconfig = `${directory}/tsconfig.json`;
    // The types of the code need nothing of the runtime's.
    const compilerOptions = {
      allowImportingTsExtensions: true,
      noEmit: true,
      module: "esnext",
      moduleResolution: "bundler",
      target: "esnext",
      strict: true,
      types: [],
    };
    Deno.writeTextFileSync(tsconfig, JSON.stringify({ compilerOptions }));
    const schema = createGenerator({
      path: new URL("src/core/event.ts", ROOT).pathname,
      type: "SignedEvent",
      tsconfig,
      skipTypeCheck: true,
      sortProps: true,
      additionalProperties: false,
    }).createSchema("SignedEvent");
    const about = {
      $id: publishedUrl("docs/audit/event.schema.json"),
      title: "A line of the audit log of firma",
      description: `Version ${EVENT_SCHEMA_VERSION}`,
    };
    return `${JSON.stringify({ ...about, ...schema }, null, 2)}\n`;
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

if (import.meta.main) Deno.writeTextFileSync(EVENT_SCHEMA_FILE, eventSchemaText());
