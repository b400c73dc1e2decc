import assert from "node:assert/strict";
import { credential } from "../broker/_credential.ts";
import { permissionTable, type PlaneReach } from "../../src/doctor/permissions.ts";

const ENV = { HOME: "/home/a", XDG_RUNTIME_DIR: "/run/user/1" };

function part(name: string, special: Partial<PlaneReach> = {}) {
  const hosts = ["*.mapped.test", "b.test"];
  const table = permissionTable({ hosts, defaultProtected: true, ...special }, ENV);
  return table.find(({ part }) => part.startsWith(name))!;
}

Deno.test("permissionTable() says what servers give up once they have started", () => {
  for (const name of ["Sidecar", "Authority"]) {
    const { granted, withheld } = part(name);
    assert.deepEqual(withheld, ["run", "ffi", "sys"], name);
    assert.ok(granted.includes("net") && !granted.includes("run"), name);
  }
  assert.deepEqual(part("monitor and its page").withheld, ["run", "ffi", "sys", "net"]);
});

Deno.test("permissionTable() says of the parts that give nothing up that they do not", () => {
  for (const name of ["command line", "__init", "supervisor", "monitor's worker"]) {
    const { granted, withheld } = part(name);
    assert.deepEqual(withheld, [], name);
    assert.ok(granted.includes("run"), name);
  }
});

Deno.test("permissionTable() says which hosts the data plane can reach", () => {
  const { granted, withheld } = part("data-plane worker");
  assert.ok(granted.includes("net: *.mapped.test, b.test, its sockets"), granted.join());
  assert.deepEqual(withheld, ["env", "run", "ffi", "sys", "import"]);
  // Where unmapped hosts may pass, it can reach every host.
  for (const special of [{ defaultProtected: false }, { mayObserve: true }]) {
    assert.ok(part("data-plane worker", special).granted.includes("net: everything"));
  }
  const proxy = part("data-plane worker", { httpProxy: { host: "127.0.0.1", port: 8080 } });
  assert.match(proxy.granted.join(), /127\.0\.0\.1:8080/);
});

Deno.test("permissionTable() says what the credential broker reaches, which is nothing without credentials", () => {
  const none = part("credential broker");
  assert.deepEqual(none.granted, []);
  const helper = {
    command: ["/usr/bin/op", "read"],
    output: "raw" as const,
    env_passthrough: [],
    max_output: 1,
  };
  const table = permissionTable({ hosts: [], defaultProtected: true }, ENV, [
    credential("a", { kind: "command", settings: helper }),
  ]);
  const { granted, withheld } = table.find(({ part }) => part === "credential broker")!;
  assert.ok(granted.includes("run: /usr/bin/op"), granted.join());
  assert.ok(withheld.includes("net") && withheld.includes("write"));
});

Deno.test("permissionTable() says that the watch over deletions reaches snapshots alone", () => {
  const { granted, withheld } = part("watch over deletions");
  assert.ok(granted.includes("write: /home/a/.local/share/firma/snapshots"), granted.join());
  assert.deepEqual(withheld, ["net", "env", "run", "import"]);
});
