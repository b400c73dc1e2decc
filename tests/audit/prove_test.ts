import assert from "node:assert/strict";
import { checkpointPath } from "../../src/audit/checkpoint.ts";
import { checkProof, proveEvent } from "../../src/audit/prove.ts";
import { formatTlogProof, parseTlogProof } from "../../src/audit/tlog_proof.ts";
import { unwrap } from "../../src/core/result.ts";
import type { SigningKey } from "../../src/pki/signing_key.ts";
import { chainLines, inTempDir, numberedDecision, sampleKey, writeLog } from "./sample.ts";

const VERIFIER = new URL("../../docs/audit/verify.py", import.meta.url).pathname;
const LINES = 21;

/** What the verifier in Python says, which shares nothing with ours. */
async function python(key: string, log: string): Promise<{ whole: boolean; said: string }> {
  return await runPython(VERIFIER, log, key);
}

/** What its companion says of a proof. */
async function checkedByPython(proof: string, key: string) {
  return await runPython(VERIFIER.replace("verify.py", "check_proof.py"), proof, key);
}

async function runPython(...words: string[]): Promise<{ whole: boolean; said: string }> {
  const { code, stdout, stderr } = await new Deno.Command("/usr/bin/python3", {
    args: words,
    env: { PYTHONDONTWRITEBYTECODE: "1" },
  }).output();
  const said = new TextDecoder().decode(code === 0 ? stdout : stderr);
  assert.ok(code === 0 || said.startsWith("broken: "), said);
  return { whole: code === 0, said };
}

interface Place {
  readonly dir: string;
  readonly key: SigningKey;
  readonly keyFile: string;
  readonly log: string;
  readonly lines: readonly string[];
}

/** A log of {@linkcode LINES} lines, and a checkpoint for all of them. */
function withLog(test: (place: Place) => Promise<void>): Promise<void> {
  return inTempDir(async (dir) => {
    const key = await sampleKey(dir);
    const { lines, head } = chainLines(
      Array.from({ length: LINES }, (_, i) => numberedDecision(i)),
      key,
    );
    const log = `${dir}/audit.jsonl`;
    await writeLog(log, lines, { head, key });
    await test({ dir, key, keyFile: `${dir}/keys/audit.key.pub`, log, lines });
  });
}

Deno.test("proveEvent() proves each line by number and by id, and checkProof() takes the proof", () =>
  withLog(async ({ dir, key, keyFile, log, lines }) => {
    for (let seq = 1; seq <= LINES; seq++) {
      const proof = unwrap(await proveEvent(log, String(seq), [key.publicKey]));
      assert.equal(unwrap(await proveEvent(log, `aevt_w_${seq - 1}`, [key.publicKey])), proof);
      const proved = unwrap(checkProof(proof, [key.publicKey]));
      assert.deepEqual([proved.seq, proved.size], [seq, LINES]);
      assert.equal(`${proved.line}\n`, lines[seq - 1]);
      if (seq % 7 !== 0) continue;
      await Deno.writeTextFile(`${dir}/proof`, proof);
      const { whole, said } = await checkedByPython(`${dir}/proof`, keyFile);
      assert.ok(whole, said);
      assert.equal(said, lines[seq - 1]);
    }
  }));

Deno.test("proveEvent() proves nothing that the checkpoint does not vouch for", () =>
  withLog(async ({ dir, key, log, lines }) => {
    const code = async (event: string) => {
      const result = await proveEvent(log, event, [key.publicKey]);
      return result.ok ? "proved" : result.error.code;
    };
    assert.equal(await code("1"), "proved");
    for (const event of ["0", String(LINES + 1), "aevt_none", "aevt_w_", ""]) {
      assert.equal(await code(event), "NO_SUCH_EVENT", event);
    }
    const other = await sampleKey(dir, "other.key");
    const foreign = await proveEvent(log, "1", [other.publicKey]);
    assert.ok(!foreign.ok && foreign.error.code === "CHECKPOINT_INVALID");
    await Deno.writeTextFile(log, [...lines.slice(0, 3), ...lines.slice(4)].join(""));
    assert.equal(await code("1"), "AUDIT_LOG_DAMAGED");
    await Deno.remove(checkpointPath(log));
    assert.equal(await code("1"), "NO_CHECKPOINT");
  }));

Deno.test("checkProof() and the verifier in Python refuse what was tampered with", () =>
  withLog(async ({ dir, key, keyFile, log, lines }) => {
    const text = unwrap(await proveEvent(log, "6", [key.publicKey]));
    const proof = unwrap(parseTlogProof(text));
    const bytes = (line: string) => new TextEncoder().encode(line.trimEnd());
    const [first, ...rest] = proof.path;
    const attacks: Record<string, string> = {
      "another event of the log": formatTlogProof({ ...proof, extra: bytes(lines[6]!) }),
      "an event that was changed": formatTlogProof({
        ...proof,
        extra: bytes(lines[5]!.replace('"ALLOW"', '"DENY"')),
      }),
      "an event without its signature": formatTlogProof({
        ...proof,
        extra: bytes(lines[5]!.replace(/"signature":"[^"]*"/, '"signature":""')),
      }),
      "another place": formatTlogProof({ ...proof, index: 6 }),
      "a place beyond the log": formatTlogProof({ ...proof, index: LINES }),
      "a path without its beginning": formatTlogProof({ ...proof, path: rest }),
      "a path that is too long": formatTlogProof({ ...proof, path: [...proof.path, first!] }),
      "a path in another order": formatTlogProof({ ...proof, path: [...rest, first!] }),
      "another checkpoint": text.replace(`\n${LINES}\n`, `\n${LINES - 1}\n`),
      "no checkpoint": text.slice(0, text.indexOf("\n\n") + 2),
      "another format": text.replace("@v1", "@v2"),
    };
    for (const [what, attack] of Object.entries(attacks)) {
      assert.ok(!checkProof(attack, [key.publicKey]).ok, what);
      await Deno.writeTextFile(`${dir}/proof`, attack);
      assert.ok(!(await checkedByPython(`${dir}/proof`, keyFile)).whole, what);
    }
    await Deno.writeTextFile(`${dir}/proof`, text);
    assert.ok((await checkedByPython(`${dir}/proof`, keyFile)).whole);
    assert.ok(checkProof(text, [key.publicKey]).ok);
  }));

Deno.test("the verifier in Python agrees about whole logs and broken ones", () =>
  withLog(async ({ dir, key, keyFile, log, lines }) => {
    assert.deepEqual(await python(keyFile, log), { whole: true, said: `whole, ${LINES} lines\n` });
    const swapped = [...lines];
    [swapped[3], swapped[4]] = [swapped[4]!, swapped[3]!];
    const attacks: Record<string, readonly string[]> = {
      "a changed byte": lines.map((line, i) => i === 9 ? line.replace("w_9", "w_8") : line),
      "a missing line": lines.filter((_, i) => i !== 9),
      "a line twice": lines.flatMap((line, i) => i === 9 ? [line, line] : [line]),
      "two lines in another order": swapped,
      "a line cut in half": [...lines.slice(0, -1), lines.at(-1)!.slice(0, 40)],
      "lines missing at the end": lines.slice(0, -1),
      "no first line": lines.slice(1),
      "nothing": [],
    };
    for (const [what, attacked] of Object.entries(attacks)) {
      await Deno.writeTextFile(log, attacked.join(""));
      assert.ok(!(await python(keyFile, log)).whole, what);
    }
    // A log of the same key whose every line is sound, under this one's checkpoint.
    const { lines: others } = chainLines(
      Array.from({ length: LINES }, (_, i) => numberedDecision(i, "v")),
      key,
    );
    await Deno.writeTextFile(log, others.join(""));
    assert.ok(!(await python(keyFile, log)).whole, "another log under this checkpoint");
    await Deno.remove(checkpointPath(log));
    assert.ok((await python(keyFile, log)).whole);
    await sampleKey(dir, "other.key");
    assert.ok(!(await python(`${dir}/keys/other.key.pub`, log)).whole, "another key");
  }));

Deno.test("docs/audit/verify.py stays short enough to be read", async () => {
  assert.ok((await Deno.readTextFile(VERIFIER)).split("\n").length <= 101);
});
