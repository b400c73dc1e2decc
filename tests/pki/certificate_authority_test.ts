import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { createAuthority, issueCertificate } from "../../src/pki/certificate_authority.ts";
import { readElements } from "../../src/pki/der_reader.ts";
import { objectIdentifier, octetString, sequence } from "../../src/pki/der.ts";
import { unwrap } from "../../src/core/result.ts";

const CLIENT = { commonName: "sidecar-1", names: [], purpose: "client", days: 30 } as const;

async function openssl(args: readonly string[], files: Record<string, string>): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "firma-pki-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${directory}/${name}`, text);
    }
    const { code, stdout, stderr } = await new Deno.Command("openssl", {
      args: [...args],
      cwd: directory,
    }).output();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    return code === 0 ? text : `failed: ${text}`;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("issueCertificate() makes certificates that OpenSSL accepts for their purpose alone", async (t) => {
  const ca = unwrap(await createAuthority("Some Client CA", 3650));
  for (const purpose of ["server", "client"] as const) {
    const issued = unwrap(await issueCertificate(ca, { ...CLIENT, purpose }));
    for (const asked of ["server", "client"]) {
      await t.step(`${purpose} used as ${asked}`, async () => {
        const args = ["verify", "-x509_strict", "-purpose", `ssl${asked}`, "-CAfile", "ca", "leaf"];
        const said = await openssl(args, { ca: ca.certificate, leaf: issued.certificate });
        assert.equal(said.startsWith("leaf: OK"), asked === purpose, said);
      });
    }
  }
});

Deno.test("issueCertificate() signs with an authority that OpenSSL made", async () => {
  const made = await openssl(
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
      .concat(["-subj", "/O=Elsewhere/OU=Unit/CN=Other CA", "-days", "9", "-keyout", "-"])
      .concat(["-addext", "keyUsage=critical,keyCertSign"]),
    {},
  );
  const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(made)![0];
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(made)![0];
  const issued = unwrap(await issueCertificate({ certificate, key }, { ...CLIENT, days: 365 }));
  const args = ["verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", "ca", "leaf"];
  const said = await openssl(args, { ca: certificate, leaf: issued.certificate });
  assert.match(said, /^leaf: OK/);
  const late = new X509Certificate(issued.certificate).validTo;
  assert.equal(late, new X509Certificate(certificate).validTo, "never longer than its authority");
});

Deno.test("issueCertificate() names what it is for", async () => {
  const ca = unwrap(await createAuthority("Some Client CA", 3650));
  const names = ["Host.test", "*.wild.test", "192.0.2.7", "2001:db8::1"];
  const issued = unwrap(
    await issueCertificate(ca, { commonName: "a", names, purpose: "server", days: 1 }),
  );
  const leaf = new X509Certificate(issued.certificate);
  assert.equal(
    leaf.subjectAltName,
    "DNS:host.test, DNS:*.wild.test, IP Address:192.0.2.7, IP Address:2001:db8::1",
  );
  assert.equal(leaf.subject, "CN=a");
  assert.equal(leaf.ca, false);
});

Deno.test("issueCertificate() refuses what cannot be a certificate", async (t) => {
  const ca = unwrap(await createAuthority("Some Client CA", 3650));
  const leaf = unwrap(await issueCertificate(ca, CLIENT));
  const other = unwrap(await createAuthority("Another", 1));
  const cases: Record<string, [typeof ca, Partial<typeof CLIENT> | object, string]> = {
    "no name": [ca, { commonName: "" }, "CERTIFICATE_REQUEST_INVALID"],
    "a name with a line feed": [ca, { commonName: "a\nCN=b" }, "CERTIFICATE_REQUEST_INVALID"],
    "a long name": [ca, { commonName: "a".repeat(65) }, "CERTIFICATE_REQUEST_INVALID"],
    "no host name": [ca, { names: ["a b"] }, "CERTIFICATE_REQUEST_INVALID"],
    "a leaf for an authority": [leaf, {}, "CERTIFICATE_AUTHORITY_UNUSABLE"],
    "another key": [{ ...ca, key: other.key }, {}, "CERTIFICATE_AUTHORITY_UNUSABLE"],
    "no certificate": [{ ...ca, certificate: "" }, {}, "CERTIFICATE_AUTHORITY_UNUSABLE"],
  };
  for (const [name, [authority, special, code]] of Object.entries(cases)) {
    await t.step(name, async () => {
      const result = await issueCertificate(authority, { ...CLIENT, ...special });
      assert.ok(!result.ok);
      assert.equal(result.error.code, code);
      assert.ok(!result.error.message.includes("PRIVATE"));
    });
  }
});

Deno.test("readElements() reads what was written, and throws nothing but RangeError at the rest", () => {
  const [outer] = readElements(
    sequence(objectIdentifier("2.5.29.14"), octetString(new Uint8Array(300))),
  );
  const [oid, octets] = readElements(outer!.contents);
  assert.equal(oid!.oid, "2.5.29.14");
  assert.equal(octets!.contents.length, 300);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    try {
      const elements = readElements(bytes);
      assert.equal(elements.reduce((sum, { encoded }) => sum + encoded.length, 0), bytes.length);
    } catch (thrown) {
      assert.ok(thrown instanceof RangeError);
    }
  }));
});
