import assert from "node:assert/strict";
import { closedFiles } from "../../src/audit/closed_file.ts";
import { readCertificate } from "../../src/audit/key_certificate.ts";
import { AuditWriter } from "../../src/audit/writer.ts";
import { signingKeyFile } from "../../src/audit/signing_key_source.ts";
import { unwrap } from "../../src/core/result.ts";
import { loadOrCreateSigningKey } from "../../src/pki/signing_key.ts";
import { Person } from "../fixtures/cli.ts";
import { numberedDecision } from "./sample.ts";

/** Signs as a key management service would: it alone has the private half. */
const SIGN = "cat >statement && openssl pkeyutl -sign -rawin -inkey root.pem -in statement";

async function openWriter(person: Person): Promise<AuditWriter> {
  const path = `${person.dataDir}/keys/audit.key`;
  const key = signingKeyFile(path, unwrap(await loadOrCreateSigningKey(path)));
  return unwrap(await AuditWriter.open({ file: person.auditLog, key }));
}

async function makeRoot(person: Person): Promise<void> {
  const make = "openssl genpkey -algorithm ed25519 -out root.pem && " +
    "openssl pkey -in root.pem -pubout -outform DER | tail -c 32 | base64 >root.pub";
  const { success } = await new Deno.Command("sh", { args: ["-c", make], cwd: person.project })
    .output();
  assert.ok(success);
}

Deno.test("firma audit keys tells who signed which lines, and changes the key under a writer", async () => {
  await using person = await Person.create();
  const writer = await openWriter(person);
  writer.append(numberedDecision(1, "w"));
  unwrap(await writer.flush());
  const rotated = await person.firma(["audit", "keys", "rotate"]);
  assert.match(rotated.stdout, /^Line 3 is the last one of key [0-9a-f]{16}; [0-9a-f]{16} signs/);
  writer.append(numberedDecision(2, "w"));
  unwrap(await writer.close());

  const listed = await person.firma(["audit", "keys"]);
  assert.match(listed.stdout, /^KEY .*\n[0-9a-f]{16} +1 +3\b.*\n[0-9a-f]{16} +4 +now\b.*\n$/);
  const json = JSON.parse((await person.firma(["audit", "keys", "--json"])).stdout);
  assert.deepEqual(json.map((key: { from: number; to?: number }) => [key.from, key.to]), [
    [1, 3],
    [4, undefined],
  ]);
  const verified = await person.firma(["audit", "verify"]);
  assert.equal(verified.stdout, `${person.auditLog}: whole, 5 lines, checkpoint at line 5\n`);
  // The key that signs now does not speak for lines before its own.
  const alone = ["audit", "verify", "--public-key", `${person.dataDir}/keys/audit.key.pub`];
  assert.match((await person.firma(alone)).stdout, /broken at line 1:/);
  const proof = await person.firma(["audit", "prove", "2"]);
  await person.write("event.tlog-proof", proof.stdout);
  assert.match(
    (await person.firma(["audit", "check-proof", "event.tlog-proof"])).stdout,
    /^proved/,
  );
});

Deno.test("firma audit keys counts a key from its first line, in whatever closed file that is", async () => {
  await using person = await Person.create();
  const path = `${person.dataDir}/keys/audit.key`;
  const key = unwrap(await loadOrCreateSigningKey(path));
  const rotation = { maxBytes: 4_000 };
  const writer = unwrap(await AuditWriter.open({ file: person.auditLog, key, rotation }));
  for (let i = 0; i < 60; i++) {
    writer.append(numberedDecision(i, "w"));
    if (i % 10 === 9) unwrap(await writer.flush());
  }
  unwrap(await writer.close());
  assert.ok(closedFiles(person.auditLog).length >= 2);
  const listed = JSON.parse((await person.firma(["audit", "keys", "--json"])).stdout);
  assert.deepEqual(listed, [{ public_key: key.publicKey.toBase64(), from: 1 }]);
  const certify = ["audit", "keys", "certify", "--root", `${path}.pub`, "--", "false"];
  const late = await person.firma(certify);
  assert.match(late.stderr, /it has signed the log since line 1/);
});

Deno.test("firma audit keys has keys certified by a command that signs", async () => {
  await using person = await Person.create();
  await makeRoot(person);
  const vouch = ["--root", "root.pub", "--", "sh", "-c", SIGN];
  const certified = await person.firma(["audit", "keys", "certify", ...vouch]);
  assert.equal(certified.code, 0, certified.stderr);
  const path = `${person.dataDir}/keys/audit.key`;
  const key = unwrap(await loadOrCreateSigningKey(path));
  const writer = unwrap(
    await AuditWriter.open({
      file: person.auditLog,
      key: signingKeyFile(path, key),
      certificate: (publicKey) => readCertificate(path, publicKey),
    }),
  );
  writer.append(numberedDecision(1, "w"));
  unwrap(await writer.close());
  const byRoot = () => person.firma(["audit", "verify", "--public-key", "root.pub"]);
  assert.match((await byRoot()).stdout, /: whole, 2 lines, checkpoint at line 2\n$/);

  const late = await person.firma(["audit", "keys", "certify", ...vouch]);
  assert.equal(late.code, 2);
  assert.match(late.stderr, /it has signed the log since line 1/);
  const rotated = await person.firma(["audit", "keys", "rotate", ...vouch]);
  assert.equal(rotated.code, 0, rotated.stderr);
  assert.match((await byRoot()).stdout, /: whole, 4 lines, checkpoint at line 4\n$/);

  for (
    const [command, why] of [
      ["exit 3", /it ended with exit code 3/],
      ["echo no", /it printed no Ed25519 signature/],
      [`${SIGN.replace("-in statement", "-in root.pub")}`, /its signature is not one of the key/],
    ] as const
  ) {
    const words = ["--root", "root.pub", "--", "sh", "-c", command];
    const refused = await person.firma(["audit", "keys", "rotate", ...words]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, why);
  }
  assert.match((await byRoot()).stdout, /: whole, 4 lines/);
});
