import assert from "node:assert/strict";
import { fixTimes } from "../../scripts/fix_times.ts";
import { installer, releaseFiles } from "../../scripts/release.ts";
import project from "../../deno.json" with { type: "json" };

Deno.test("releaseFiles() names everything that is embedded, with its license", async () => {
  const files = await releaseFiles();
  const bill = JSON.parse(files.get("firma.cdx.json")!);
  assert.deepEqual([bill.bomFormat, bill.specVersion], ["CycloneDX", "1.6"]);
  const components = new Map<string, Record<string, never>>(
    bill.components.map((component: { name: string }) => [component.name, component]),
  );
  for (const name of ["@cedar-policy/cedar-wasm", "hono", "smol-toml", "deno", "v8"]) {
    assert.ok(components.has(name), name);
  }
  // What only tests import is not in the executable.
  assert.ok("fast-check" in project.imports && !components.has("fast-check"));
  const licenses = files.get("LICENSES.txt")!;
  for (const { type, name, version, hashes } of bill.components) {
    if (type !== "library") continue;
    assert.ok(licenses.includes(`${name} ${version}, `), name);
    assert.match(hashes[0].content, /^[0-9a-f]{128}$/);
  }
  assert.match(licenses, /Permission is hereby granted/);
  assert.ok(files.get("firma.bash")!.includes("complete"));
});

Deno.test("installer() trusts the key that signs, and takes no other's place", () => {
  assert.equal(installer("a\nRELEASE_KEY=\nb\n", "RWkey"), "a\nRELEASE_KEY=RWkey\nb\n");
  assert.equal(installer("RELEASE_KEY=RWkey\n", "RWkey"), "RELEASE_KEY=RWkey\n");
  assert.throws(() => installer("RELEASE_KEY=RWother\n", "RWkey"), /trusts another key/);
  assert.throws(() => installer("nothing\n", "RWkey"), /trusts another key/);
});

Deno.test("fixTimes() sets the times of embedded files and no other byte", () => {
  const list =
    '[{"Dir":{"n":".deno_compile_node_modules","e":[{"File":{"n":"a","t":1795428477666}}]}}]';
  const text = new TextEncoder();
  const executable = (listed: string, length = listed.length) => {
    const bytes = new Uint8Array(24 + listed.length);
    bytes.set(text.encode('"t":1795428477666}'));
    new DataView(bytes.buffer).setBigUint64(16, BigInt(length), true);
    bytes.set(text.encode(listed), 24);
    return bytes;
  };
  const bytes = executable(list);
  fixTimes(bytes, 1000000000000);
  assert.deepEqual(bytes, executable(list.replace("1795428477666", "1000000000000")));
  assert.throws(() => fixTimes(executable(list), 5), /has not 13 digits/);
  assert.throws(() => fixTimes(executable(list, list.length + 1), 1000000000000), /cut off/);
  assert.throws(() => fixTimes(executable("{}"), 1000000000000), /lists no embedded files/);
  assert.throws(() => fixTimes(executable(list + list), 1000000000000), /twice/);
});
