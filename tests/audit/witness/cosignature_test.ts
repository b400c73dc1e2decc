import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, createPublicKey, verify } from "node:crypto";
import fc from "fast-check";
import { formatCheckpoint } from "../../../src/audit/checkpoint.ts";
import {
  formatAddCheckpoint,
  parseAddCheckpoint,
} from "../../../src/audit/witness/add_checkpoint.ts";
import {
  cosign,
  findCosignature,
  formatWitness,
  parseWitness,
  witnessName,
} from "../../../src/audit/witness/cosignature.ts";
import { unwrap } from "../../../src/core/result.ts";
import { keyPair } from "../../capability/support.ts";

const LOG = keyPair();
const KEY = keyPair();
const WITNESS = { name: witnessName(KEY.publicKey), publicKey: KEY.publicKey };
const NOTE = formatCheckpoint({ size: 7, root: new Uint8Array(32).fill(9) }, LOG);

Deno.test("cosign() signs what C2SP tlog-cosignature says, byte for byte", () => {
  const line = cosign(NOTE, WITNESS, KEY.privateKey, 1_679_315_147);
  const [, name, encoded] = /^— (\S+) (\S+)\n$/.exec(line)!;
  const blob = Buffer.from(encoded!, "base64");
  assert.equal(name, WITNESS.name);
  const id = createHash("sha256").update(`${name}\n`).update(Uint8Array.of(4))
    .update(KEY.publicKey).digest().subarray(0, 4);
  assert.deepEqual(blob.subarray(0, 4), id);
  assert.equal(blob.readBigUInt64BE(4), 1_679_315_147n);
  const body = NOTE.slice(0, NOTE.indexOf("\n\n") + 1);
  const signed = Buffer.from(`cosignature/v1\ntime 1679315147\n${body}`);
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(KEY.publicKey).toString("base64url") },
    format: "jwk",
  });
  assert.ok(verify(null, signed, key, blob.subarray(12)));
});

Deno.test("findCosignature() takes the witness's own over exactly this checkpoint, and nothing else", () => {
  const cosigned = NOTE + cosign(NOTE, WITNESS, KEY.privateKey, 1_700_000_000);
  assert.deepEqual(findCosignature(cosigned, WITNESS), {
    name: WITNESS.name,
    time: 1_700_000_000,
  });
  const mallory = keyPair();
  const later = formatCheckpoint({ size: 8, root: new Uint8Array(32).fill(9) }, LOG);
  const attacks: Record<string, string> = {
    "no cosignature": NOTE,
    "that of another checkpoint": later + cosigned.slice(NOTE.length),
    "by another key under the witness's name": NOTE +
      cosign(NOTE, WITNESS, mallory.privateKey, 1_700_000_000),
    "another time": cosigned.replace(/(— firma\/witness\/\S+ )(\S+)/, (_, head, blob) => {
      const bytes = Buffer.from(blob, "base64");
      bytes[11]! ^= 1;
      return head + bytes.toString("base64");
    }),
    "a changed size": cosigned.replace("\n7\n", "\n6\n"),
    "the signature of the log under the witness's name": NOTE.replace(/— \S+/, `— ${WITNESS.name}`),
    "nothing": "",
  };
  for (const [name, note] of Object.entries(attacks)) {
    assert.equal(findCosignature(note, WITNESS), undefined, name);
  }
});

Deno.test("parseWitness() reads what formatWitness() writes, and no other key", () => {
  const text = formatWitness(WITNESS);
  assert.deepEqual(unwrap(parseWitness(`${text}\n`)), WITNESS);
  const [name, id, key] = text.split("+");
  const ofLog = new Uint8Array([1, ...KEY.publicKey]).toBase64();
  for (
    const bad of [
      `${name}x+${id}+${key}`,
      `${name}+00000000+${key}`,
      `${name}+${id}+${ofLog}`,
      "",
      "a+b",
    ]
  ) assert.ok(!parseWitness(bad).ok, bad);
});

Deno.test("parseAddCheckpoint() reads what formatAddCheckpoint() writes, and never throws", () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(fc.nat(), fc.array(hash, { maxLength: 63 }), (oldSize, proof) => {
      const body = formatAddCheckpoint({ oldSize, proof, checkpoint: NOTE });
      const parsed = parseAddCheckpoint(body);
      assert.ok(parsed.ok);
      assert.equal(parsed.value.oldSize, oldSize);
      assert.equal(parsed.value.checkpoint, NOTE);
      assert.deepEqual(parsed.value.proof.map((each) => [...each]), proof.map((each) => [...each]));
    }),
    { numRuns: 100 },
  );
  fc.assert(
    fc.property(fc.string(), fc.constantFrom("", "old 1\n", "old 0\n\n"), (text, head) => {
      parseAddCheckpoint(head + text);
    }),
    { numRuns: 300 },
  );
  for (
    const bad of ["old 01\n\nx", "old -1\n\nx", "old 1\nAAAA\n\nx", `old 1\n${"x\n".repeat(64)}\nx`]
  ) {
    assert.ok(!parseAddCheckpoint(bad).ok, bad);
  }
});
