import assert from "node:assert/strict";
import { PACKS_DOC, withTables } from "../../scripts/packs_doc.ts";

Deno.test("docs/packs.md counts the operations of the packs as they are", () => {
  const document = Deno.readTextFileSync(PACKS_DOC);
  assert.equal(document, withTables(document), "run: scripts/deno run -A scripts/packs_doc.ts");
});
