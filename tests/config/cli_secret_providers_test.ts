import assert from "node:assert/strict";
import { parseConfig } from "../../src/config/schema.ts";
import { PROGRAM_PRESETS } from "../../src/secrets/cli/presets.ts";

const FILE = "/home/ada/app/.firma/firma.toml";
const DEFAULTS = { projectDataDir: "/data/p", auditFile: "/data/a", authorityKey: "/data/k" };
const AGENT = '[sidecar.authority]\nagent_id = "agt_00000000000000000000000000"\n';
const PASS = `[[sidecar.cli_secret_providers]]
provider_id = "team"
preset = "pass"
program = "/usr/bin/pass"
`;

const parse = (text: string) => parseConfig(AGENT + text, FILE, DEFAULTS);

Deno.test("parseConfig() reads programs of secret stores", () => {
  const parsed = parse(`${PASS}names = ["agents/**"]
hosts = ["api.test"]
env_passthrough = ["PASSWORD_STORE_DIR"]
timeout = "2m"
`);
  if (!parsed.ok) assert.fail(JSON.stringify(parsed.error));
  assert.deepEqual(parsed.value.sidecar.cliSecretProviders, [{
    id: "team",
    preset: "pass",
    program: "/usr/bin/pass",
    names: ["agents/**"],
    hosts: [{ host: "api.test", port: 443 }],
    envPassthrough: ["PASSWORD_STORE_DIR"],
    timeoutMs: 120_000,
    maxOutput: 1_048_576,
  }]);
  for (const preset of Object.keys(PROGRAM_PRESETS)) {
    assert.ok(parse(PASS.replace('"pass"', `"${preset}"`)).ok, preset);
  }
});

Deno.test("parseConfig() refuses programs of secret stores that nobody could be sure of", () => {
  const again = PASS.replace("team", "other");
  const cases: readonly (readonly [name: string, text: string, state: RegExp])[] = [
    ["a name that PATH decides", PASS.replace("/usr/bin/", ""), /absolute path/],
    ["an unknown program", PASS.replace('"pass"', '"passs"'), /passs/],
    ["no program", PASS.replace(/^program.*$/m, ""), /missing/],
    ["the same name twice", PASS + PASS.replace("/usr/bin/pass", "/bin/other"), /there already/],
    ["the same program twice", PASS + again, /"pass" is there already/],
    ["a pattern for no name", `${PASS}names = ["/agents"]`, /begin with/],
    [
      "the name of a store over HTTP",
      `${PASS}[[sidecar.http_secret_providers]]\nprovider_id = "team"\nhost = "a.test"\npreset = "vault"`,
      /there already/,
    ],
    [
      "a variable that agents get as well",
      `${PASS}env_passthrough = ["OP_TOKEN"]\n[run]\nenv_passthrough = ["OP_TOKEN"]`,
      /what the secret store "team" is opened with/,
    ],
  ];
  for (const [name, text, state] of cases) {
    const parsed = parse(text);
    assert.ok(!parsed.ok, name);
    assert.match(parsed.error.map(({ message }) => message).join("\n"), state, name);
  }
});
