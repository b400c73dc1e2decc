import assert from "node:assert/strict";
import { placedKeys } from "./placed_keys.ts";
import { parseToml } from "../../src/config/toml.ts";
import { configValues } from "../../src/config/values.ts";

const FILE = "/p/.firma/firma.toml";

function values(text: string, env: Record<string, string> = {}) {
  const document = parseToml(text, FILE);
  assert.ok(document.ok);
  const all = configValues(document.value, "/p/.firma", env);
  return new Map(all.map(({ name, ...rest }) => [name, rest]));
}

Deno.test("configValues() says which line of the file set a value", () => {
  const all = values('[sidecar.mapping]\n\ndefault_protected = false\nrules_paths = ["a.toml"]\n');
  assert.deepEqual(all.get("sidecar.mapping.default_protected"), {
    value: false,
    otherwise: undefined,
    source: { kind: "file", file: FILE, line: 3 },
  });
  assert.deepEqual(all.get("sidecar.mapping.rules_paths")?.value, ["/p/.firma/a.toml"]);
});

Deno.test("configValues() says which variable goes before the file", () => {
  const all = values('[authority]\nmax_ttl = "1m"\nbundle_ttl = "2m"\n', {
    FIRMA_AUTHORITY_MAX_TTL: "3m",
    FIRMA_AUTHORITY_BUNDLE_TTL: "",
    FIRMA_AUTHORITY_POLICY_DIR: "elsewhere",
    FIRMA_AUTHORITY_MAPPING_RULES_PATHS: "a.toml:/b.toml",
    FIRMA_AUTHORITY_STORE_KIND: "postgres",
  });
  const of = (name: string) => [all.get(name)?.value, all.get(name)?.source];
  assert.deepEqual(of("authority.max_ttl"), [
    "3m",
    { kind: "environment", variable: "FIRMA_AUTHORITY_MAX_TTL" },
  ]);
  assert.deepEqual(of("authority.bundle_ttl"), ["2m", { kind: "file", file: FILE, line: 3 }]);
  assert.equal(all.get("authority.policy_dir")?.value, "/p/.firma/elsewhere");
  assert.deepEqual(all.get("authority.mapping_rules_paths")?.value, [
    "/p/.firma/a.toml",
    "/b.toml",
  ]);
  assert.deepEqual(of("authority.store.kind"), [
    "postgres",
    { kind: "environment", variable: "FIRMA_AUTHORITY_STORE_KIND" },
  ]);
});

Deno.test("configValues() has each key that may be there once, and each host that is", () => {
  const all = values(
    '[[sidecar.connector.hosts]]\nhost = "A.test."\n[[sidecar.connector.hosts]]\nhost = "b.test"\n',
  );
  const once = placedKeys().filter(({ name }) => !name.includes("[]") && !name.includes("<"));
  for (const { name } of once) assert.ok(all.has(name), name);
  assert.equal(all.get("sidecar.connector.hosts[0].host")?.value, "a.test");
  assert.deepEqual(all.get("sidecar.connector.hosts[1].ca_cert_path"), {
    value: undefined,
    otherwise: "the roots of the system",
    source: { kind: "default" },
  });
  assert.equal(all.has("sidecar.connector.hosts[2].host"), false);
});
