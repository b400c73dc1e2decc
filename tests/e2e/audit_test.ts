import assert from "node:assert/strict";
import { ALLOWED, DENIED, makeWorld } from "../fixtures/world.ts";

/** What somebody might do to a log, and the line where it must show. Lines count from 1. */
const TAMPERINGS: Readonly<
  Record<string, { change: (lines: string[]) => string[]; at: number }>
> = {
  "one line changed": {
    change: (lines) => lines.with(2, lines[2]!.replace('"timestamp":"2', '"timestamp":"3')),
    at: 3,
  },
  "one line removed": { change: (lines) => lines.toSpliced(2, 1), at: 3 },
  "one line duplicated": { change: (lines) => lines.toSpliced(2, 0, lines[1]!), at: 3 },
  "two lines swapped": {
    change: (lines) => lines.with(1, lines[2]!).with(2, lines[1]!),
    at: 2,
  },
  "the first line removed": { change: (lines) => lines.slice(1), at: 1 },
  "a line that is not an event": { change: (lines) => lines.toSpliced(2, 0, "{}"), at: 3 },
};

Deno.test("firma audit verify proves a log whole, and names the first line that breaks it", async () => {
  await using world = await makeWorld();
  const { person } = world;
  await person.shell(`curl -s ${ALLOWED}; curl -s ${DENIED}; curl -s ${ALLOWED}`);

  const whole = await person.firma(["audit", "verify"]);
  assert.equal(whole.code, 0, whole.stderr);
  assert.equal((await person.firma(["audit", "verify", person.auditLog])).code, 0);

  const lines = (await Deno.readTextFile(person.auditLog)).trimEnd().split("\n");
  assert.ok(lines.length > 5);
  for (const [name, { change, at }] of Object.entries(TAMPERINGS)) {
    const changed = change(lines);
    assert.notDeepEqual(changed, lines, name);
    await person.write("copy.jsonl", changed.join("\n") + "\n");
    const verify = await person.firma(["audit", "verify", "copy.jsonl"]);
    assert.equal(verify.code, 1, `${name}: ${verify.stdout}${verify.stderr}`);
    assert.match(verify.stdout + verify.stderr, new RegExp(`line ${at}\\b|:${at}\\b`), name);
  }
});

Deno.test("the audit log of several runs at once is one whole chain", async () => {
  await using world = await makeWorld();
  const { person } = world;
  const script = `for i in 1 2 3 4 5; do curl -s -o /dev/null ${ALLOWED}; done`;
  await person.shell("true");
  await Promise.all([person.shell(script), person.shell(script), person.shell(script)]);
  const verify = await person.firma(["audit", "verify"]);
  assert.equal(verify.code, 0, verify.stdout + verify.stderr);
  const decisions = (await person.events()).filter((event) => event.kind === "decision");
  assert.equal(decisions.length, 15);
});

Deno.test("firma monitor shows decisions live, as lines and as events", async () => {
  await using world = await makeWorld();
  const { person } = world;
  await person.shell("true");
  await using lines = person.start(["monitor", "--follow"]);
  await using events = person.start(["monitor", "--follow", "--json"]);
  await person.shell(`curl -s ${ALLOWED}; curl -s ${DENIED}`);
  await lines.printed(/ALLOW +GET +api\.firma\.test\/allowed .*code\.read/);
  await lines.printed(/DENY +GET +api\.firma\.test\/denied .*PolicyDenied/);
  await events.printed(/"decision":"DENY".*\n/);
  const decisions = events.stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line))
    .filter((event) => event.kind === "decision");
  assert.deepEqual(decisions.map((event) => event.decision), ["ALLOW", "DENY"]);
});
