import assert from "node:assert/strict";
import { AuditWriter } from "../../src/audit/writer.ts";
import { unwrap } from "../../src/core/result.ts";
import { loadOrCreateSigningKey } from "../../src/pki/signing_key.ts";
import { sampleDecision } from "../audit/sample.ts";
import { Person, type Running } from "../fixtures/cli.ts";
import { eventually } from "../fixtures/deadline.ts";

const FIRMA = new URL("../../scripts/firma", import.meta.url).pathname;

const ENTER = "\x1b[?1049h";
const LEAVE = "\x1b[?25h\x1b[?1049l";
/** The screen is given back, and the shell has the keyboard again. */
// deno-lint-ignore no-control-regex -- sequences begin with a control
const OVER = /\x1b\[\?25h\x1b\[\?1049l[^]*ready>/;
/** How a terminal is before and after: line by line, with an echo. */
const COOKED = "icanon echo";

async function writerOf(person: Person): Promise<AuditWriter> {
  const key = unwrap(await loadOrCreateSigningKey(`${person.dataDir}/keys/audit.key`));
  return unwrap(await AuditWriter.open({ file: person.auditLog, key }));
}

/** A shell with job control, on a terminal of its own. */
async function shellOn(person: Person): Promise<Running> {
  const words = ["--quiet", "--return", "--command", "bash --norc --noprofile -i", "/dev/null"];
  const shell = person.startProgram("script", words, { env: { PS1: "ready>", NO_COLOR: "" } });
  await shell.write("bind 'set enable-bracketed-paste off'; stty rows 30 columns 110\n");
  await shell.write(`show() { stty -a | grep -o -w -e '-\\?icanon' -e '-\\?echo' | xargs; }\n`);
  return shell;
}

/** Types a line and waits for what it leads to. */
async function type(shell: Running, text: string, expected: RegExp | string): Promise<string> {
  const before = shell.stdout.length;
  await shell.write(text);
  const since = () => shell.stdout.slice(before);
  return await eventually(
    () => `${expected} after ${JSON.stringify(text)} in:\n${since().slice(-3_000)}`,
    () => {
      const found = typeof expected === "string"
        ? since().includes(expected)
        : expected.test(since());
      return found ? since() : undefined;
    },
  );
}

Deno.test("firma monitor takes the screen, obeys keys, and gives the terminal back however it ends", async () => {
  await using person = await Person.create();
  await person.firma(["version"]); // the first start of all says that it fetches something
  const writer = await writerOf(person);
  writer.append(sampleDecision({ resource: "evil.invalid/\x1b]0;owned\x07\u009b2J\u202e" }));
  writer.append(sampleDecision({
    decision: "DENY",
    deny_reason: "PolicyDenied",
    action_class: "payment.payout",
    resource: "pay.invalid/v1/payouts",
    policy_ids: [],
    event_id: "aevt_denied",
  }));
  unwrap(await writer.flush());
  const shell = await shellOn(person);
  const monitor = `'${FIRMA}' monitor\n`;

  const first = await type(shell, monitor, "pay.invalid/v1/payouts");
  assert.ok(first.includes(ENTER));
  assert.ok(first.includes("evil.invalid/\\x1b]0;owned\\x07\\x9b2J\\u202e"), first);
  // deno-lint-ignore no-control-regex -- controls are what must not be there
  assert.doesNotMatch(first, /\x1b\]|\x07|\u009b|\u202e/);
  assert.match(await type(shell, "\r", "principal == "), /No policy permits this call/);
  await type(shell, "?", "any key closes this");
  await type(shell, "x", "payouts");
  await type(shell, "/evil", /filter .*evil/);
  await type(shell, "\r", /"evil".*1 row/);
  await type(shell, "\x1b\x1b", "payouts");

  // What comes meanwhile is shown at once.
  writer.append(sampleDecision({ event_id: "aevt_new", resource: "new.invalid/live" }));
  unwrap(await writer.flush());
  await eventually(
    "the new decision",
    () => shell.stdout.includes("new.invalid/live") || undefined,
  );

  await type(shell, "\x1a", /Stopped[^]*ready>/);
  await type(shell, "show\n", COOKED);
  assert.ok(shell.stdout.includes(LEAVE));
  await type(shell, "fg\n", new RegExp(`${ENTER.replaceAll(/[[?]/g, "\\$&")}[^]*new\\.invalid`));
  await type(shell, "q", OVER);
  await type(shell, "echo status $?; show\n", /status 0\s+icanon echo/);

  for (const [end, status] of [["\x03", 0], ["SIGTERM", 0], ["SIGHUP", 0]] as const) {
    await type(shell, monitor, "new.invalid/live");
    if (end === "\x03") {
      await type(shell, end, OVER);
    } else {
      const before = shell.stdout.length;
      const found = (await person.processes()).filter(({ command }) =>
        command.includes(" monitor ")
      );
      for (const { pid } of found) Deno.kill(pid, end);
      await eventually("the end", () => OVER.test(shell.stdout.slice(before)) || undefined);
    }
    await type(shell, "echo status $?; show\n", new RegExp(`status ${status}\\s+icanon echo`));
  }
  await shell.write("exit\n");
  await shell.finished();
  unwrap(await writer.close());
});
