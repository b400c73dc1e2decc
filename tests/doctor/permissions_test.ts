import assert from "node:assert/strict";
import { permissionTable } from "../../src/doctor/permissions.ts";

function part(name: string, defaultProtected = true) {
  const table = permissionTable({ hosts: ["*.mapped.test", "b.test"], defaultProtected });
  return table.find(({ part }) => part.startsWith(name))!;
}

Deno.test("permissionTable() says what servers give up once they have started", () => {
  for (const name of ["Sidecar", "Authority"]) {
    const { granted, withheld } = part(name);
    assert.deepEqual(withheld, ["run", "ffi", "sys"], name);
    assert.ok(granted.includes("net") && !granted.includes("run"), name);
  }
});

Deno.test("permissionTable() says which hosts the data plane can reach", () => {
  const { granted, withheld } = part("data-plane worker");
  assert.ok(granted.includes("net: *.mapped.test, b.test, its sockets"), granted.join());
  assert.deepEqual(withheld, ["env", "run", "ffi", "sys", "import"]);
  // Where unmapped hosts may pass, it can reach every host.
  assert.ok(part("data-plane worker", false).granted.includes("net: everything"));
});
