import assert from "node:assert/strict";
import { parseConfig } from "../../src/config/schema.ts";
import { surroundings } from "../../src/run/surroundings.ts";
import { agentEnvironment } from "../../src/sandbox/environment.ts";
import { PROFILES } from "../../src/sandbox/profiles.ts";

const AGENT = '[sidecar.authority]\nagent_id = "agt_00000000000000000000000000"\n';
const DEFAULTS = { projectDataDir: "/data/p", auditFile: "/data/a", authorityKey: "/data/k" };
const ENV = { HOME: "/home/ada", PATH: "/usr/bin", ANTHROPIC_API_KEY: "raw-secret-of-a-variable" };

const CREDENTIALS = `
[sidecar.credentials.anthropic]
provider = "environment"
variable = "ANTHROPIC_API_KEY"
hosts = ["api.anthropic.com"]
[sidecar.credentials.github]
provider = "file"
path = "/etc/tokens/github"
hosts = ["api.github.com"]
`;

function configOf(text: string) {
  const config = parseConfig(`${AGENT}${text}`, "/home/ada/app/.firma/firma.toml", DEFAULTS);
  if (!config.ok) assert.fail(JSON.stringify(config.error));
  return config.value;
}

/** What an agent of a profile that passes the variable on sees of it. */
function seen(hostEnv: Readonly<Record<string, string>>): string | undefined {
  const profile = PROFILES.find(({ id }) => id === "claude-code")!;
  return agentEnvironment({
    hostEnv,
    profile,
    passthrough: [],
    home: "/home/ada",
    path: "/usr/bin",
    sandboxId: "sbx_1",
    sessionId: "ses_1",
    hooksSealed: true,
  }).ANTHROPIC_API_KEY;
}

Deno.test("surroundings() takes what the broker has away from the agent", () => {
  const before = surroundings(configOf(""), ENV, undefined);
  assert.equal(seen(before.hostEnv), ENV.ANTHROPIC_API_KEY, "the profile passes it on by itself");
  assert.deepEqual(before.hiddenFiles, []);
  const { hostEnv, hiddenFiles } = surroundings(configOf(CREDENTIALS), ENV, "/tmp/token");
  assert.equal(seen(hostEnv), undefined);
  assert.equal(hostEnv.PATH, "/usr/bin");
  assert.deepEqual(hiddenFiles, ["/tmp/token", "/etc/tokens/github"]);
});

Deno.test("surroundings() takes away what the host has in a variable for a placeholder", () => {
  const config = configOf(`
[sidecar.credentials.anthropic]
provider = "file"
path = "/etc/tokens/anthropic"
hosts = ["api.anthropic.com"]
env = ["ANTHROPIC_API_KEY"]
`);
  const { hostEnv, placeholders } = surroundings(config, ENV, undefined);
  assert.equal(seen(hostEnv), undefined);
  assert.deepEqual(placeholders, ["ANTHROPIC_API_KEY"]);
});

Deno.test("surroundings() names what runs outside, and what it is told to read", () => {
  const config = configOf(`
[sidecar.credentials.forge]
provider = "command"
command = ["/usr/bin/python3", "-u", "/srv/token.py", "--config=/srv/token.toml"]
hosts = ["api.forge.test"]

[[sidecar.cli_secret_providers]]
provider_id = "team"
preset = "pass"
program = "/usr/bin/pass"
`);
  const owner = 'the credential "forge"';
  // Of PATH what they have of it: not what lies in the project.
  const env = { ...ENV, PATH: "/home/ada/app/bin:.:/usr/bin:/home/ada/bin" };
  const found = { owner: 'the secret store "team"', isDirectory: true };
  assert.deepEqual(surroundings(configOf(""), env, undefined).hostPrograms, []);
  assert.deepEqual(surroundings(config, env, undefined).hostPrograms, [
    { path: "/usr/bin/pass", owner: 'the secret store "team"' },
    { path: "/usr/bin/python3", owner },
    { path: "/srv/token.py", owner },
    { path: "/srv/token.toml", owner },
    { path: "/usr/bin", ...found },
    { path: "/home/ada/bin", ...found },
  ]);
});
