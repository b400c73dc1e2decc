import assert from "node:assert/strict";
import fc from "fast-check";
import { readPolicyFiles, versionOf } from "../../src/authority/policy_files.ts";
import { directory, PERMIT } from "./support.ts";

Deno.test("readPolicyFiles() does not wait for a FIFO, which never ends", async () => {
  await using dir = await directory({ "dev.cedar": PERMIT });
  const { success } = await new Deno.Command("mkfifo", { args: [`${dir.path}/x.cedar`] }).output();
  assert.ok(success);
  const state = await readPolicyFiles(dir.path);
  assert.ok(state.kind === "unusable");
  assert.deepEqual(state.errors.map(({ code }) => code), ["POLICY_FILE_UNREADABLE"]);
});

Deno.test("readPolicyFiles() leaves out a link to nothing, such as an editor's lock", async () => {
  await using dir = await directory({ "dev.cedar": PERMIT });
  await Deno.symlink("somebody@somewhere.1234", `${dir.path}/lock.cedar`);
  const state = await readPolicyFiles(dir.path);
  assert.ok(state.kind === "files");
  assert.deepEqual(state.files, [{ file: "dev.cedar", text: PERMIT }]);
});

Deno.test("versionOf() differs between any two different sets of files", () => {
  const files = fc.array(fc.record({ file: fc.string(), text: fc.string() }), { maxLength: 3 });
  fc.assert(fc.property(files, files, (a, b) => {
    const equal = JSON.stringify(a) === JSON.stringify(b);
    assert.equal(versionOf(a) === versionOf(b), equal);
  }));
  assert.notEqual(
    versionOf([{ file: "a", text: "b1:c1:d" }]),
    versionOf([{ file: "a", text: "b" }, { file: "c", text: "d" }]),
  );
});
