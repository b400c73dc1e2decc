import "reflect-metadata"; // @peculiar/x509 needs it loaded first
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
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
  const purposes = new x509.X509Certificate(name.toString()).getExtension(
    x509.ExtendedKeyUsageExtension,
  )!;
  assert.deepEqual([...purposes.usages], [x509.ExtendedKeyUsage.serverAuth]);
  assert.equal(
    firstCertificate((await ca.leaf("192.0.2.7")).certPem).subjectAltName,
    "IP Address:192.0.2.7",
  );
  assert.equal(
    firstCertificate((await ca.leaf("2001:db8::1")).certPem).subjectAltName,
    "IP Address:2001:db8::1",
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

Deno.test("SessionCa.leaf() makes certificates that OpenSSL accepts, each for its host alone", async () => {
  const dir = await Deno.makeTempDir();
  const ca = await SessionCa.create();
  await Deno.writeTextFile(`${dir}/ca.pem`, ca.certificatePem);
  const long = `${"a".repeat(60)}.${"b".repeat(60)}.test`;
  for (const host of ["a.test", "192.0.2.7", "2001:db8::1", "::1", long]) {
    await Deno.writeTextFile(`${dir}/leaf.pem`, (await ca.leaf(host)).certPem);
    const option = /[:\d]$/.test(host) ? "-verify_ip" : "-verify_hostname";
    for (
      const [asked, wanted] of [[host, 0], [option === "-verify_ip" ? "192.0.2.8" : "b.test", 2]]
    ) {
      const { code, stderr } = await new Deno.Command("openssl", {
        args: [
          ...["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", `${dir}/ca.pem`],
          ...[option, String(asked), `${dir}/leaf.pem`],
        ],
      }).output();
      assert.equal(code, wanted, `${asked}: ${new TextDecoder().decode(stderr)}`);
    }
  }
  await Deno.remove(dir, { recursive: true });
});

Deno.test("SessionCa.leaf() signs what verifies, many times over", async () => {
  // One signature in two has a number that would be negative without a byte of padding,
  // and one in 256 has one that is shorter.
  const ca = await SessionCa.create();
  const { publicKey } = new X509Certificate(ca.certificatePem);
  const hosts = Array.from({ length: 600 }, (_, i) => `h${i}.test`);
  for (const { certPem } of await Promise.all(hosts.map((host) => ca.leaf(host)))) {
    assert.equal(firstCertificate(certPem).verify(publicKey), true);
  }
});
