import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import * as x509 from "../../src/pki/x509.ts";
import { SessionCa } from "../../src/pki/session_ca.ts";

const HOUR_MS = 3_600_000;

function firstCertificate(pem: string): X509Certificate {
  return new X509Certificate(pem.split(/(?<=-----END CERTIFICATE-----\n)/)[0]!);
}

Deno.test("SessionCa.create() makes an authority that may sign leaves and nothing else", async () => {
  const now = Date.now();
  const ca = await SessionCa.create(() => now);
  const certificate = new x509.X509Certificate(ca.certificatePem);
  const constraints = certificate.getExtension(x509.BasicConstraintsExtension)!;
  assert.deepEqual([constraints.ca, constraints.pathLength, constraints.critical], [true, 0, true]);
  const usages = certificate.getExtension(x509.KeyUsagesExtension)!;
  assert.deepEqual([usages.usages, usages.critical], [x509.KeyUsageFlags.keyCertSign, true]);
  assert.match(certificate.subject, /CN=firma session CA [0-9a-f]{8}/);
  assert.equal(await certificate.isSelfSigned(), true);
  const second = 1000;
  assert.ok(Math.abs(certificate.notBefore.getTime() - (now - HOUR_MS)) <= second);
  assert.ok(Math.abs(certificate.notAfter.getTime() - (now + (7 * 24 - 1) * HOUR_MS)) <= second);
});

Deno.test("SessionCa.create() makes a different authority each time", async () => {
  const [a, b] = [await SessionCa.create(), await SessionCa.create()];
  assert.notEqual(a.certificatePem, b.certificatePem);
  const leaf = firstCertificate((await a.leaf("a.test")).certPem);
  assert.equal(leaf.verify(new X509Certificate(a.certificatePem).publicKey), true);
  assert.equal(leaf.verify(new X509Certificate(b.certificatePem).publicKey), false);
});

Deno.test("SessionCa.leaf() names exactly the host it is for", async () => {
  const ca = await SessionCa.create();
  const name = firstCertificate((await ca.leaf("api.github.test")).certPem);
  assert.equal(name.subjectAltName, "DNS:api.github.test");
  assert.equal(name.ca, false);
  const purposes = new x509.X509Certificate(name.raw).getExtension(x509.ExtendedKeyUsageExtension)!;
  assert.deepEqual(purposes.usages, [x509.ExtendedKeyUsage.serverAuth]);
  assert.equal(
    firstCertificate((await ca.leaf("192.0.2.7")).certPem).subjectAltName,
    "IP Address:192.0.2.7",
  );
  assert.equal(
    firstCertificate((await ca.leaf("2001:db8::1")).certPem).subjectAltName,
    "IP Address:2001:DB8:0:0:0:0:0:1",
  );
});

Deno.test("SessionCa.leaf() serves a host whose name is too long for a common name", async () => {
  const ca = await SessionCa.create();
  const host = `${"a".repeat(60)}.${"b".repeat(60)}.test`;
  const leaf = new x509.X509Certificate(
    (await ca.leaf(host)).certPem.split(/(?<=-----END CERTIFICATE-----\n)/)[0]!,
  );
  assert.equal(leaf.subject, "");
  const names = leaf.getExtension(x509.SubjectAlternativeNameExtension)!;
  assert.equal(names.critical, true);
  assert.deepEqual(names.names.toJSON(), [{ type: "dns", value: host }]);
});

Deno.test("SessionCa.leaf() makes a certificate once and again before it expires", async () => {
  let now = Date.now();
  const ca = await SessionCa.create(() => now);
  const [first, racing] = await Promise.all([ca.leaf("a.test"), ca.leaf("a.test")]);
  assert.equal(racing, first);
  now += 21 * HOUR_MS;
  assert.equal(await ca.leaf("a.test"), first);
  now += 2 * HOUR_MS;
  const renewed = await ca.leaf("a.test");
  assert.notEqual(renewed, first);
  assert.ok(new Date(firstCertificate(renewed.certPem).validTo).getTime() > now + 20 * HOUR_MS);
});

Deno.test("SessionCa.leaf() refuses what is not a host name", async () => {
  // A name with a separator would add attributes or names that nobody asked for.
  const ca = await SessionCa.create();
  for (
    const host of [
      "",
      "a.test,DNS:bank.test",
      "a.test\nCN=bank.test",
      "*.test",
      "A.test",
      "[::1]",
      ".",
      "-",
    ]
  ) {
    await assert.rejects(ca.leaf(host), TypeError, host);
  }
  await ca.leaf("a_b.test");
});
