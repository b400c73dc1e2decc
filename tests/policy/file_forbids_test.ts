import assert from "node:assert/strict";
import { fileForbids } from "../../src/policy/file_forbids.ts";

const SCOPE = "principal, action, resource";

/** Whether a policy counts, and whether it depends on the agent. */
const CASES: Readonly<Record<string, [string, boolean, boolean?]>> = {
  "a forbid of writing": [
    `forbid (principal, action == Firma::Action::"filesystem.write", resource);`,
    true,
  ],
  "a forbid of reading, in a list, with a condition": [
    `@id("x") forbid (principal, action in [Firma::Action::"code.read",
      Firma::Action::"filesystem.read"], resource) when { resource.path like "/a*" };`,
    true,
  ],
  "a forbid that names the class in its condition": [
    `forbid (${SCOPE}) when { action == Firma::Action::"filesystem.write" };`,
    true,
  ],
  // Attack: the name is spelt so that a search of the text does not find it.
  "a forbid with an escape in the name": [
    `forbid (principal, action == Firma::Action::"filesystem.wr\\u{69}te", resource);`,
    true,
  ],
  "a forbid behind a string that looks like a comment": [
    `@note("// ") forbid (principal, action == Firma::Action::"filesystem.write", resource);`,
    true,
  ],
  "a forbid of one agent": [
    `forbid (principal == Firma::Agent::"a", action == Firma::Action::"filesystem.read", resource);`,
    true,
    true,
  ],
  "a forbid of one agent, by its condition": [
    `forbid (principal, action == Firma::Action::"filesystem.read", resource)
      unless { principal == Firma::Agent::"a" };`,
    true,
    true,
  ],
  "a permit": [
    `permit (principal, action == Firma::Action::"filesystem.write", resource);`,
    false,
  ],
  "a forbid of everything": [`forbid (${SCOPE});`, false],
  "a forbid of deleting": [
    `forbid (principal, action == Firma::Action::"filesystem.delete", resource);`,
    false,
  ],
  "a comment": [
    `// forbid (principal, action == Firma::Action::"filesystem.write", resource);`,
    false,
  ],
  "a permit whose comment forbids": [
    `permit (principal, // forbid\n action == Firma::Action::"filesystem.write", resource);`,
    false,
  ],
};

for (const [name, [text, counts, namesPrincipal = false]] of Object.entries(CASES)) {
  Deno.test(`fileForbids() ${counts ? "finds" : "leaves out"} ${name}`, () => {
    const found = fileForbids([{ file: "a.cedar", text }]);
    const start = text.search(/@|forbid/);
    assert.deepEqual(found, counts ? [{ file: "a.cedar", start, namesPrincipal }] : []);
  });
}

Deno.test("fileForbids() finds nothing in the postures that firma brings", async () => {
  for await (const { name } of Deno.readDir(new URL("../../packs/postures", import.meta.url))) {
    const text = await Deno.readTextFile(
      new URL(`../../packs/postures/${name}`, import.meta.url),
    );
    assert.deepEqual(fileForbids([{ file: name, text }]), [], name);
  }
});
