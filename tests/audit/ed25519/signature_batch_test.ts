import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import fc from "fast-check";
import { KeyBatches } from "../../../src/audit/ed25519/key_batches.ts";
import { verifySignature } from "../../../src/audit/verify_signature.ts";
import { BASE, bytesOf, encoded, L, minus, P, plus, SMALL_ORDER, times } from "./affine.ts";

/** RFC 8032, 7.1: public key, message and signature in hex. */
const VECTORS: Record<string, readonly [string, string, string]> = {
  "test 1": [
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  "test 2": [
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  "test 3": [
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
  "SHA(abc)": [
    "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
  ],
};

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const raw = rawKey(publicKey);
const batches = new KeyBatches(1);

function rawKey(key: KeyObject): Uint8Array {
  return Uint8Array.fromBase64(key.export({ format: "jwk" }).x!, { alphabet: "base64url" });
}

/** Whether a batch of this one signature accepts it; `undefined` where the key gets no batch. */
function accepts(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean | undefined {
  const batch = batches.after(key);
  if (batch === undefined) return undefined;
  const isTaken = batch.add(message, signature);
  return batch.settle() && isTaken;
}

/** What node:crypto says; it throws for some keys. */
function acceptsAlone(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verifySignature(key, message, signature);
  } catch {
    return false;
  }
}

function signed(message: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, message, privateKey));
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const utf8 = new TextEncoder();

Deno.test("SignatureBatch accepts the signatures of RFC 8032, and no other messages under them", () => {
  for (const [name, [key, message, signature]] of Object.entries(VECTORS)) {
    const [k, m, s] = [key, message, signature].map((hex) => Uint8Array.fromHex(hex)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    assert.equal(acceptsAlone(k, m, s), true, name);
    assert.equal(accepts(k, m, s), true, name);
    assert.equal(accepts(k, joined(m, Uint8Array.of(0)), s), false, name);
  }
});

Deno.test("SignatureBatch accepts messages of every length, and the largest", () => {
  const lengths = [...Array(300).keys(), 1_000, 8_191, 8_192, 8_193, 100_000, 3_000_000];
  const batch = batches.after(raw)!;
  for (const length of lengths) {
    const message = crypto.getRandomValues(new Uint8Array(Math.min(length, 65_536)));
    const whole = new Uint8Array(length);
    whole.set(message.subarray(0, length));
    assert.ok(batch.add(whole, signed(whole)));
  }
  assert.ok(batch.settle());
});

Deno.test("SignatureBatch says no to every changed bit of a signature, and a changed key", () => {
  const message = utf8.encode("a line of the log");
  const signature = signed(message);
  assert.equal(accepts(raw, message, signature), true);
  for (let bit = 0; bit < 512; bit++) {
    const changed = signature.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(accepts(raw, message, changed), false, `bit ${bit}`);
  }
  const other = rawKey(generateKeyPairSync("ed25519").publicKey);
  assert.equal(accepts(other, message, signature), false);
  for (const length of [0, 32, 63, 65, 128]) {
    const cut = joined(signature, signature).subarray(0, length);
    assert.equal(accepts(raw, message, cut), false);
  }
});

Deno.test("SignatureBatch says no to a changed message", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), fc.nat(), (message, at) => {
      const signature = signed(message);
      assert.equal(accepts(raw, message, signature), true);
      const changed = message.slice();
      changed[at % message.length]! ^= 1 << (at % 8);
      assert.equal(accepts(raw, changed, signature), false);
      assert.equal(accepts(raw, message.subarray(1), signature), false);
    }),
    { numRuns: 100 },
  );
});

Deno.test("SignatureBatch finds the one wrong signature among many, wherever it is", () => {
  const messages = Array.from({ length: 600 }, (_, index) => utf8.encode(`line ${index}`));
  const signatures = messages.map(signed);
  for (const wrong of [undefined, 0, 1, 128, 254, 255, 256, 257, 511, 512, 598, 599]) {
    const batch = batches.after(raw)!;
    for (const [index, message] of messages.entries()) {
      const signature = signatures[index]!.slice();
      if (index === wrong) signature[40]! ^= 1;
      assert.ok(batch.add(message, signature));
    }
    assert.equal(batch.settle(), wrong === undefined, `${wrong}`);
    assert.ok(batch.settle(), "empty");
  }
});

Deno.test("SignatureBatch accepts no S of L or more, as node:crypto does not", () => {
  const message = utf8.encode("x");
  const signature = signed(message);
  const s = BigInt(`0x${signature.slice(32).reverse().toHex()}`);
  for (let larger = s + L; larger < 2n ** 256n; larger += L) {
    const malleable = joined(signature.subarray(0, 32), bytesOf(larger));
    assert.equal(acceptsAlone(raw, message, malleable), false);
    assert.equal(accepts(raw, message, malleable), false);
  }
});

/** A key and signatures of it whose scalars and points are chosen. */
const SECRET = 0x1234567890abcdef1234567890abcdefn;
const SECRET_POINT = times(SECRET, BASE);

function challenge(r: Uint8Array, key: Uint8Array, message: Uint8Array): bigint {
  const digest = createHash("sha512").update(joined(r, key, message)).digest();
  return BigInt(`0x${Uint8Array.from(digest).reverse().toHex()}`) % L;
}

Deno.test("SignatureBatch says what node:crypto says of keys and points with a part of small order", () => {
  let agreed = 0;
  for (const [index, part] of SMALL_ORDER.entries()) {
    const key = encoded(plus(SECRET_POINT, part));
    for (let nonce = 0n; nonce < 24n; nonce++) {
      for (const other of [SMALL_ORDER[0]!, SMALL_ORDER[Number(nonce % 8n)]!]) {
        const message = utf8.encode(`${index} ${nonce}`);
        const r = encoded(plus(times(nonce, BASE), other));
        const s = bytesOf((nonce + challenge(r, key, message) * SECRET) % L);
        const signature = joined(r, s);
        const expected = acceptsAlone(key, message, signature);
        const found = accepts(key, message, signature);
        if (nonce > 0n) assert.equal(found, expected, `${index} ${nonce}`);
        // R of small order: implementations may differ, so only a yes has to be shared.
        else assert.ok(!found || expected);
        agreed += Number(expected);
      }
    }
  }
  assert.ok(agreed > 50, "there were signatures to accept");
});

Deno.test("SignatureBatch accepts no R in another form than the one that it computes", () => {
  // R is the neutral point, or of order 2: y = 1 may be written as p + 1, and x = 0 with a sign.
  const message = utf8.encode("x");
  const key = encoded(SECRET_POINT);
  const forms = [1n, P + 1n, 1n | 1n << 255n, (P + 1n) | 1n << 255n, P - 1n, P - 1n | 1n << 255n];
  for (const form of forms) {
    const r = bytesOf(form);
    const signature = joined(r, bytesOf(challenge(r, key, message) * SECRET % L));
    const expected = acceptsAlone(key, message, signature);
    assert.ok(!accepts(key, message, signature) || expected);
    assert.equal(accepts(key, message, signature), form === 1n);
  }
});

Deno.test("KeyBatches leaves keys of small order and those in other forms to the others", () => {
  const always = new KeyBatches(0);
  const left = [
    ...SMALL_ORDER.map(encoded),
    bytesOf(P + 1n),
    bytesOf(P),
    bytesOf(2n ** 255n - 1n),
    bytesOf(1n | 1n << 255n),
    bytesOf(2n),
  ];
  for (const key of left) assert.equal(always.after(key), undefined, key.toHex());
  assert.ok(always.after(encoded(minus(SECRET_POINT))));
});

Deno.test("KeyBatches gives a batch for a key of which it heard often enough", () => {
  const patient = new KeyBatches(3);
  const other = encoded(SECRET_POINT);
  for (let round = 0; round < 2; round++) {
    assert.equal(patient.after(raw), undefined);
    assert.equal(patient.after(other), undefined);
  }
  assert.ok(patient.after(raw));
  // By what the key is, not by which bytes hold it.
  assert.ok(patient.after(other.slice()));
});

Deno.test("KeyBatches serves more keys than it has tables for, in turn", () => {
  const few = new KeyBatches(1);
  const message = utf8.encode("x");
  const keys = Array.from({ length: 6 }, () => generateKeyPairSync("ed25519"));
  for (const round of [0, 1]) {
    for (const [index, key] of keys.entries()) {
      const batch = few.after(rawKey(key.publicKey))!;
      assert.ok(batch.add(message, new Uint8Array(sign(null, message, key.privateKey))));
      assert.ok(batch.settle(), `key ${index} in round ${round}`);
      const another = keys[(index + 1) % keys.length]!;
      assert.ok(batch.add(message, new Uint8Array(sign(null, message, another.privateKey))));
      assert.ok(!batch.settle(), `key ${index} in round ${round}`);
    }
  }
});
