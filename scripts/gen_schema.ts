/** Writes `policies/firma.cedarschema` from the action-class registry. */
import { schemaText } from "../src/policy/schema.ts";

Deno.writeTextFileSync(new URL("../policies/firma.cedarschema", import.meta.url), schemaText());
