import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { KEY_ALGORITHM } from "../../src/pki/certificate.ts";
import { generateKeyPair } from "../../src/pki/key_pair.ts";

const TEXT = new TextEncoder().encode("text");

async function pointOf(key: CryptoKey): Promise<string> {
  return new Uint8Array(await crypto.subtle.exportKey("raw", key)).toHex();
}

Deno.test("generateKeyPair() makes keys that belong together", async () => {
  const { privateKey, publicKey } = await generateKeyPair(true);
  const signature = await crypto.subtle.sign(KEY_ALGORITHM, privateKey, TEXT);
  assert(await crypto.subtle.verify(KEY_ALGORITHM, publicKey, signature, TEXT));
  assert.equal(
    await crypto.subtle.verify(KEY_ALGORITHM, publicKey, signature, TEXT.slice(1)),
    false,
  );
});

Deno.test("generateKeyPair() makes what other programs take for a private key of that public one", async () => {
  const { privateKey, publicKey } = await generateKeyPair(true);
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  const key = createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });
  assert.equal(key.asymmetricKeyDetails?.namedCurve, "prime256v1");
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  assert(spki.toString("hex").endsWith(await pointOf(publicKey)));
});

Deno.test("generateKeyPair() makes a private key that can be exported only where that is wanted", async () => {
  const { privateKey, publicKey } = await generateKeyPair(false);
  assert.equal(privateKey.extractable, false);
  await assert.rejects(crypto.subtle.exportKey("pkcs8", privateKey));
  const signature = await crypto.subtle.sign(KEY_ALGORITHM, privateKey, TEXT);
  assert(await crypto.subtle.verify(KEY_ALGORITHM, publicKey, signature, TEXT));
});

Deno.test("generateKeyPair() never makes the same pair twice", async () => {
  const pairs = await Promise.all(Array.from({ length: 20 }, () => generateKeyPair(true)));
  const points = await Promise.all(pairs.map(({ publicKey }) => pointOf(publicKey)));
  assert.equal(new Set(points).size, points.length);
});

Deno.test("generateKeyPair() draws again where a number is none of the curve's, but not for ever", async () => {
  const draw = crypto.getRandomValues;
  let draws = 0;
  // The order of the curve (FIPS 186-5) is the first number that is too large.
  const order = Uint8Array.fromHex(
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
  );
  const bad = [new Uint8Array(32), order];
  const stub =
    (numbers: readonly Uint8Array[]) => <T extends ArrayBufferView | null>(into: T): T => {
      const bytes = into as unknown as Uint8Array;
      const next = numbers[draws++];
      if (next === undefined) return draw.call(crypto, into as never) as T;
      bytes.set(next);
      return into;
    };
  try {
    crypto.getRandomValues = stub(bad) as typeof draw;
    const { publicKey } = await generateKeyPair(true);
    assert.equal(draws, 3);
    assert.equal((await pointOf(publicKey)).length, 130);
    draws = 0;
    crypto.getRandomValues = stub([...bad, ...bad, ...bad]) as typeof draw;
    await assert.rejects(generateKeyPair(true));
    assert.equal(draws, 4);
  } finally {
    crypto.getRandomValues = draw;
  }
});
