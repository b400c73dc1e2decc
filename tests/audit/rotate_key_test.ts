import assert from "node:assert/strict";
import { sign } from "node:crypto";
import { certificateStatement, type KeyCertificate } from "../../src/audit/key_certificate.ts";
import { chainEvents } from "../../src/audit/chain.ts";
import { rotateSigningKey } from "../../src/audit/rotate_key.ts";
import { nextKeyPath, signingKeyFile } from "../../src/audit/signing_key_source.ts";
import { verifyLog, type VerifyReport } from "../../src/audit/verify.ts";
import { AuditWriter } from "../../src/audit/writer.ts";
import { ok, unwrap } from "../../src/core/result.ts";
import {
  loadOrCreateSigningKey,
  newSigningKey,
  parseSigningKey,
  readPublicKeyFile,
  type SigningKey,
} from "../../src/pki/signing_key.ts";
import { inTempDir, numberedDecision, readEvents } from "./sample.ts";

interface Place {
  readonly logPath: string;
  readonly keyPath: string;
}

/** A log and its key in `dir`. */
function placeIn(dir: string): Place {
  return { logPath: `${dir}/audit.jsonl`, keyPath: `${dir}/keys/audit.key` };
}

async function openWriter({ logPath, keyPath }: Place): Promise<AuditWriter> {
  const key = signingKeyFile(keyPath, unwrap(await loadOrCreateSigningKey(keyPath)));
  return unwrap(await AuditWriter.open({ file: logPath, key }));
}

async function record(writer: AuditWriter, ...numbers: number[]): Promise<void> {
  for (const number of numbers) assert.ok(writer.append(numberedDecision(number, "w")));
  unwrap(await writer.flush());
}

async function publicKey({ keyPath }: Place): Promise<Uint8Array> {
  return unwrap(await readPublicKeyFile(`${keyPath}.pub`));
}

async function verified({ logPath }: Place, ...publicKeys: Uint8Array[]): Promise<VerifyReport> {
  return unwrap(await verifyLog(logPath, { publicKeys }));
}

Deno.test("rotateSigningKey() hands over in the middle of a log that others write", () =>
  inTempDir(async (dir) => {
    const place = placeIn(dir);
    const [one, other] = [await openWriter(place), await openWriter(place)];
    await record(one, 1);
    const first = await publicKey(place);
    const { seq, from, to, retiredFile } = unwrap(await rotateSigningKey(place));
    await record(other, 2);
    await record(one, 3);
    const last = unwrap(await rotateSigningKey(place));
    await record(one, 4);
    unwrap(await other.close());
    unwrap(await one.close());

    assert.deepEqual([from, to, last.from], [first, last.from, to]);
    assert.deepEqual(await publicKey(place), last.to);
    assert.deepEqual(unwrap(await readPublicKeyFile(retiredFile)), first);
    const kinds = (await readEvents(place.logPath)).map((event) =>
      event.kind === "key" ? event.change : event.kind
    );
    const handOver = ["handed_over", "created"];
    assert.deepEqual(
      kinds,
      ["created", "decision", ...handOver, "decision", "decision", ...handOver, "decision"],
    );
    assert.equal(seq, 3);
    // The first key is enough for all, the checkpoint of the last one included.
    const whole = await verified(place, first);
    assert.partialDeepStrictEqual(whole, { whole: true, lines: 9, checkpointSize: 9 });
    assert.equal((await verified(place, last.to)).broken?.line, 1);
    const firstFile = `${dir}/first.pub`;
    await Deno.writeTextFile(firstFile, first.toBase64());
    assert.equal(await pythonSays(place.logPath, firstFile), "whole, 9 lines\n");
    assert.match(await pythonSays(place.logPath, `${place.keyPath}.pub`), /^broken: no known key/);
    assert.ok((await verified(place, first, to, last.to)).whole);
    // Nothing of the old private keys is left.
    const files = [...Deno.readDirSync(`${dir}/keys`)].map(({ name }) => name);
    const privateFiles = files.filter((name) => !name.endsWith(".pub"));
    assert.deepEqual(privateFiles, ["audit.key"]);
  }));

Deno.test("a key that has handed over signs nothing any more, whoever has it", () =>
  inTempDir(async (dir) => {
    const place = placeIn(dir);
    const writer = await openWriter(place);
    await record(writer, 1);
    const stolen = unwrap(await loadOrCreateSigningKey(place.keyPath));
    const { seq } = unwrap(await rotateSigningKey(place));
    unwrap(await writer.close());
    const lines = (await Deno.readTextFile(place.logPath)).trimEnd().split("\n");
    assert.ok((await verified(place, stolen.publicKey)).whole);

    // Instead of the line of the new key, one of the old key.
    const kept = lines.slice(0, seq);
    const hash = new Uint8Array(
      await crypto.subtle.digest("SHA-256", new TextEncoder().encode(kept.at(-1))),
    ).toHex();
    const forged = chainEvents([numberedDecision(2, "thief")], { seq, hash }, stolen.privateKey);
    await Deno.writeFile(
      place.logPath,
      new Uint8Array([...new TextEncoder().encode(`${kept.join("\n")}\n`), ...forged.bytes]),
    );
    await Deno.remove(`${place.logPath}.checkpoint`);
    const stolenFile = `${dir}/stolen.pub`;
    await Deno.writeTextFile(stolenFile, stolen.publicKey.toBase64());
    assert.match(
      await pythonSays(place.logPath, stolenFile),
      /^broken: no known key signed line 4/,
    );
    const report = await verified(place, stolen.publicKey, await publicKey(place));
    assert.deepEqual([report.broken?.line, report.broken?.code], [seq + 1, "BAD_SIGNATURE"]);
  }));

Deno.test("nobody but the key in force hands over", () =>
  inTempDir(async (dir) => {
    const key = unwrap(await loadOrCreateSigningKey(`${dir}/audit.key`));
    const forger = newKey();
    const event = {
      ...numberedDecision(1, "forger"),
      kind: "key" as const,
      change: "handed_over" as const,
      public_key: key.publicKey.toBase64(),
      next_public_key: forger.publicKey.toBase64(),
    };
    const path = `${dir}/audit.jsonl`;
    for (const signer of [forger, key]) {
      const { bytes } = chainEvents([event], { seq: 0, hash: "0".repeat(64) }, signer.privateKey);
      await Deno.writeFile(path, bytes);
      const report = unwrap(await verifyLog(path, { publicKeys: [key.publicKey] }));
      assert.equal(report.whole, signer === key);
    }
  }));

Deno.test("a change of keys that was broken off comes to its end before the next line", async (t) => {
  for (const when of ["before the log has it", "after the log has it"]) {
    await t.step(when, () =>
      inTempDir(async (dir) => {
        const place = placeIn(dir);
        const writer = await openWriter(place);
        await record(writer, 1);
        const first = await publicKey(place);
        const { privatePem } = newSigningKey();
        const next = unwrap(parseSigningKey("next", privatePem));
        if (when.startsWith("after")) {
          // What a process leaves that dies between the line and the exchange of the files.
          await Deno.copyFile(place.keyPath, `${dir}/old.key`);
          unwrap(await rotateSigningKey(place));
          const lines = (await Deno.readTextFile(place.logPath)).split(/(?<=\n)/);
          await Deno.writeTextFile(place.logPath, lines.slice(0, 3).join(""));
          await Deno.remove(`${place.logPath}.checkpoint`);
          await Deno.rename(place.keyPath, nextKeyPath(place.keyPath));
          await Deno.rename(`${dir}/old.key`, place.keyPath);
          await Deno.writeTextFile(`${place.keyPath}.pub`, `${first.toBase64()}\n`);
        } else {
          await Deno.writeTextFile(nextKeyPath(place.keyPath), privatePem, { mode: 0o600 });
        }
        const late = await openWriter(place);
        await record(late, 2);
        unwrap(await late.close());
        const report = await verified(place, first);
        assert.ok(report.whole, JSON.stringify(report));
        const now = await publicKey(place);
        assert.equal(now.toBase64() === first.toBase64(), when.startsWith("before"));
        assert.notDeepEqual(now, next.publicKey);
        unwrap(await writer.close());
      }));
  }
});

Deno.test("a key that another one vouches for needs nobody else's word", () =>
  inTempDir(async (dir) => {
    const place = placeIn(dir);
    const writer = await openWriter(place);
    await record(writer, 1);
    const first = await publicKey(place);
    const root = newKey();
    const certify = (publicKey: Uint8Array) => Promise.resolve(ok(certificateOf(publicKey, root)));
    const { seq, to } = unwrap(await rotateSigningKey({ ...place, certify }));
    await record(writer, 2);
    unwrap(await writer.close());
    const events = await readEvents(place.logPath);
    assert.partialDeepStrictEqual(events[seq], {
      change: "certified",
      public_key: to.toBase64(),
      root_public_key: root.publicKey.toBase64(),
    });
    assert.ok((await verified(place, first)).whole);

    // The part of the new key, as a log of its own, is proved by the root alone.
    const lines = chainEvents(
      events.slice(seq).map(({ seq: _, prev: __, ...event }) => event),
      { seq: 0, hash: "0".repeat(64) },
      unwrap(await loadOrCreateSigningKey(place.keyPath)).privateKey,
    );
    const alone = `${dir}/alone.jsonl`;
    await Deno.writeFile(alone, lines.bytes);
    const by = async (key: Uint8Array) => unwrap(await verifyLog(alone, { publicKeys: [key] }));
    assert.ok((await by(root.publicKey)).whole);
    await Deno.writeTextFile(`${dir}/root.pub`, root.publicKey.toBase64());
    assert.match(await pythonSays(alone, `${dir}/root.pub`), /^whole/);
    assert.equal((await by(newKey().publicKey)).broken?.line, 1);
    const text = await Deno.readTextFile(alone);
    assert.match(text, /"root_signature":"/);
  }));

Deno.test("docs/audit/verify.py reads closed files, and what begins after dropped ones", () =>
  inTempDir(async (dir) => {
    const { logPath: file, keyPath } = placeIn(dir);
    const key = unwrap(await loadOrCreateSigningKey(keyPath));
    const options = { file, key, rotation: { maxBytes: 3_000 } };
    const fill = async (retention: { maxFiles?: number }) => {
      const writer = unwrap(await AuditWriter.open({ ...options, retention }));
      for (let i = 0; i < 30; i++) await record(writer, i);
      unwrap(await writer.close());
    };
    const both = async () => {
      const { whole, lines } = await verified({ logPath: file, keyPath }, key.publicKey);
      const said = await pythonSays(file, `${keyPath}.pub`);
      assert.equal(said.startsWith("whole"), whole, said);
      if (whole) assert.equal(said, `whole, ${lines} lines\n`);
      return whole;
    };
    await fill({});
    assert.ok(await both());
    await fill({ maxFiles: 2 });
    assert.ok(await both());
    // Without its record, what is missing at the beginning shows.
    const closed = [...Deno.readDirSync(dir)].map(({ name }) => name)
      .filter((name) => /\.jsonl\.\d+-\d+$/.test(name)).sort();
    assert.equal(closed.length, 2);
    await Deno.remove(`${dir}/${closed[0]}`);
    assert.ok(!await both());
  }));

/** What the verifier in Python says, which shares nothing with ours. */
async function pythonSays(log: string, keyFile: string): Promise<string> {
  const program = new URL("../../docs/audit/verify.py", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command("/usr/bin/python3", {
    args: [program, log, keyFile],
  }).output();
  return new TextDecoder().decode(stdout.length > 0 ? stdout : stderr);
}

function newKey(): SigningKey {
  return unwrap(parseSigningKey("new", newSigningKey().privatePem));
}

function certificateOf(publicKey: Uint8Array, root: SigningKey): KeyCertificate {
  const signature = new Uint8Array(sign(null, certificateStatement(publicKey), root.privateKey));
  return { rootPublicKey: root.publicKey, signature };
}
