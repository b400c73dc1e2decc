import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { checkpointOrigin, formatCheckpoint, parseCheckpoint } from "../../src/audit/checkpoint.ts";
import { unwrap } from "../../src/core/result.ts";
import { inTempDir, sampleKey } from "./sample.ts";

const HEAD = { size: 4711, root: createHash("sha256").update("line").digest() };

Deno.test("formatCheckpoint() writes a C2SP signed note that others can verify", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const note = formatCheckpoint(HEAD, key);
    const [origin, size, root, blank, signatureLine, end] = note.split("\n");
    assert.equal(size, "4711");
    assert.equal(root, createHash("sha256").update("line").digest("base64"));
    assert.equal(blank, "");
    assert.equal(end, "");
    const [dash, name, encoded] = signatureLine!.split(" ");
    assert.equal(dash, "\u2014");
    assert.equal(name, origin);
    const blob = Uint8Array.fromBase64(encoded!);
    const keyId = createHash("sha256").update(`${origin}\n\x01`).update(key.publicKey).digest();
    assert.deepEqual([...blob.subarray(0, 4)], [...keyId.subarray(0, 4)]);
    const signed = new TextEncoder().encode(`${origin}\n${size}\n${root}\n`);
    assert.ok(verify(null, signed, createPublicKey(key.privateKey), blob.subarray(4)));
  }));

Deno.test("parseCheckpoint() reads what formatCheckpoint() wrote", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const other = await sampleKey(dir, "other.key");
    const note = formatCheckpoint(HEAD, key);
    assert.deepEqual(unwrap(parseCheckpoint(note, [other.publicKey, key.publicKey])), {
      origin: checkpointOrigin(key.publicKey),
      size: HEAD.size,
      root: new Uint8Array(HEAD.root),
    });
    const cosigned = note + "— witness.invalid AAAAAAAA\n";
    assert.equal(unwrap(parseCheckpoint(cosigned, [key.publicKey])).size, HEAD.size);
  }));

Deno.test("parseCheckpoint() refuses what the key did not sign so", () =>
  inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const other = await sampleKey(dir, "other.key");
    const note = formatCheckpoint(HEAD, key);
    const lines = note.split("\n");
    const forged = formatCheckpoint(HEAD, other);
    const attacks: Record<string, string> = {
      "another size": note.replace("4711", "4710"),
      "a size with a leading zero": note.replace("4711", "04711"),
      "another root": note.replace(lines[2]!, new Uint8Array(32).toBase64()),
      "another origin": note.replaceAll(lines[0]!, "firma/audit/0000000000000000"),
      "an unknown key": forged,
      "an unknown key under the known name": forged
        .replaceAll(checkpointOrigin(other.publicKey), checkpointOrigin(key.publicKey)),
      "no signature": lines.slice(0, 4).join("\n") + "\n",
      "an extension line that was not signed": note.replace(/\n\n/, "\nextension\n\n"),
      "nothing": "",
      "half of it": note.slice(0, note.length / 2),
      "no newline at the end": note.slice(0, -1),
    };
    for (const [what, attack] of Object.entries(attacks)) {
      assert.ok(!parseCheckpoint(attack, [key.publicKey]).ok, what);
    }
    assert.ok(parseCheckpoint(note, [key.publicKey]).ok);
    assert.ok(!parseCheckpoint(note, []).ok);
  }));
