import assert from "node:assert/strict";
import {
  type IdentityKey,
  loadOrCreateIdentityKeys,
  OVERLAP_MS,
  rotateIdentityKeys,
  signingKeyAt,
  withNextKey,
} from "../../../src/authority/identity/identity_keys.ts";
import { identityDocuments } from "../../../src/authority/identity/identity_issuer.ts";
import { newId } from "../../../src/core/id.ts";
import { verifyIdToken } from "../../fixtures/verify_id_token.ts";
import { AGENT, serve } from "../service/support.ts";
import { directory } from "../support.ts";

const ISSUER = "https://firma.test/identity";
const DAY_MS = 86_400_000;

Deno.test("issueIdentityToken() gives a Sidecar a token that services verify by discovery", async () => {
  await using authority = await serve({ audiences: ["sts.test"] });
  await using sidecar = await authority.client();
  const request = { agentId: AGENT, sessionId: "ses_1", audience: "sts.test" };
  const token = await sidecar.remote.issueIdentityToken(request);
  assert.ok(token.ok, JSON.stringify(token));
  const expected = { issuer: ISSUER, audience: "sts.test", proxy: authority.documentsUrl };
  const { jti, iat, exp, nbf, ...claims } = (await verifyIdToken(token.value, expected))!;
  assert.deepEqual(claims, {
    iss: ISSUER,
    sub: AGENT,
    aud: "sts.test",
    agent_id: AGENT,
    session_id: "ses_1",
  });
  assert.match(String(jti), /^ctok_/);
  assert.equal(nbf, iat);
  assert.equal(Number(exp) - Number(iat), 300);
  const forged = token.value.replace(/\.[^.]+$/, `.${"A".repeat(342)}`);
  assert.equal(await verifyIdToken(forged, expected), undefined);
  const again = await sidecar.remote.issueIdentityToken(request);
  assert.ok(again.ok && again.value !== token.value);
});

Deno.test("issueIdentityToken() vouches for no stranger, to no stranger, and for no session that was stopped", async () => {
  await using authority = await serve({ audiences: ["sts.test"] });
  await using sidecar = await authority.client();
  const good = { agentId: AGENT as string, sessionId: "ses_1", audience: "sts.test" };
  const reason = async (special: Partial<typeof good>) => {
    const token = await sidecar.remote.issueIdentityToken({ ...good, ...special });
    return token.ok ? "" : token.error.code;
  };
  assert.equal(await reason({}), "");
  assert.equal(await reason({ audience: "other.test" }), "AUDIENCE_NOT_PERMITTED");
  assert.equal(await reason({ audience: "" }), "AUDIENCE_NOT_PERMITTED");
  assert.equal(await reason({ agentId: newId("agt") }), "AGENT_NOT_REGISTERED");
  assert.equal(await reason({ agentId: "somebody" }), "INVALID_REQUEST");
  assert.equal(await reason({ sessionId: "a\nb" }), "INVALID_REQUEST");
  await using silent = await serve();
  await using other = await silent.client();
  const none = await other.remote.issueIdentityToken(good);
  assert.equal(none.ok ? "" : none.error.code, "IDENTITY_NOT_CONFIGURED");
});

Deno.test("an Authority serves the keys of its ID tokens to anybody, and nothing else", async () => {
  await using authority = await serve({ audiences: ["sts.test"] });
  const ask = (path: string, init?: RequestInit) => fetch(`${authority.documentsUrl}${path}`, init);
  const keys = await ask("/.well-known/jwks.json");
  assert.equal(keys.headers.get("cache-control"), "public, max-age=3600");
  const text = await keys.text();
  assert.doesNotMatch(text, /PRIVATE|"d"|"p"|"q"/);
  assert.equal(JSON.parse(text).keys.length, 1);
  const others: [string, RequestInit?][] = [
    ["/"],
    ["/firma.v1.AuthorityService/IssueIdentityToken", { method: "POST", body: "{}" }],
    ["/.well-known/../identity.json"],
    ["/.well-known/jwks.json", { method: "POST", body: "" }],
  ];
  for (const [path, init] of others) {
    const answer = await ask(path, init);
    assert.ok(answer.status === 404 || answer.status === 405, path);
    await answer.body?.cancel();
  }
});

Deno.test("withNextKey() publishes a key for a day before it signs, and the last one for a day after", () => {
  const key = (keyId: string) => ({ keyId, pem: keyId });
  const start = Date.UTC(2026, 0, 1);
  const one = withNextKey([], key("one"), start);
  const two = withNextKey(one, key("two"), start + 10 * DAY_MS);
  const at = (keys: readonly IdentityKey[], days: number) =>
    signingKeyAt(keys, start + days * DAY_MS)?.keyId;
  assert.equal(at(one, 0), "one");
  assert.deepEqual(two.map(({ keyId }) => keyId), ["one", "two"]);
  assert.deepEqual([at(two, 10), at(two, 10.9), at(two, 11)], ["one", "one", "two"]);
  const soon = withNextKey(two, key("three"), start + 11.5 * DAY_MS);
  assert.deepEqual(soon.map(({ keyId }) => keyId), ["one", "two", "three"]);
  const later = withNextKey(two, key("three"), start + 11 * DAY_MS + OVERLAP_MS);
  assert.deepEqual(later.map(({ keyId }) => keyId), ["two", "three"]);
});

Deno.test("rotateIdentityKeys() adds a key that the documents have and that does not sign yet", async () => {
  await using at = await directory({});
  const path = `${at.path}/keys/identity.json`;
  const now = Date.now();
  const [first, same] = await Promise.all([
    loadOrCreateIdentityKeys(path, now),
    loadOrCreateIdentityKeys(path, now),
  ]);
  assert.ok(first.ok && same.ok);
  assert.deepEqual(first.value, same.value, "whoever is first makes the key of both");
  assert.equal((await Deno.lstat(path)).mode! & 0o777, 0o600);
  const rotated = await rotateIdentityKeys(path, now);
  assert.ok(rotated.ok);
  assert.equal(signingKeyAt(rotated.value, now)?.keyId, first.value[0]?.keyId);
  const documents = await identityDocuments({ issuer: ISSUER, keyFile: path }, now);
  assert.ok(documents.ok);
  const { keys } = documents.value.get("/.well-known/jwks.json") as { keys: { kid: string }[] };
  assert.deepEqual(keys.map(({ kid }) => kid), rotated.value.map(({ keyId }) => keyId));
});

Deno.test("loadOrCreateIdentityKeys() uses no keys that are damaged or that others could have read", async () => {
  await using at = await directory({});
  const path = `${at.path}/identity.json`;
  const code = async () => {
    const keys = await loadOrCreateIdentityKeys(path, 0);
    assert.doesNotMatch(JSON.stringify(keys), /hunter2/);
    return keys.ok ? "" : keys.error.code;
  };
  for (const text of ["", "{}", '{"keys":[]}', '{"keys":[{"pem":"hunter2"}]}']) {
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    assert.equal(await code(), "IDENTITY_KEYS_INVALID", text);
  }
  await Deno.chmod(path, 0o644);
  assert.equal(await code(), "KEY_INSECURE");
});
