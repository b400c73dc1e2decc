import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { disarmedJwt } from "../../../src/secrets/sign_in/disarmed_jwt.ts";
import { isTokenLike } from "../../../src/secrets/sign_in/token_like.ts";
import { SIGN_IN_SERVICES } from "../../../src/secrets/sign_in/services.ts";
import { captureAnswer } from "../../../src/sidecar/credentials/capture_answer.ts";
import { readGrant } from "../../../src/sidecar/credentials/capture_grant.ts";
import { Turns } from "../../../src/sidecar/credentials/capture_turns.ts";

const SERVICE = SIGN_IN_SERVICES.claude;
const SECRET = "Zq81mNvP0sLwT7yRk3uXcB5dZq81";

function capture(content: string, special: { status?: number; contentType?: string } = {}) {
  const answer = { status: 200, contentType: "application/json", ...special };
  return captureAnswer(
    { ...answer, content: Buffer.from(content) },
    SERVICE,
    (role) => `shown-${role}`,
    1_000,
  );
}

Deno.test("captureAnswer() gives the tokens to one and placeholders to the other", () => {
  const captured = capture(JSON.stringify({
    ["__proto__"]: "x",
    access_token: SECRET,
    refresh_token: `r${SECRET}`,
    expires_in: 60,
    scope: "a:b c:d",
    organization: { uuid: "0193b7c5-1fb5-7a55-9b0a-7d6d1b0a1f2e", name: "Acme of 1234567890123" },
  }));
  assert.ok(captured.ok);
  assert.deepEqual(captured.value.tokens, { access: SECRET, refresh: `r${SECRET}` });
  assert.equal(captured.value.expiresAtMs, 61_000);
  const shown = Buffer.from(captured.value.shown).toString();
  assert.ok(!shown.includes(SECRET));
  assert.ok(shown.includes('"access_token":"shown-access"') && shown.includes("Acme of"));
});

Deno.test("captureAnswer() lets no secret through, wherever a service puts one", () => {
  const name = fc.oneof(
    fc.string(),
    fc.constantFrom("access_token", "accessToken", "data", "session_token", "result", "key", "0"),
  );
  const nested = (inner: unknown, names: readonly string[]) =>
    names.reduceRight<unknown>(
      (value, key, at) => at % 3 === 2 ? [value] : { [key]: value },
      inner,
    );
  fc.assert(fc.property(fc.array(name, { maxLength: 6 }), name, (names, last) => {
    const text = JSON.stringify({ [last]: nested(SECRET, names), token_type: "Bearer" });
    const captured = capture(text);
    const isShown = captured.ok && Buffer.from(captured.value.shown).includes(SECRET);
    // By their names, these hold what identifies somebody.
    const isNamed = [last, ...names].some((each) =>
      /(?:^|[_-]|[a-z])(?:id|uuid|sub|name|type|email|address|scope|error\w*)$/i.test(each)
    );
    assert.ok(!isShown || isNamed, text);
  }));
});

Deno.test("isTokenLike() tells what programs have to hear from what they must not", () => {
  for (
    const [name, value] of [
      ["token_type", "Bearer"],
      ["scope", "user:inference user:profile org:create_api_key"],
      ["error", "authorization_pending"],
      ["error_description", "The refresh token was revoked on 2026-11-22."],
      ["uuid", "0193b7c5-1fb5-7a55-9b0a-7d6d1b0a1f2e"],
      ["account_id", "user-Ab12Cd34Ef56Gh78Ij90"],
      ["created", "2026-11-23T12:00:00.000Z"],
      ["verification_uri", "https://github.com/login/device"],
    ]
  ) assert.equal(isTokenLike(name!, value!), false, `${name}: ${value}`);
  for (
    const [name, value] of [
      ["sessionToken", "12345678"],
      ["client_secret", "abcdefgh"],
      ["anything", SECRET],
      ["scope", "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl"],
      ["user_id", "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl"],
      ["value", "ghp_abcdefghijklmnop1234"],
    ]
  ) assert.equal(isTokenLike(name!, value!), true, `${name}: ${value}`);
});

Deno.test("readGrant() sees a renewal where nobody could see anything else", () => {
  const read = (type: string, body: string) =>
    readGrant(Buffer.from(body), [["content-type", type]]);
  const form = "application/x-www-form-urlencoded";
  const json = "application/json";
  assert.equal(read(form, "grant_type=refresh_token&refresh_token=a")?.refreshToken, "a");
  assert.equal(
    read(json, '{"grant_type":"refresh_token","refresh_token":"a"}')?.refreshToken,
    "a",
  );
  for (
    const [type, body] of [
      [form, "grant_type=authorization_code&refresh_token=a"],
      [json, '{"grant_type":"code","refresh_token":"a"}'],
      [json, '{"grant_type":"refresh_token","refresh_token":["a"]}'],
      ["text/plain", "grant_type=refresh_token&refresh_token=a"],
    ]
  ) assert.equal(read(type!, body!)?.refreshToken, undefined, body);
  for (
    const [type, body] of [
      [form, "grant_type=refresh_token&grant_type=code&refresh_token=a"],
      [form, "grant_type=refresh_token&grant%5Ftype=code&refresh_token=a"],
      [json, '{"grant_type":"refresh_token"'],
      [json, '["refresh_token"]'],
    ]
  ) assert.equal(read(type!, body!), undefined, body);
  // What one reader would take the first of, and another the last, is there once afterwards.
  const doubled = read(
    json,
    '{"grant_type":"code","grant_type":"refresh_token","refresh_token":"a"}',
  );
  assert.deepEqual(JSON.parse(Buffer.from(doubled!.body).toString()), {
    grant_type: "refresh_token",
    refresh_token: "a",
  });
  assert.equal(Buffer.from(doubled!.body).toString().match(/grant_type/g)?.length, 1);
});

Deno.test("Turns let one at a time have its turn, and pass over who has gone", async () => {
  const turns = new Turns();
  const order: string[] = [];
  const take = (id: string) => turns.take("a", id).then(() => order.push(id));
  await take("1");
  const second = take("2");
  const third = take("3");
  await turns.take("b", "of another sign-in");
  assert.deepEqual(order, ["1"]);
  turns.leave("2");
  await second;
  turns.leave("1");
  await third;
  assert.deepEqual(order, ["1", "2", "3"]);
  turns.leave("3");
  turns.leave("3");
  turns.leave("of another sign-in");
  await take("4");
  turns.leave("4");
});

Deno.test("disarmedJwt() keeps what a token says and nothing that proves it", () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = `${part({ alg: "RS256" })}.${part({ sub: "a" })}.c2lnbmF0dXJlLW9mLWl0`;
  const disarmed = disarmedJwt(token)!;
  assert.equal(disarmed.length, token.length);
  assert.equal(disarmed.slice(0, -20), token.slice(0, -20));
  assert.ok(!disarmed.includes("c2lnbmF0dXJl"));
  for (const other of ["", "a.b.c", "opaque", `${token}.x.y`]) {
    assert.equal(disarmedJwt(other), undefined, other);
  }
});
