import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { PublicProtocol } from "paseto";
import {
  PublicKeyFromCryptoKey,
  SecretKeyFromCryptoKey,
  SignFactory,
  VerifyFactory,
} from "paseto/v4/public";
import { signPaseto, verifyPaseto } from "../../src/capability/paseto.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const raw = Uint8Array.fromBase64(publicKey.export({ format: "jwk" }).x!, {
  alphabet: "base64url",
});
const der = new Uint8Array(privateKey.export({ type: "pkcs8", format: "der" }));
const secretWebKey = await crypto.subtle.importKey("pkcs8", der, "Ed25519", true, ["sign"]);
const publicWebKey = await crypto.subtle.importKey("raw", raw, "Ed25519", true, ["verify"]);
const library = new PublicProtocol(SignFactory, VerifyFactory);
const secretKey = await SecretKeyFromCryptoKey(secretWebKey);
const verifyingKey = await PublicKeyFromCryptoKey(publicWebKey);

const bytes = fc.uint8Array({ maxLength: 40 }).map((bytes) => new Uint8Array(bytes));
const cases = fc.record({
  claims: fc.dictionary(
    fc.string({ minLength: 1 }).filter((name) => !["exp", "iat", "nbf"].includes(name)),
    fc.jsonValue(),
  ).map((claims) => JSON.parse(JSON.stringify(claims)) as Record<string, unknown>),
  footer: bytes,
  implicitAssertion: bytes,
});

Deno.test("signPaseto() signs what another implementation verifies", () =>
  fc.assert(fc.asyncProperty(cases, async ({ claims, footer, implicitAssertion }) => {
    const token = await signPaseto(claims, privateKey, { footer, implicitAssertion });
    const options = { footer, implicitAssertion, allowNonExpiring: true };
    const verified = await library.Verify(verifyingKey, token, options);
    assert.deepEqual(verified.claims, claims);
  })));

Deno.test("verifyPaseto() verifies what another implementation signs, byte for byte the same", () =>
  fc.assert(fc.asyncProperty(cases, async ({ claims, footer, implicitAssertion }) => {
    const binding = { footer, implicitAssertion };
    const token = await library.Sign(secretKey, claims as Record<string, never>, {
      ...binding,
      addIssuedAt: false,
      nonExpiring: true,
    });
    assert.equal(await signPaseto(claims, secretWebKey, binding), token);
    const verified = await verifyPaseto(token, raw, binding);
    assert.deepEqual(verified, { ok: true, value: claims });
  })));

Deno.test("verifyPaseto() refuses what is signed and holds no claims", async (t) => {
  for (const payload of ["[]", "null", "1", '"text"']) {
    await t.step(payload, async () => {
      const token = await signPaseto({ toJSON: () => JSON.parse(payload) }, privateKey);
      const verified = await verifyPaseto(token, raw);
      assert(!verified.ok);
      assert.match(verified.error.message, /it holds no claims$/);
    });
  }
});
