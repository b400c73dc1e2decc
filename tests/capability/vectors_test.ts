import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { signPaseto, verifyPaseto } from "../../src/capability/paseto.ts";

interface Vector {
  readonly name: string;
  readonly "expect-fail": boolean;
  readonly "public-key"?: string;
  readonly "secret-key-pem"?: string;
  readonly token: string;
  readonly payload: string | null;
  readonly footer: string;
  readonly "implicit-assertion": string;
}

const directory = Deno.env.get("FIRMA_TEST_VECTORS");
const reason = directory === undefined ? " (skipped: FIRMA_TEST_VECTORS is not set)" : "";

function vectors(): Vector[] {
  return JSON.parse(Deno.readTextFileSync(`${directory}/paseto-v4.json`)).tests;
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}

function binding(vector: Vector) {
  return {
    footer: bytes(vector.footer),
    implicitAssertion: bytes(vector["implicit-assertion"]),
  };
}

// Vectors of the other purpose come without a public key; they must fail under any.
const ANY_KEY = "1eb9dbbbbc047c03fd70604e0071f0987e16b28b757225c11f00415d0e20b1a2";

Deno.test({
  name: `verifyPaseto() agrees with the official PASETO v4 vectors${reason}`,
  ignore: directory === undefined,
  fn: async (t) => {
    let verified = 0;
    for (const vector of vectors()) {
      await t.step(vector.name, async () => {
        const key = Uint8Array.fromHex(vector["public-key"] ?? ANY_KEY);
        const result = await verifyPaseto(vector.token, key, binding(vector));
        const isPublic = vector.token.startsWith("v4.public.") && !vector["expect-fail"];
        assert.equal(result.ok, isPublic);
        if (!result.ok) return;
        assert.deepEqual(result.value, JSON.parse(vector.payload!));
        verified++;
      });
    }
    assert.equal(verified, 3);
  },
});

Deno.test({
  name: `verifyPaseto() refuses the official vectors under another footer or assertion${reason}`,
  ignore: directory === undefined,
  fn: async () => {
    for (const vector of vectors().filter(({ name }) => name.startsWith("4-S-"))) {
      const key = Uint8Array.fromHex(vector["public-key"]!);
      const { footer, implicitAssertion } = binding(vector);
      const other = bytes("other");
      assert.ok((await verifyPaseto(vector.token, key, { footer, implicitAssertion })).ok);
      assert.ok(!(await verifyPaseto(vector.token, key, { footer: other, implicitAssertion })).ok);
      assert.ok(!(await verifyPaseto(vector.token, key, { footer, implicitAssertion: other })).ok);
    }
  },
});

Deno.test({
  name: `signPaseto() makes the official PASETO v4 vectors${reason}`,
  ignore: directory === undefined,
  fn: async () => {
    for (const vector of vectors().filter(({ name }) => name.startsWith("4-S-"))) {
      const key = createPrivateKey(vector["secret-key-pem"]!);
      const token = await signPaseto(JSON.parse(vector.payload!), key, binding(vector));
      assert.equal(token, vector.token, vector.name);
    }
  },
});
