import assert from "node:assert/strict";
import { AuditWriter } from "../../src/audit/writer.ts";
import { unwrap } from "../../src/core/result.ts";
import { loadOrCreateSigningKey } from "../../src/pki/signing_key.ts";
import { sampleDecision, sampleOutcome } from "../audit/sample.ts";
import { command } from "../../src/cli/monitor.ts";
import { contradiction, type MonitorFlags } from "../../src/cli/monitor_flags.ts";
import { Person } from "../fixtures/cli.ts";

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

  const last = await person.firma(["monitor", "--only-deny", "--tail", "1"]);
  assert.match(last.stdout, /^[^\n]+ DENY +POST[^\n]+\n$/);
  const json = await person.firma(["monitor", "--json"]);
  assert.equal(json.stdout, await Deno.readTextFile(person.auditLog));
});

Deno.test("firma monitor exits with 2 when there is no log", async () => {
  await using person = await Person.create();
  const { code, stderr } = await person.firma(["monitor", "--no-follow"]);
  assert.match(stderr, /there is no such file\n {2}cure: /);
  assert.equal(code, 2);
});

/** What the parser says to these words; `undefined` when it takes them. */
async function parseFault(words: readonly string[]): Promise<string | undefined> {
  const subject = command().exitOverride().configureOutput({ writeErr: () => {} })
    .action((flags: MonitorFlags) => {
      const fault = contradiction(flags);
      if (fault !== undefined) throw new Error(fault);
    });
  try {
    await subject.parseAsync([...words], { from: "user" });
  } catch (cause) {
    return (cause as Error).message;
  }
}

Deno.test("firma monitor says what is wrong with its options", async () => {
  const wrong: [string[], RegExp][] = [
    [["--decision", "perhaps"], /Allowed choices are allow, deny/],
    [["--only-deny", "--decision", "allow"], /cannot be used with/],
    [["--since", "yesterday"], /neither a duration nor RFC 3339/],
    [["--action-class", "code.wrte"], /Did you mean code.write\?/],
    [["--tail", "-1"], /not a number of lines/],
    [["--tail", "1", "--no-follow"], /--tail together with --no-follow/],
    [["--json", "--format", "pretty"], /cannot be used with/],
    [["--web", "--no-follow"], /--web together with --no-follow/],
    [["--web", "--json"], /cannot be used with/],
    [["--web", "--port", "0"], /not a port/],
    [["--port", "4711"], /without --web: there is no page/],
    [["--no-open"], /without --web: there is no page/],
    [["--source", "everything"], /Allowed choices are audit, authority, sidecar, all/],
  ];
  for (const [words, told] of wrong) {
    assert.match(await parseFault(words) ?? "nothing", told, words.join(" "));
  }
  const right = [
    [],
    ["--tail", "1", "--format", "json"],
    ["--web", "--port", "4711", "--no-open", "--only-deny"],
    ["--source", "all", "--since", "1h", "--no-follow"],
  ];
  for (const words of right) assert.equal(await parseFault(words), undefined, words.join(" "));
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
    const monitor = onTerminal(person, ["monitor", "--plain", ...flags], env);
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
  const plain = onTerminal(person, ["monitor", "--plain"], { NO_COLOR: "1" });
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
