import assert from "node:assert/strict";
import { packNames, readPack } from "../../src/config/packs.ts";
import { unwrap } from "../../src/core/result.ts";
import { mappedHosts } from "../../src/mapping/mapped_hosts.ts";
import { MappingTable } from "../../src/mapping/table.ts";

const OPENFIRMA = `
dialect = "openfirma"
[[rules]]
host = "API.example.test"
action_class = "code.read"
[[rules]]
host = "*.example.test"
action_class = "code.read"
[[rules]]
host = "api.*.test"
action_class = "code.read"
`;
const LISTED = `
[[rules]]
host = ["B.test:443", "*.a.test", "b.test:8443"]
path = "/x"
action_class = "code.read"
`;

// What this leaves out the data plane could not reach; what it adds it could reach unasked.
Deno.test("mappedHosts() names the hosts that the table names", async (t) => {
  const packs = packNames("mapping").map((name) => [name, unwrap(readPack("mapping", name))]);
  const texts = { ...Object.fromEntries(packs), openfirma: OPENFIRMA, listed: LISTED };
  const all = Object.entries<string>(texts).map(([file, text]) => ({ file, text }));
  for (const files of [...all.map((file) => [file]), all, []]) {
    await t.step(files.map(({ file }) => file).join(" ") || "no file", () => {
      const table = MappingTable.parse(files);
      assert.ok(table.ok, JSON.stringify(table));
      assert.deepEqual(mappedHosts(files), table.value.hosts);
    });
  }
});

Deno.test("mappedHosts() does not throw at files that are not valid", () => {
  for (const text of ["[[rules", "rules = 1", "rules = [1, {}, { host = 5 }, { host = [{}] }]"]) {
    assert.deepEqual(mappedHosts([{ file: "x.toml", text }]), []);
  }
});
