import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import type { ClientAuthentication } from "../../../../src/broker/providers/oauth/client_proof.ts";
import { clientCredentials } from "../../../../src/broker/providers/oauth/client_credentials.ts";
import { refreshToken } from "../../../../src/broker/providers/oauth/refresh_token.ts";
import { err } from "../../../../src/core/result.ts";
import {
  asBearer,
  needing,
  NEVER,
  type TestWorld,
  testWorld,
} from "../../../fixtures/provider_world.ts";
import { type Asked, standIn } from "../../../fixtures/stand_in.ts";

const SECRET = "päss word:&=%";
const TOKEN = { access_token: "at-1", token_type: "bearer", expires_in: 600 };

async function asking(
  authentication: ClientAuthentication,
  answer: (asked: Asked) => Response | Promise<Response>,
  files: Readonly<Record<string, string>> = { "/secret": SECRET },
) {
  using world = testWorld(files);
  await using server = standIn(answer);
  const options = { tokenUrl: `${server.url}/token`, clientId: "cli:ent", authentication };
  const provider = clientCredentials(
    { ...options, present: asBearer, scopes: ["read", "write"], audience: undefined },
    world,
  );
  const handOut = await provider.obtain(needing(), NEVER);
  return { handOut, asked: server.asked, tokenUrl: options.tokenUrl, nowMs: world.nowMs };
}

const POST: ClientAuthentication = { by: "client_secret_post", secretFile: "/secret" };

Deno.test("clientCredentials() asks with the secret in the form", async () => {
  const { handOut, asked, nowMs } = await asking(POST, () => Response.json(TOKEN));
  assert.deepEqual(handOut, {
    ok: true,
    value: {
      label: "test",
      headers: [["authorization", "Bearer at-1"]],
      secrets: ["at-1"],
      expiresAtMs: nowMs + 600_000,
    },
  });
  assert.deepEqual(Object.fromEntries(new URLSearchParams(asked[0]?.body)), {
    grant_type: "client_credentials",
    scope: "read write",
    client_id: "cli:ent",
    client_secret: SECRET,
  });
  assert.equal(asked[0]?.headers.get("authorization"), null);
});

Deno.test("clientCredentials() asks with the secret in Basic, each half encoded as in forms", async () => {
  const { handOut, asked } = await asking(
    { by: "client_secret_basic", secretFile: "/secret" },
    () => Response.json(TOKEN),
  );
  assert.ok(handOut.ok);
  assert.equal(
    atob(asked[0]!.headers.get("authorization")!.slice("Basic ".length)),
    "cli%3Aent:p%C3%A4ss+word%3A%26%3D%25",
  );
  assert.ok(!new URLSearchParams(asked[0]!.body).has("client_secret"));
});

const KEYS: Readonly<
  Record<string, { readonly publicKey: KeyObject; readonly privateKey: KeyObject }>
> = {
  RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: generateKeyPairSync("ed25519"),
};

for (const [algorithm, { publicKey, privateKey }] of Object.entries(KEYS)) {
  Deno.test(`clientCredentials() asks with an assertion that verifies under ${algorithm}`, async () => {
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    const by = { by: "private_key_jwt", keyFile: "/key", keyId: "k1" } as const;
    const { handOut, asked, tokenUrl, nowMs } = await asking(by, () => Response.json(TOKEN), {
      "/key": pem,
    });
    assert.ok(handOut.ok, JSON.stringify(handOut));
    const form = new URLSearchParams(asked[0]!.body);
    assert.match(form.get("client_assertion_type")!, /:jwt-bearer$/);
    const [header, claims, signature] = form.get("client_assertion")!.split(".");
    const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
    assert.deepEqual(read(header!), { alg: algorithm, typ: "JWT", kid: "k1" });
    const { jti, ...rest } = read(claims!);
    const iat = Math.floor(nowMs / 1000);
    const who = { iss: "cli:ent", sub: "cli:ent", aud: tokenUrl };
    assert.deepEqual(rest, { ...who, iat, exp: iat + 300 });
    assert.match(jti, /^[0-9a-f-]{36}$/);
    assert.ok(verify(
      algorithm === "EdDSA" ? null : "sha256",
      new TextEncoder().encode(`${header}.${claims}`),
      { key: publicKey, dsaEncoding: "ieee-p1363" },
      Buffer.from(signature!, "base64url"),
    ));
  });
}

Deno.test("clientCredentials() signs with no key that is too weak, and asks nobody", async () => {
  const weak = [
    generateKeyPairSync("rsa", { modulusLength: 1024 }),
    generateKeyPairSync("ec", { namedCurve: "secp256k1" }),
  ].map(({ privateKey }) => privateKey.export({ type: "pkcs8", format: "pem" }) as string);
  for (const pem of [...weak, "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n"]) {
    const { handOut, asked } = await asking(
      { by: "private_key_jwt", keyFile: "/key", keyId: undefined },
      () => Response.json(TOKEN),
      { "/key": pem },
    );
    assert.equal(handOut.ok ? "" : handOut.error.code, "CREDENTIAL_SECRET_UNUSABLE");
    assert.deepEqual(asked, []);
  }
});

Deno.test("clientCredentials() hands out nothing that a token endpoint lies about", async () => {
  const lies: Readonly<Record<string, () => Response>> = {
    "a page": () => new Response("<html>", { headers: { "content-type": "text/html" } }),
    "a page that says it is JSON": () =>
      new Response("<html>", { headers: { "content-type": "application/json" } }),
    "a type that is not Bearer": () => Response.json({ ...TOKEN, token_type: "mac" }),
    "no type": () => Response.json({ ...TOKEN, token_type: undefined }),
    "no token": () => Response.json({ ...TOKEN, access_token: undefined }),
    "a token that ends the header": () => Response.json({ ...TOKEN, access_token: "a\r\nb: c" }),
    "a token that is a list": () => Response.json({ ...TOKEN, access_token: ["a"] }),
    "a life that is over": () => Response.json({ ...TOKEN, expires_in: -1 }),
    "a life without end": () =>
      new Response(JSON.stringify(TOKEN).replace("600", "1e999"), {
        headers: { "content-type": "application/json" },
      }),
    "a refresh token with a line feed": () => Response.json({ ...TOKEN, refresh_token: "a\nb" }),
  };
  for (const [what, answer] of Object.entries(lies)) {
    const { handOut } = await asking(POST, answer);
    assert.equal(handOut.ok ? "" : handOut.error.code, "CREDENTIAL_ANSWER_INVALID", what);
  }
  const long = await asking(POST, () => Response.json({ ...TOKEN, expires_in: 1e300 }));
  assert.equal(long.handOut.ok && long.handOut.value.expiresAtMs, long.nowMs + 86_400_000);
});

Deno.test("clientCredentials() repeats of a refusal only what the RFC has words for", async () => {
  const refuse = (error: string) => () =>
    Response.json({ error, error_description: `bad ${SECRET}` }, { status: 400 });
  const known = await asking(POST, refuse("invalid_client"));
  assert.ok(!known.handOut.ok);
  assert.equal(known.handOut.error.code, "CREDENTIAL_SERVICE_REFUSED");
  assert.match(known.handOut.error.message, /: it answered 400 \(invalid_client\)$/);
  const unknown = await asking(POST, refuse(SECRET));
  assert.ok(!unknown.handOut.ok);
  assert.match(unknown.handOut.error.message, /: it answered 400$/);
});

/** A service that rotates: each refresh token is good once, and using one twice ends them all. */
function rotating() {
  let current = "rt-0";
  let count = 0;
  let isOver = false;
  return standIn(({ body }) => {
    const used = new URLSearchParams(body).get("refresh_token");
    if (isOver || used !== current) {
      isOver = true;
      return Response.json({ error: "invalid_grant" }, { status: 400 });
    }
    current = `rt-${++count}`;
    return Response.json({ ...TOKEN, access_token: `at-${count}`, refresh_token: current });
  });
}

function refreshing(url: string, world: TestWorld) {
  return refreshToken({
    tokenUrl: url,
    clientId: "client",
    authentication: { by: "none" },
    present: asBearer,
    refreshTokenFile: "/refresh",
    scopes: [],
  }, world);
}

Deno.test("refreshToken() keeps each new refresh token before it hands anything out", async () => {
  using world = testWorld({ "/refresh": "rt-0" });
  await using server = rotating();
  const provider = refreshing(server.url, world);
  for (const round of [1, 2, 3]) {
    const handOut = await provider.obtain(needing(), NEVER);
    assert.ok(handOut.ok, JSON.stringify(handOut));
    assert.deepEqual(handOut.value.headers, [["authorization", `Bearer at-${round}`]]);
    assert.equal(world.files.get("/refresh"), `rt-${round}`);
    assert.ok(!JSON.stringify(handOut).includes("rt-"), "the data plane has no use for it");
  }
});

Deno.test("refreshToken() loses no refresh token that cannot be written for a while", async () => {
  using world = testWorld({ "/refresh": "rt-0" });
  await using server = rotating();
  let isFull = true;
  const write = world.writeSecret;
  world.writeSecret = (path, text) =>
    isFull
      ? Promise.resolve(err({ code: "CREDENTIAL_UNOBTAINABLE", message: "no space" }))
      : write(path, text);
  const provider = refreshing(server.url, world);
  for (let i = 0; i < 3; i++) assert.ok(!(await provider.obtain(needing(), NEVER)).ok);
  assert.equal(server.asked.length, 1, "no other is used up meanwhile");
  isFull = false;
  assert.ok((await provider.obtain(needing(), NEVER)).ok);
  assert.equal(world.files.get("/refresh"), "rt-2");
});

Deno.test("refreshToken() goes by the file where somebody signed in again meanwhile", async () => {
  using world = testWorld({ "/refresh": "rt-9" });
  const used: string[] = [];
  await using server = standIn(({ body }) => {
    used.push(new URLSearchParams(body).get("refresh_token")!);
    return Response.json(TOKEN);
  });
  const provider = refreshing(server.url, world);
  await provider.obtain(needing(), NEVER);
  world.files.set("/refresh", "rt-new");
  assert.ok((await provider.obtain(needing(), NEVER)).ok);
  assert.deepEqual(used, ["rt-9", "rt-new"]);
  assert.equal(world.files.get("/refresh"), "rt-new", "what is not rotated stays");
});
