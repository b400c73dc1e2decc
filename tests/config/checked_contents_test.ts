import assert from "node:assert/strict";
import { join } from "node:path";
import { CheckedContents } from "../../src/config/checked_contents.ts";
import { directory, PERMIT } from "../authority/support.ts";

function bundle(text: string, schema = "schema"): unknown {
  return [schema, [{ file: "dev.cedar", text }]];
}

function onlyEntry(directory: string): string {
  const [entry, ...others] = [...Deno.readDirSync(directory)];
  assert.deepEqual(others, []);
  return join(directory, entry!.name);
}

Deno.test("CheckedContents knows a content by all of it, and what was derived from it", async () => {
  await using dir = await directory({});
  const place = join(dir.path, "data", "known");
  const known = new CheckedContents(place);
  assert.equal(known.get(bundle(PERMIT)), undefined);
  known.add(bundle(PERMIT), { derived: [1] });
  assert.deepEqual(new CheckedContents(place).get(bundle(PERMIT)), { derived: [1] });
  assert.equal(known.get(bundle(`${PERMIT} `)), undefined);
  assert.equal(known.get(bundle(PERMIT, "another schema")), undefined);
  const renamed = ["schema", [{ file: "other.cedar", text: PERMIT }]];
  assert.equal(known.get(renamed), undefined);
  assert.equal(Deno.statSync(place).mode! & 0o777, 0o700);
  assert.equal(Deno.statSync(onlyEntry(place)).mode! & 0o777, 0o600);
});

Deno.test("CheckedContents forgets what it learned first", async () => {
  await using dir = await directory({});
  const known = new CheckedContents(join(dir.path, "known"));
  known.add(bundle("first"), 0);
  const long = new Date(Date.now() - 60_000);
  Deno.utimeSync(onlyEntry(join(dir.path, "known")), long, long);
  for (let i = 0; i < 64; i++) known.add(bundle(`${i}`), i);
  assert.equal(known.get(bundle("first")), undefined);
  assert.equal(known.get(bundle("63")), 63);
  assert.equal([...Deno.readDirSync(join(dir.path, "known"))].length, 64);
});

// Attack: who may write there makes firma take an invalid policy for a valid one.
Deno.test("CheckedContents believes nothing that others could have written", async (t) => {
  await using dir = await directory({});
  const place = join(dir.path, "known");
  const known = new CheckedContents(place);
  known.add(bundle(PERMIT), "derived");
  const file = onlyEntry(place);
  const believed = () => known.get(bundle(PERMIT));
  await t.step("control: as it was written", () => assert.equal(believed(), "derived"));
  await t.step("a file that everybody may write", () => {
    Deno.chmodSync(file, 0o666);
    assert.equal(believed(), undefined);
    Deno.chmodSync(file, 0o600);
  });
  await t.step("a directory that everybody may write", () => {
    Deno.chmodSync(place, 0o777);
    assert.equal(believed(), undefined);
    Deno.chmodSync(place, 0o700);
    assert.equal(believed(), "derived");
  });
  await t.step("a file that is a symbolic link", () => {
    Deno.renameSync(file, join(dir.path, "real"));
    Deno.symlinkSync(join(dir.path, "real"), file);
    assert.equal(believed(), undefined);
    Deno.removeSync(file);
    Deno.renameSync(join(dir.path, "real"), file);
    assert.equal(believed(), "derived");
  });
  await t.step("a directory that is a symbolic link", () => {
    Deno.renameSync(place, `${place}.real`);
    Deno.symlinkSync(`${place}.real`, place);
    assert.equal(believed(), undefined);
    known.add(bundle("other"), "derived");
    assert.equal(known.get(bundle("other")), undefined);
    Deno.removeSync(place);
    Deno.renameSync(`${place}.real`, place);
  });
  await t.step("half a file", () => {
    Deno.truncateSync(file, 4);
    assert.equal(believed(), undefined);
  });
});

Deno.test("CheckedContents remembers nothing where it cannot write, and says nothing", () => {
  const known = new CheckedContents("/proc/none/known");
  known.add(bundle(PERMIT), 1);
  assert.equal(known.get(bundle(PERMIT)), undefined);
});
