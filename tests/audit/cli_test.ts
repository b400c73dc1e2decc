import assert from "node:assert/strict";
import { AuditWriter } from "../../src/audit/writer.ts";
import { unwrap } from "../../src/core/result.ts";
import { loadOrCreateSigningKey } from "../../src/pki/signing_key.ts";
import { Person } from "../fixtures/cli.ts";
import { sampleDecision, sampleOutcome } from "./sample.ts";

const FIRMA = new URL("../../scripts/firma", import.meta.url).pathname;

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

Deno.test("firma monitor prints what is in the log and ends when nobody watches", async () => {
  await using person = await Person.create();
  await writeSome(person);
  const all = await person.firma(["monitor"]);
  assert.equal(all.code, 0);
  const lines = all.stdout.trimEnd().split("\n");
  assert.deepEqual(lines.map((line) => line.split(/\s+/).slice(2, 5).join(" ")), [
    "LOG created first",
    "ALLOW GET api.github.invalid/repos/firma/firma",
    "ABORT GET api.github.invalid/repos/firma/firma",
    "DENY POST api.github.invalid/repos/firma/firma/merges",
  ]);
  const columns = lines.slice(1).map((line) => line.indexOf("class="));
  assert.equal(new Set(columns).size, 1, "the columns are not aligned");

  const denied = [["--only-deny"], ["--decision", "deny"], ["--action-class", "code.write"]];
  for (const filter of [...denied, ["--tail", "1"]]) {
    const { stdout } = await person.firma(["monitor", ...filter]);
    assert.match(stdout, /^[^\n]+ DENY +POST[^\n]+\n$/, filter.join(" "));
  }
  const since = await person.firma(["monitor", "--since", "2025-02-01T00:00:00Z"]);
  assert.match(since.stdout, /^[^\n]+ LOG +created[^\n]+\n$/);
  const nobody = await person.firma(["monitor", "--agent", "agt_nobody"]);
  assert.equal(nobody.stdout, "");

  const json = await person.firma(["monitor", "--json"]);
  assert.equal(json.stdout, await Deno.readTextFile(person.auditLog));
});

Deno.test("firma monitor says what is wrong with its options, and exits with 2", async () => {
  await using person = await Person.create();
  const wrong: [string[], RegExp][] = [
    [["--no-follow"], /there is no such file\n {2}cure: /],
    [["--decision", "perhaps"], /Allowed choices are allow, deny/],
    [["--only-deny", "--decision", "allow"], /cannot be used with/],
    [["--since", "yesterday"], /neither a duration nor RFC 3339/],
    [["--action-class", "code.wrte"], /Did you mean code.write\?/],
    [["--tail", "-1"], /not a number of lines/],
  ];
  for (const [words, told] of wrong) {
    const { code, stderr } = await person.firma(["monitor", ...words]);
    assert.match(stderr, told);
    assert.equal(code, 2, words.join(" "));
  }
});

Deno.test("firma monitor follows a log that does not exist yet, and Ctrl-C ends it with 0", async () => {
  await using person = await Person.create();
  const monitor = person.start(["monitor", "--follow"]);
  await monitor.printed(/waiting for the first event/);
  await writeSome(person);
  await monitor.printed(/DENY {4}POST/);
  monitor.kill("SIGINT");
  assert.equal((await monitor.finished()).code, 0);
});

/** Like `startOnTerminal`, but no shell is left in between to answer Ctrl-C in its own way. */
function onTerminal(person: Person, args: string[], env: Record<string, string>) {
  const command = `exec '${FIRMA}' ${args.join(" ")}`;
  const words = ["--quiet", "--return", "--command", command, "/dev/null"];
  return person.startProgram("script", words, { env });
}

Deno.test("firma monitor follows on a terminal and shows no controls of an agent there", async () => {
  await using person = await Person.create();
  const writer = await writerOf(person);
  writer.append(sampleDecision({ resource: "evil.invalid/\x1b]0;owned\x07\u009b2J\u202e" }));
  unwrap(await writer.flush());
  for (const [flags, colours] of [[[], true], [["--json"], false]] as const) {
    const env = { NO_COLOR: "" };
    const monitor = onTerminal(person, ["monitor", ...flags], env);
    await monitor.printed(/evil\.invalid/);
    writer.append({ ...DENY, resource: `later.invalid/${flags.length}` });
    await monitor.printed(new RegExp(`later\\.invalid/${flags.length}`));
    await monitor.write("\x03");
    const { code, stdout } = await monitor.finished();
    assert.equal(code, 0, stdout);
    assert.equal(stdout.includes("\x1b[31mDENY"), colours);
    // deno-lint-ignore no-control-regex -- controls are what must not be there
    assert.doesNotMatch(stdout, /\x1b\]|\x07|\u009b|\u202e/);
  }
  const plain = onTerminal(person, ["monitor"], { NO_COLOR: "1" });
  await plain.printed(/later\.invalid/);
  await plain.write("\x03");
  assert.ok(!(await plain.finished()).stdout.includes("\x1b["));
  unwrap(await writer.close());
});

Deno.test("firma monitor ends quietly when its reader has seen enough", async () => {
  await using person = await Person.create();
  const writer = await writerOf(person);
  for (let i = 0; i < 2_000; i++) writer.append(sampleDecision());
  unwrap(await writer.close());
  const script = `"$0" monitor --json | head -n 1 >/dev/null; echo "\${PIPESTATUS[0]}"`;
  await person.firma(["version"]); // the first start of all says that it fetches something
  const pipe = person.startProgram("bash", ["-c", script, FIRMA]);
  const { stdout, stderr } = await pipe.finished();
  assert.equal(stdout, "0\n");
  assert.equal(stderr, "");
});
