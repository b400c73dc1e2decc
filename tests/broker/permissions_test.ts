import assert from "node:assert/strict";
import { brokerPermissions } from "../../src/broker/permissions.ts";
import { credential } from "./_credential.ts";

const NOTHING = { write: false, ffi: false, sys: false, import: false };

Deno.test("brokerPermissions() are what the credentials name, and an empty list is none", () => {
  assert.deepEqual(brokerPermissions([]), {
    ...NOTHING,
    net: false,
    run: false,
    read: false,
    env: false,
  });
  const helper = {
    command: ["/usr/bin/op", "read", "/etc/passwd"],
    output: "raw" as const,
    env_passthrough: ["OP_TOKEN"],
    max_output: 1,
  };
  const { run, read, env, net } = brokerPermissions([
    credential("a"),
    credential("b", { kind: "file", settings: { path: "/secret" } }),
    credential("c", { kind: "command", settings: helper }),
  ]);
  assert.deepEqual([run, read, net], [["/usr/bin/op"], ["/secret"], false]);
  assert.ok(Array.isArray(env) && env.includes("KEY") && env.includes("OP_TOKEN"));
});
