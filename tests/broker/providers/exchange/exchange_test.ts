import assert from "node:assert/strict";
import { awsRole } from "../../../../src/broker/providers/aws/provider.ts";
import {
  tokenExchange,
  type TokenExchangeOptions,
} from "../../../../src/broker/providers/exchange/provider.ts";
import { clientCredentials } from "../../../../src/broker/providers/oauth/client_credentials.ts";
import { vault } from "../../../../src/broker/providers/vault/provider.ts";
import { asBearer, needing, NEVER, testWorld } from "../../../fixtures/provider_world.ts";
import { type Asked, standIn } from "../../../fixtures/stand_in.ts";
import { standInSts } from "../../../fixtures/stand_in_sts.ts";
import { verifyIdToken } from "../../../fixtures/verify_id_token.ts";
import { AGENT, serve } from "../../../authority/service/support.ts";

const TYPE = "urn:ietf:params:oauth:token-type:";
const GIVEN = {
  access_token: "token-for-the-identity",
  issued_token_type: `${TYPE}access_token`,
  token_type: "Bearer",
  expires_in: 300,
};
const NEED = needing({ agentId: AGENT });

function options(tokenUrl: string): TokenExchangeOptions {
  return {
    tokenUrl,
    identityAudience: "sts.test",
    subjectTokenType: "id_token",
    audience: "//iam.test/providers/firma",
    scopes: ["cloud"],
    present: asBearer,
  };
}

/** A world whose ID tokens come from an Authority, through a client of it, and who verifies them. */
async function vouched() {
  const authority = await serve({ audiences: ["sts.test"] });
  const sidecar = await authority.client();
  const world = testWorld();
  world.nowMs = Date.now();
  world.identityToken = (audience, { agentId, sessionId }) =>
    sidecar.remote.issueIdentityToken({ audience, agentId, sessionId });
  const isTrusted = async (token: string | null) => {
    const expected = {
      issuer: "https://firma.test/identity",
      audience: "sts.test",
      proxy: authority.documentsUrl,
    };
    const claims = await verifyIdToken(token ?? "", expected).catch(() => undefined);
    return claims?.agent_id === AGENT && claims.session_id === "ses_1";
  };
  return {
    world,
    isTrusted,
    async [Symbol.asyncDispose]() {
      world[Symbol.dispose]();
      await sidecar[Symbol.asyncDispose]();
      await authority[Symbol.asyncDispose]();
    },
  };
}

Deno.test("an ID token of the Authority is good for tokens of services that verify it", async () => {
  await using at = await vouched();
  const { world, isTrusted } = at;
  const answer = async ({ body }: Asked) => {
    const form = new URLSearchParams(body);
    const token = form.get("subject_token") ?? form.get("client_assertion");
    return await isTrusted(token)
      ? Response.json(GIVEN)
      : Response.json({ error: "invalid_grant" }, { status: 400 });
  };
  await using server = standIn(answer);
  const exchanged = await tokenExchange(options(server.url), world).obtain(NEED, NEVER);
  assert.ok(exchanged.ok, JSON.stringify(exchanged));
  const form = new URLSearchParams(server.asked[0]!.body);
  form.delete("subject_token");
  assert.deepEqual(Object.fromEntries(form), {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token_type: `${TYPE}id_token`,
    requested_token_type: `${TYPE}access_token`,
    audience: "//iam.test/providers/firma",
    scope: "cloud",
  });
  const client = await clientCredentials({
    tokenUrl: server.url,
    clientId: "app",
    authentication: { by: "identity_token", audience: "sts.test" },
    scopes: [],
    audience: undefined,
    present: asBearer,
  }, world).obtain(NEED, NEVER);
  assert.ok(client.ok, JSON.stringify(client));
  const other = await tokenExchange(options(server.url), world)
    .obtain({ ...NEED, sessionId: "ses_2" }, NEVER);
  assert.match(other.ok ? "" : other.error.message, /it answered 400 \(invalid_grant\)$/);
  await using sts = standInSts({ nowMs: world.nowMs, isIdentity: isTrusted });
  const role = await awsRole({
    roleArn: "arn:aws:iam::123456789012:role/agents",
    proof: { by: "identity_token", audience: "sts.test" },
    stsUrl: sts.url,
    stsRegion: "",
    sessionPolicy: undefined,
    durationS: 900,
    region: undefined,
    service: undefined,
  }, world).obtain(NEED, NEVER);
  assert.ok(role.ok, JSON.stringify(role));
  await using store = standIn(async ({ path, body }) => {
    if (!path.endsWith("/login")) return Response.json({ data: { data: { value: "from-vault" } } });
    return await isTrusted(JSON.parse(body).jwt)
      ? Response.json({ auth: { client_token: "hvs.a", lease_duration: 60 } })
      : new Response(null, { status: 400 });
  });
  const secret = await vault({
    address: store.url,
    namespace: undefined,
    authentication: { by: "identity_token", mount: "jwt", role: "agents", audience: "sts.test" },
    engine: "kv2",
    path: "secret/data/a",
    field: "value",
    userField: undefined,
    present: asBearer,
  }, world).obtain(NEED, NEVER);
  assert.ok(secret.ok, JSON.stringify(secret));
});

Deno.test("tokenExchange() asks nobody for what the Authority does not vouch for", async () => {
  await using at = await vouched();
  await using server = standIn(() => Response.json(GIVEN));
  const other = { ...options(server.url), identityAudience: "other.test" };
  const handOut = await tokenExchange(other, at.world).obtain(NEED, NEVER);
  assert.equal(handOut.ok ? "" : handOut.error.code, "AUDIENCE_NOT_PERMITTED");
  assert.deepEqual(server.asked, []);
});

Deno.test("tokenExchange() hands out nothing that is no access token", async () => {
  const lies: Readonly<Record<string, unknown>> = {
    "a refresh token": { ...GIVEN, issued_token_type: `${TYPE}refresh_token` },
    "an assertion": { ...GIVEN, issued_token_type: `${TYPE}saml2`, token_type: "N_A" },
    "no type of token": { ...GIVEN, issued_token_type: undefined },
    "a type that is a list": { ...GIVEN, issued_token_type: [`${TYPE}access_token`] },
    "no access token": { ...GIVEN, access_token: "" },
  };
  using world = testWorld();
  world.identityToken = () => Promise.resolve({ ok: true, value: "a.b.c" });
  for (const [what, lie] of Object.entries(lies)) {
    await using server = standIn(() => Response.json(lie));
    const handOut = await tokenExchange(options(server.url), world).obtain(NEED, NEVER);
    assert.equal(handOut.ok ? "" : handOut.error.code, "CREDENTIAL_ANSWER_INVALID", what);
    assert.doesNotMatch(JSON.stringify(handOut), /a\.b\.c|for-the-identity/);
  }
});

Deno.test("tokenExchange() keeps what is of one session from another", () => {
  using world = testWorld();
  const { scope } = tokenExchange(options("https://sts.test"), world);
  const all = [needing(), needing({ sessionId: "ses_2" }), needing({ agentId: "agt_2" })].map(
    scope,
  );
  assert.equal(new Set(all).size, 3);
});
