import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createProvider } from "../../../src/broker/providers.ts";
import { reachOf } from "../../../src/config/keys/credentials/reach.ts";
import { parseConfig } from "../../../src/config/schema.ts";
import { needing, NEVER } from "../../fixtures/provider_world.ts";
import { standIn } from "../../fixtures/stand_in.ts";
import { standInGithub } from "../../fixtures/stand_in_github.ts";
import { standInVault } from "../../fixtures/stand_in_vault.ts";

const DEFAULTS = { projectDataDir: "/data/p", auditFile: "/data/a", authorityKey: "/data/k" };

/** What `[sidecar.credentials.test]` with these lines gives, in a directory of its own. */
async function handedOut(
  lines: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>>,
  nowMs = Date.now(),
) {
  const directory = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${directory}/${name}`, text, { mode: 0o600 });
    }
    const text = `[sidecar.authority]\nagent_id = "agt_00000000000000000000000000"\n` +
      `[sidecar.credentials.test]\nhosts = ["api.test"]\n` +
      Object.entries(lines).map((each) => each.join(" = ")).join("\n");
    const config = parseConfig(text, `${directory}/firma.toml`, DEFAULTS);
    if (!config.ok) assert.fail(JSON.stringify(config.error));
    const [credential] = config.value.sidecar.credentials;
    const context = { variable: () => undefined, now: () => nowMs };
    const provider = createProvider(credential!, context);
    const handOut = await provider.obtain(needing({ resource: "acme/web" }), NEVER);
    const { read, write, net } = reachOf(credential!);
    const left = Object.fromEntries(
      [...Deno.readDirSync(directory)].map(({ name }) =>
        [name, Deno.readTextFileSync(`${directory}/${name}`)] as const
      ),
    );
    const within = (path: string) => path.slice(directory.length + 1);
    return { handOut, net, read: read.map(within), write: write.map(within), left };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const headers = ({ handOut }: Awaited<ReturnType<typeof handedOut>>) => {
  assert.ok(handOut.ok, JSON.stringify(handOut));
  return handOut.value.headers;
};

Deno.test("createProvider() makes an OAuth client of what firma.toml says", async () => {
  await using server = standIn(() =>
    Response.json({ access_token: "token-of-client", token_type: "Bearer", expires_in: 60 })
  );
  const got = await handedOut({
    provider: '"oauth_client"',
    token_url: `"${server.url}/token"`,
    client_id: '"me"',
    client_secret_file: '"secret"',
    scopes: '["a", "b"]',
    header: '"x-api-key"',
  }, { secret: "client-secret\n" });
  assert.deepEqual(headers(got), [["x-api-key", "token-of-client"]]);
  assert.equal(server.asked[0]?.headers.get("authorization"), `Basic ${btoa("me:client-secret")}`);
  assert.equal(new URLSearchParams(server.asked[0]?.body).get("scope"), "a b");
  assert.deepEqual(got.net, [new URL(server.url).host]);
  assert.deepEqual([got.read, got.write], [["secret"], []]);
});

Deno.test("createProvider() keeps the refresh token that a service gives in the file of the old one", async () => {
  await using server = standIn(() =>
    Response.json({
      access_token: "token-of-user",
      token_type: "Bearer",
      refresh_token: "refresh-2",
    })
  );
  const got = await handedOut({
    provider: '"oauth_refresh"',
    token_url: `"${server.url}/token"`,
    client_id: '"me"',
    refresh_token_file: '"refresh"',
  }, { refresh: "refresh-1\n" });
  assert.deepEqual(headers(got), [["authorization", "Bearer token-of-user"]]);
  assert.equal(got.left["refresh"], "refresh-2\n");
  assert.deepEqual(Object.keys(got.left).sort(), ["refresh", "refresh.lock"]);
  assert.deepEqual(got.write, ["refresh", "refresh.new", "refresh.lock"]);
});

Deno.test("createProvider() makes a GitHub App of what firma.toml says", async () => {
  const nowMs = Date.now();
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const keyPem = privateKey.export({ type: "pkcs1", format: "pem" }) as string;
  await using server = standInGithub({ appId: "12", keyPem, nowMs });
  const got = await handedOut(
    {
      provider: '"github_app"',
      app_id: '"12"',
      app_key_file: '"app.pem"',
      api_url: `"${server.url}"`,
    },
    { "app.pem": keyPem },
    nowMs,
  );
  assert.match(headers(got)[0]![1], /^Basic /);
  assert.deepEqual(server.minted, [
    { installation: 77, repositories: ["web"], permissions: { contents: "read" } },
  ]);
});

Deno.test("createProvider() makes a client of Vault of what firma.toml says", async () => {
  await using server = standInVault();
  const vault = {
    provider: '"vault"',
    vault_url: `"${server.url}"`,
    vault_secret_file: '"secret"',
    secret_path: '"secret/data/github"',
    field: '"token"',
  };
  const byToken = await handedOut(vault, { secret: "hvs.root-token" });
  assert.deepEqual(headers(byToken), [["authorization", "Bearer ghp_from_vault_0001"]]);
  const byRole = await handedOut({ ...vault, role_id: '"role-1"' }, { secret: "secret-id-1" });
  assert.deepEqual(headers(byRole), headers(byToken));
});

Deno.test("parseConfig() takes no service that a secret would go to in the clear", () => {
  for (const url of ["http://vault.acme.test", "https://a:b@vault.acme.test", "vault.acme.test"]) {
    const text = `[sidecar.credentials.test]\nprovider = "vault"\nhosts = ["a.test"]\n` +
      `vault_url = "${url}"\nvault_secret_file = "t"\nsecret_path = "secret/data/a"\n`;
    assert.ok(!parseConfig(text, "/a/firma.toml", DEFAULTS).ok, url);
  }
});
