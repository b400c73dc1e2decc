import assert from "node:assert/strict";
import { AuditWriter } from "../../src/audit/writer.ts";
import { unwrap } from "../../src/core/result.ts";
import { loadOrCreateSigningKey } from "../../src/pki/signing_key.ts";
import { Person } from "../fixtures/cli.ts";
import { sampleDecision, sampleOutcome } from "./sample.ts";

/** A writer to this person's log, with this person's key. */
async function writerOf(person: Person): Promise<AuditWriter> {
  const key = unwrap(await loadOrCreateSigningKey(`${person.dataDir}/keys/audit.key`));
  return unwrap(await AuditWriter.open({ file: person.auditLog, key }));
}

const DENY = sampleDecision({
  decision: "DENY",
  deny_reason: "PolicyDenied",
  action_class: "code.write",
  method: "POST",
  resource: "api.github.invalid/repos/firma/firma/merges",
  event_id: "aevt_denied",
});

async function writeSome(person: Person): Promise<void> {
  const writer = await writerOf(person);
  writer.append(sampleDecision());
  writer.append(sampleOutcome({ abort_reason: "CONNECTOR_TIMEOUT" }));
  writer.append(DENY);
  unwrap(await writer.close());
}

Deno.test("firma audit verify accepts a log and names what breaks a copy", async () => {
  await using person = await Person.create();
  await writeSome(person);
  const whole = await person.firma(["audit", "verify"]);
  assert.equal(whole.stdout, `${person.auditLog}: whole, 4 lines, checkpoint at line 4\n`);
  assert.equal(whole.code, 0);

  const text = await Deno.readTextFile(person.auditLog);
  await person.write("copy.jsonl", text);
  const copy = await person.firma(["audit", "verify", "copy.jsonl"]);
  assert.match(copy.stdout, /^copy.jsonl: whole, 4 lines; no checkpoint beside it/);
  assert.equal(copy.code, 0);

  const lines = text.split(/(?<=\n)/);
  const attacks: Record<string, string[]> = {
    changed: [lines[0]!, lines[1]!.replace("ALLOW", "DENY"), ...lines.slice(2)],
    removed: [lines[0]!, ...lines.slice(2)],
    swapped: [lines[0]!, lines[2]!, lines[1]!, lines[3]!],
    duplicated: [lines[0]!, lines[0]!, ...lines.slice(1)],
  };
  for (const [what, attacked] of Object.entries(attacks)) {
    await person.write("copy.jsonl", attacked.join(""));
    const { code, stdout } = await person.firma(["audit", "verify", "copy.jsonl"]);
    assert.match(stdout, /^copy.jsonl: broken at line 2: /, what);
    assert.equal(code, 1, what);
  }
  const json = await person.firma(["audit", "verify", "copy.jsonl", "--json"]);
  assert.equal(json.code, 1);
  assert.partialDeepStrictEqual(JSON.parse(json.stdout), {
    file: "copy.jsonl",
    whole: false,
    lines: 1,
    broken: { line: 2, code: "OUT_OF_ORDER" },
  });

  await Deno.writeTextFile(person.auditLog, lines.slice(0, 3).join(""));
  const cut = await person.firma(["audit", "verify"]);
  assert.match(cut.stdout, /broken at line 4: it is missing/);
  assert.equal(cut.code, 1);
});

Deno.test("firma audit verify exits with 2 when it cannot judge", async () => {
  await using person = await Person.create();
  const noKey = await person.firma(["audit", "verify"]);
  assert.equal(noKey.code, 2);
  assert.match(noKey.stderr, /Cannot read the public key ".*": there is no such file\n {2}cure: /);

  await writeSome(person);
  const key = `${person.dataDir}/keys/audit.key.pub`;
  const missing = await person.firma(["audit", "verify", "none.jsonl", "--public-key", key]);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /Cannot read the audit log "none.jsonl": there is no such file/);

  await person.write("bad.pub", "not a key\n");
  const bad = await person.firma(["audit", "verify", "--public-key", "bad.pub"]);
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /it is not 32 bytes in base64/);

  await person.write("other.pub", `${new Uint8Array(32).fill(1).toBase64()}\n`);
  const other = await person.firma(["audit", "verify", "--public-key", "other.pub"]);
  assert.equal(other.code, 1);
  const both = ["--public-key", "other.pub", "--public-key", key];
  assert.equal((await person.firma(["audit", "verify", ...both])).code, 0);
});
