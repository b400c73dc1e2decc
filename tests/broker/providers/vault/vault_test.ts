import assert from "node:assert/strict";
import { vault, type VaultOptions } from "../../../../src/broker/providers/vault/provider.ts";
import { ok } from "../../../../src/core/result.ts";
import {
  asBearer,
  needing,
  NEVER,
  type TestWorld,
  testWorld,
} from "../../../fixtures/provider_world.ts";
import { type StandInVault, standInVault } from "../../../fixtures/stand_in_vault.ts";

const FILES = { "/token": "hvs.root-token", "/secret-id": "secret-id-1" };
const APPROLE = {
  by: "approle",
  mount: "approle",
  roleId: "role-1",
  secretIdFile: "/secret-id",
} as const;
const DYNAMIC = {
  engine: "dynamic",
  path: "database/creds/reader",
  field: "password",
  userField: "username",
} as const;

function at(server: StandInVault, world: TestWorld, options: Partial<VaultOptions> = {}) {
  return vault({
    address: server.url,
    namespace: undefined,
    authentication: { by: "token_file", tokenFile: "/token" },
    engine: "kv2",
    path: "secret/data/github",
    field: "token",
    userField: undefined,
    present: asBearer,
    ...options,
  }, world);
}

const paths = (server: StandInVault) => server.asked.map(({ method, path }) => `${method} ${path}`);

Deno.test("vault() hands out a member of a secret of KV version 2", async () => {
  using world = testWorld(FILES);
  await using server = standInVault();
  const provider = at(server, world, { namespace: "team-a" });
  const handOut = await provider.obtain(needing(), NEVER);
  assert.deepEqual(handOut, {
    ok: true,
    value: {
      label: "test",
      headers: [["authorization", "Bearer ghp_from_vault_0001"]],
      secrets: ["ghp_from_vault_0001"],
    },
  });
  assert.equal(server.asked[0]?.headers.get("x-vault-namespace"), "team-a");
  assert.equal(provider.scope(needing()), '"token" of secret/data/github');
});

Deno.test("vault() signs in with AppRole once, and anew when its token is taken no more", async () => {
  using world = testWorld(FILES);
  await using server = standInVault();
  const provider = at(server, world, { authentication: APPROLE });
  for (let i = 0; i < 2; i++) assert.ok((await provider.obtain(needing(), NEVER)).ok);
  server.tokens.clear();
  assert.ok((await provider.obtain(needing(), NEVER)).ok);
  world.nowMs += 1_200_000;
  assert.ok((await provider.obtain(needing(), NEVER)).ok);
  assert.deepEqual(paths(server), [
    "POST /v1/auth/approle/login",
    "GET /v1/secret/data/github",
    "GET /v1/secret/data/github",
    "GET /v1/secret/data/github", // 403
    "POST /v1/auth/approle/login",
    "GET /v1/secret/data/github",
    "POST /v1/auth/approle/login", // the token's own time was over
    "GET /v1/secret/data/github",
  ]);
});

Deno.test("vault() asks twice at most when it may not read, and says so without Vault's words", async () => {
  using world = testWorld(FILES);
  await using server = standInVault();
  const provider = at(server, world, { path: "secret/data/forbidden" });
  world.files.set("/token", "hvs.wrong");
  const refused = await provider.obtain(needing(), NEVER);
  assert.ok(!refused.ok);
  assert.match(
    refused.error.message,
    /: it answered 403 when asked for "secret\/data\/forbidden"$/,
  );
  assert.equal(server.asked.length, 1, "no other token would be in the file");
  world.files.set("/secret-id", "hunter2hunter2");
  const signIn = at(server, world, { authentication: APPROLE });
  const failed = await signIn.obtain(needing(), NEVER);
  assert.ok(!failed.ok);
  assert.equal(failed.error.code, "CREDENTIAL_SERVICE_REFUSED");
  assert.doesNotMatch(JSON.stringify(failed), /hunter2/);
});

Deno.test("vault() renews a lease for as long as Vault agrees, then gets another secret", async () => {
  using world = testWorld(FILES);
  await using server = standInVault();
  const provider = at(server, world, DYNAMIC);
  const next = async () => {
    const handOut = await provider.obtain(needing(), NEVER);
    assert.ok(handOut.ok, JSON.stringify(handOut));
    const [, value] = handOut.value.headers[0]!;
    assert.ok(handOut.value.secrets.includes(value.slice("Basic ".length)));
    const lifeS = (handOut.value.expiresAtMs! - world.nowMs) / 1000;
    return [atob(value.slice("Basic ".length)), lifeS];
  };
  assert.deepEqual(await next(), ["v-reader-1:pass-word-1", 600]);
  world.nowMs += 570_000;
  assert.deepEqual(await next(), ["v-reader-1:pass-word-1", 3_600]);
  server.renewalSeconds = 30; // the longest life of the lease is near
  assert.deepEqual(await next(), ["v-reader-2:pass-word-2", 600]);
  server.renewalSeconds = 0;
  assert.deepEqual(await next(), ["v-reader-3:pass-word-3", 600]);
  world.nowMs += 700_000;
  const before = server.asked.length;
  assert.deepEqual(await next(), ["v-reader-4:pass-word-4", 600]);
  assert.equal(server.asked.length, before + 1, "what is over cannot be renewed");
});

Deno.test("vault() signs in for each session apart where the Authority vouches for it", async () => {
  using world = testWorld(FILES);
  world.identityToken = (audience, { sessionId }) =>
    Promise.resolve(ok(`${audience}-${sessionId}`));
  await using server = standInVault();
  const provider = at(server, world, {
    authentication: { by: "identity_token", mount: "jwt", role: "agent", audience: "vault" },
  });
  const [one, two] = [needing(), needing({ sessionId: "ses_2" })];
  assert.notEqual(provider.scope(one), provider.scope(two));
  for (const need of [one, two]) assert.ok((await provider.obtain(need, NEVER)).ok);
  const used = server.asked.map(({ headers }) => headers.get("x-vault-token")).filter(Boolean);
  assert.deepEqual(used, ["hvs.vault-ses_1", "hvs.vault-ses_2"]);
});

Deno.test("vault() hands out nothing of an answer that is not what was asked for", async () => {
  using world = testWorld(FILES);
  const dynamic = DYNAMIC;
  const lies: readonly (readonly [string, Partial<VaultOptions>, Record<string, unknown>])[] = [
    ["no such member", { field: "password" }, {}],
    ["a member that is no text", { field: "other" }, {}],
    ["a member that objects inherit", { field: "constructor" }, {}],
    ["a deleted version", { path: "secret/data/gone" }, {}],
    ["no data", {}, { data: null }],
    ["a list for data", {}, { data: [] }],
    ["a life that is over", dynamic, { lease_duration: -1 }],
    ["a life of words", dynamic, { lease_duration: "long" }],
    ["a lease without a life", dynamic, { lease_duration: undefined }],
    ["a lease that is an object", dynamic, { lease_id: {} }],
    ["a user with a colon", dynamic, { data: { username: "a:b", password: "pass-word" } }],
    ["a password with a line feed", dynamic, { data: { username: "a", password: "a\r\nb: c" } }],
  ];
  for (const [what, options, lie] of lies) {
    await using server = standInVault((body) => ({ ...body, ...lie }));
    const handOut = await at(server, world, options).obtain(needing(), NEVER);
    assert.equal(handOut.ok ? "" : handOut.error.code, "CREDENTIAL_ANSWER_INVALID", what);
  }
});

Deno.test("vault() reads a renewal of its own lease alone", async () => {
  using world = testWorld(FILES);
  await using server = standInVault((body, { path }) =>
    path.endsWith("/renew") ? { ...body, lease_id: "database/creds/admin/1" } : body
  );
  const provider = at(server, world, DYNAMIC);
  assert.ok((await provider.obtain(needing(), NEVER)).ok);
  assert.ok((await provider.obtain(needing(), NEVER)).ok);
  assert.deepEqual(paths(server).slice(1), [
    "PUT /v1/sys/leases/renew",
    "GET /v1/database/creds/reader",
  ]);
});
