import assert from "node:assert/strict";
import { join } from "node:path";
import { CheckedBundles } from "../../src/authority/checked_bundles.ts";
import type { PolicyBundle } from "../../src/core/policy_bundle.ts";
import { directory, PERMIT } from "./support.ts";

function bundle(text: string, schema = "schema"): PolicyBundle {
  return {
    revision: 1,
    version: "0123456789abcdef",
    policies: [{ file: "dev.cedar", text }],
    schema,
    ttlSeconds: 30,
  };
}

Deno.test("CheckedBundles knows a bundle by its whole content", async () => {
  await using dir = await directory({});
  const file = join(dir.path, "data", "checked-bundles");
  const known = new CheckedBundles(file);
  assert.equal(known.has(bundle(PERMIT)), false);
  known.add(bundle(PERMIT));
  assert.equal(new CheckedBundles(file).has({ ...bundle(PERMIT), revision: 7 }), true);
  assert.equal(known.has(bundle(`${PERMIT} `)), false);
  assert.equal(known.has(bundle(PERMIT, "another schema")), false);
  const renamed = { ...bundle(PERMIT), policies: [{ file: "other.cedar", text: PERMIT }] };
  assert.equal(known.has(renamed), false);
  assert.equal(Deno.statSync(file).mode! & 0o777, 0o600);
});

Deno.test("CheckedBundles forgets the bundle unused for longest", async () => {
  await using dir = await directory({});
  const known = new CheckedBundles(join(dir.path, "checked-bundles"));
  known.add(bundle("first"));
  for (let i = 0; i < 64; i++) known.add(bundle(`${i}`));
  assert.equal(known.has(bundle("first")), false);
  assert.equal(known.has(bundle("0")), true);
});

Deno.test("CheckedBundles believes no file that others could have written", async (t) => {
  await using dir = await directory({});
  const file = join(dir.path, "checked-bundles");
  const known = new CheckedBundles(file);
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

Deno.test("CheckedBundles remembers nothing where it cannot write, and says nothing", () => {
  const known = new CheckedBundles("/proc/none/checked-bundles");
  known.add(bundle(PERMIT));
  assert.equal(known.has(bundle(PERMIT)), false);
});
