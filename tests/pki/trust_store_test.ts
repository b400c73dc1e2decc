import assert from "node:assert/strict";
import { trustStore } from "../../src/pki/trust_store.ts";
import { TestCa } from "../fixtures/test_ca.ts";

async function openssl(...words: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("openssl", { args: words }).output();
  const text = new TextDecoder();
  assert.ok(success, text.decode(stderr));
  return text.decode(stdout);
}

function der(pem: string): Uint8Array {
  return Uint8Array.fromBase64(pem.replaceAll(/-----[^-]+-----/g, ""));
}

Deno.test("trustStore() makes a store from which OpenSSL reads the same certificates", async () => {
  const authorities = await Promise.all(
    ["CN=first", "CN=second"].map((name) => TestCa.create(name)),
  );
  const certificates = authorities.map(({ certificate }) => der(certificate));
  const file = await Deno.makeTempFile({ suffix: ".p12" });
  try {
    await Deno.writeFile(file, trustStore(certificates));
    const listed = await openssl("pkcs12", "-in", file, "-nokeys", "-passin", "pass:", "-nomacver");
    const read = listed.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    assert.deepEqual(read.map(der), certificates);
    // Java's attribute that makes each of them trusted: for any purpose.
    assert.equal(listed.match(/2\.16\.840\.1\.113894\.746875\.1\.1: /g)?.length, 2);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("trustStore() makes an empty store of no certificates", async () => {
  const file = await Deno.makeTempFile({ suffix: ".p12" });
  try {
    await Deno.writeFile(file, trustStore([]));
    assert.equal(
      await openssl("pkcs12", "-in", file, "-nokeys", "-passin", "pass:", "-nomacver"),
      "",
    );
  } finally {
    await Deno.remove(file);
  }
});
