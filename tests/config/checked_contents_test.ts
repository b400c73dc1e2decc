import assert from "node:assert/strict";
import { join } from "node:path";
import { CheckedContents } from "../../src/config/checked_contents.ts";
import { directory, PERMIT } from "../authority/support.ts";

function bundle(text: string, schema = "schema"): unknown {
  return [schema, [{ file: "dev.cedar", text }]];
}

Deno.test("CheckedContents knows a content by all of it", async () => {
  await using dir = await directory({});
  const file = join(dir.path, "data", "checked");
  const known = new CheckedContents(file);
  assert.equal(known.has(bundle(PERMIT)), false);
  known.add(bundle(PERMIT));
  assert.equal(new CheckedContents(file).has(bundle(PERMIT)), true);
  assert.equal(known.has(bundle(`${PERMIT} `)), false);
  assert.equal(known.has(bundle(PERMIT, "another schema")), false);
  const renamed = ["schema", [{ file: "other.cedar", text: PERMIT }]];
  assert.equal(known.has(renamed), false);
  assert.equal(Deno.statSync(file).mode! & 0o777, 0o600);
});

Deno.test("CheckedContents forgets the bundle unused for longest", async () => {
  await using dir = await directory({});
  const known = new CheckedContents(join(dir.path, "checked"));
  known.add(bundle("first"));
  for (let i = 0; i < 64; i++) known.add(bundle(`${i}`));
  assert.equal(known.has(bundle("first")), false);
  assert.equal(known.has(bundle("0")), true);
});

Deno.test("CheckedContents believes no file that others could have written", async (t) => {
  await using dir = await directory({});
  const file = join(dir.path, "checked");
  const known = new CheckedContents(file);
  known.add(bundle(PERMIT));
  assert.equal(known.has(bundle(PERMIT)), true);
  await t.step("world-writable", () => {
    Deno.chmodSync(file, 0o666);
    assert.equal(known.has(bundle(PERMIT)), false);
    Deno.chmodSync(file, 0o600);
  });
  await t.step("a symbolic link", () => {
    Deno.renameSync(file, `${file}.real`);
    Deno.symlinkSync(`${file}.real`, file);
    assert.equal(known.has(bundle(PERMIT)), false);
  });
});

Deno.test("CheckedContents remembers nothing where it cannot write, and says nothing", () => {
  const known = new CheckedContents("/proc/none/checked");
  known.add(bundle(PERMIT));
  assert.equal(known.has(bundle(PERMIT)), false);
});
