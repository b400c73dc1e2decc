import assert from "node:assert/strict";
import { parseConfig } from "../../src/config/schema.ts";
import { STORE_PRESETS } from "../../src/secrets/store/presets.ts";
import { storeVerdict } from "../../src/secrets/store/secret_store.ts";

const FILE = "/home/ada/app/.firma/firma.toml";
const DEFAULTS = { projectDataDir: "/data/p", auditFile: "/data/a", authorityKey: "/data/k" };
const AGENT = '[sidecar.authority]\nagent_id = "agt_00000000000000000000000000"\n';
const VAULT = '[[sidecar.http_secret_providers]]\nprovider_id = "team"\nhost = "vault.test"\n';
const MATCHER = "[[sidecar.http_secret_providers.matchers]]\n";

const parse = (text: string) => parseConfig(AGENT + text, FILE, DEFAULTS);

function stores(text: string) {
  const parsed = parse(text);
  if (!parsed.ok) assert.fail(JSON.stringify(parsed.error));
  return parsed.value.sidecar.httpSecretProviders;
}

Deno.test("parseConfig() reads secret stores, the operator's matchers before the known ones", () => {
  const [store] = stores(`${VAULT}preset = "vault"
${MATCHER}kind = "blocked"\npath = "/v1/secret/data/prod/**"
${MATCHER}kind = "safe"\npath = "/v1/auth/token/renew-self"\nmethods = ["POST"]
`);
  const kindOf = (method: string, path: string) =>
    storeVerdict([store!], { host: "vault.test", method, path, fields: [] })?.kind;
  assert.equal(kindOf("GET", "/v1/secret/data/app"), "sensitive");
  assert.equal(kindOf("GET", "/v1/secret/data/prod/db"), "blocked");
  assert.equal(kindOf("POST", "/v1/auth/token/renew-self"), "safe");
  assert.equal(kindOf("GET", "/v1/sys/health"), "safe");
  assert.equal(kindOf("GET", "/v1/sys/anything"), "blocked");
  for (const preset of Object.keys(STORE_PRESETS)) stores(`${VAULT}preset = "${preset}"\n`);
});

Deno.test("parseConfig() refuses secret stores that would let through what they should not", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["no matcher at all", VAULT, /no matchers/],
    ["an unknown preset", `${VAULT}preset = "valut"`, /valut/],
    ["the same name twice", `${VAULT}preset = "vault"\n${VAULT}preset = "vault"`, /there already/],
    ["half of the world", VAULT.replace("vault.test", "*.test") + 'preset = "vault"', /pattern/],
    ["sensitive, values unknown", `${VAULT}${MATCHER}kind = "sensitive"\npath = "/a"`, /missing/],
    [
      "values of what is safe",
      `${VAULT}${MATCHER}kind = "safe"\npath = "/a"\nvalues = ["a"]`,
      /no values/,
    ],
    [
      "a path to nowhere",
      `${VAULT}${MATCHER}kind = "sensitive"\npath = "/a"\nvalues = ["a..b"]`,
      /a\.\.b/,
    ],
    ["no path", `${VAULT}${MATCHER}kind = "safe"\npath = "a"`, /path/],
    [
      "TLS that stays closed",
      `${VAULT}preset = "vault"\n[sidecar.interceptor.https_mitm]\nbypass_hosts = ["vault.test"]`,
      /not opened/,
    ],
  ];
  for (const [name, text, expected] of cases) {
    const parsed = parse(text);
    assert.ok(!parsed.ok, name);
    assert.match(parsed.error.map(({ message }) => message).join("\n"), expected, name);
  }
});
