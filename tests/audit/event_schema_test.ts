import assert from "node:assert/strict";
import { EVENT_SCHEMA_FILE, eventSchemaText } from "../../scripts/event_schema.ts";

Deno.test("docs/audit/event.schema.json is that of the types of events", () => {
  assert.equal(
    Deno.readTextFileSync(EVENT_SCHEMA_FILE),
    eventSchemaText(),
    "run scripts/deno run -A scripts/event_schema.ts",
  );
});
