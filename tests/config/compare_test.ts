import assert from "node:assert/strict";
import { compareConfigs } from "../../src/config/compare.ts";
import { placedKeys } from "./placed_keys.ts";
import { parseToml } from "../../src/config/toml.ts";
import { setKey } from "../../src/config/toml_edit.ts";
import { unwrap } from "../../src/core/result.ts";

function changes(before: string, after: string, env: Record<string, string> = {}): string[] {
  const document = (text: string) => unwrap(parseToml(text, "/p/.firma/firma.toml"));
  return compareConfigs(document(before), document(after), env)
    .map(({ key, applies }) => `${key}: ${applies}`);
}

Deno.test("compareConfigs() names each key whose value differs, and when it applies", () => {
  const before = '[authority]\nmax_ttl = "1h"\n[sidecar.mapping]\nrules_paths = ["a.toml"]\n';
  const after = `[authority]
max_ttl = "30m"
[sidecar]
connector.idle_timeout = "1m"
mapping.rules_paths = ["a.toml", "b.toml"]
[run]
profile = "codex"
`;
  assert.deepEqual(changes(before, after), [
    "authority.max_ttl: restart",
    "sidecar.mapping.rules_paths: live",
    "sidecar.connector.idle_timeout: live",
    "run.profile: next run",
  ]);
});

Deno.test("compareConfigs() takes another way to write the same for no difference", () => {
  const table: Record<string, [string, string]> = {
    "a comment": ["", "# hello\n"],
    "a default": ["", '[sidecar.connector]\nconnect_timeout = "10s"\n'],
    "a unit": ['[authority]\nmax_ttl = "60m"\n', '[authority]\nmax_ttl = "1h"\n'],
    "a path": ['[authority]\npolicy_dir = "./p/"\n', '[authority]\npolicy_dir = "/p/.firma/p"\n'],
    "a host": [
      '[[sidecar.connector.hosts]]\nhost = "A.test."\n',
      '[sidecar]\nconnector.hosts = [{ host = "a.test" }]\n',
    ],
    "an empty table": ["", "[run]\n"],
  };
  for (const [name, [before, after]] of Object.entries(table)) {
    assert.deepEqual(changes(before, after), [], name);
  }
});

Deno.test("compareConfigs() names a list of hosts as a whole", () => {
  const one = '[[sidecar.connector.hosts]]\nhost = "a.test"\n';
  assert.deepEqual(changes("", one), ["sidecar.connector.hosts: live"]);
  assert.deepEqual(changes(one, `${one}ca_cert_path = "a.pem"\n`), [
    "sidecar.connector.hosts: live",
  ]);
});

Deno.test("compareConfigs() sees no difference in what a variable says instead", () => {
  const [before, after] = ['[authority]\nmax_ttl = "1h"\n', '[authority]\nmax_ttl = "2h"\n'];
  assert.deepEqual(changes(before, after, { FIRMA_AUTHORITY_MAX_TTL: "3h" }), []);
});

Deno.test("compareConfigs() notices the example of every key, and no other key with it", () => {
  for (const { name, key } of placedKeys()) {
    if (name.includes("[]") || name.includes("<")) continue;
    const path = name.split(".") as [string, ...string[]];
    const after = unwrap(setKey("", path, key.example ?? "x"));
    assert.deepEqual(changes("", after), [`${name}: ${key.applies}`]);
  }
});
