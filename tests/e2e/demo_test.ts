import assert from "node:assert/strict";
import type { Report } from "../../src/demo/report.ts";
import { Person } from "../fixtures/cli.ts";

/** What a demo left in the directory for temporary files. */
async function leftovers(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory), ({ name }) => name))
    .filter((name) => name.startsWith("firma-demo-"));
}

/** A directory for temporary files with a short name: sockets have to fit below it. */
async function makeTmp(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = `/tmp/${crypto.randomUUID().slice(0, 8)}`;
  await Deno.mkdir(path, { mode: 0o700 });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("firma demo --all shows three agents that go wrong, and leaves nothing", async () => {
  await using tmp = await makeTmp();
  await using person = await Person.create();
  const { code, stdout, stderr } = await person.firma(["demo", "--all", "--json"], {
    env: { TMPDIR: tmp.path },
  });
  assert.equal(code, 0, stdout + stderr);
  const reports: Report[] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(reports.map(({ demo }) => demo), ["exfiltrate", "overspend", "delete"]);
  const refusals = reports.map(({ steps }) =>
    steps.flatMap(({ decisions }) => decisions)
      .filter(({ reason }) => reason !== "")
      .map(({ reason, policies }) => policies.map(({ id }) => id).join(" ") || reason)
  );
  assert.deepEqual(refusals, [
    ["UnclassifiedIntent", "demo.readers-publish-nothing"],
    ["demo.at-most-100-a-payment demo.at-most-250-a-day", "demo.at-most-250-a-day"],
    Array(2).fill("dev-with-delete-watch.ask-before-deleting-many-files"),
  ]);
  for (const { steps, log, problems } of reports) {
    assert.deepEqual(problems, []);
    assert.ok(log.whole && log.lines > 10);
    const lines = steps.flatMap(({ decisions }) => decisions).flatMap(({ policies }) => policies);
    assert.ok(lines.every(({ file, line, text }) => /\.cedar$/.test(file) && line > 0 && text));
  }
  assert.match(reports[2]!.finale!.printed.join("\n"), /brought back \d+/);
  // What was permitted has reached the stand-ins, so what was refused could have.
  assert.deepEqual(reports.map(({ reached }) => reached.length), [1, 2, 0]);
  assert.deepEqual(await leftovers(tmp.path), []);
  // Nothing of it is in the log or among the keys of the person.
  assert.deepEqual(await person.events(), []);
});

Deno.test("firma demo on a terminal lets one choose, waits, and cleans up after Ctrl-C", async () => {
  await using tmp = await makeTmp();
  await using person = await Person.create();
  await using shown = person.startOnTerminal(["demo"], { env: { TMPDIR: tmp.path } });
  await shown.printed(/Which one\? \[1-3, q\]/);
  await shown.write("nonsense\n1\n");
  await shown.printed(/I will read the issue[^]*Enter: go on/);
  assert.equal((await leftovers(tmp.path)).length, 1);
  await shown.write("\n");
  await shown.printed(/ALLOW +issue\.read[^]*Enter: go on/);
  await shown.write("\x03");
  assert.equal((await shown.finished()).code, 130, shown.stdout);
  assert.deepEqual(await leftovers(tmp.path), []);
});
