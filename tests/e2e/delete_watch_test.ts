/** What a program deletes by itself, which no gate sees, stops the agent until a person decides. */
import assert from "node:assert/strict";
import { eventually } from "../fixtures/deadline.ts";
import { Person } from "../fixtures/cli.ts";

/**
 * Takes a directory away of its own accord, in one step, so that it is all gone whenever somebody
 * looks; and repeats what it hears while it may.
 */
const AGENT = `
while read -r word; do
  case $word in
    delete*) /usr/bin/perl -e 'rename $ARGV[0], "gone-$ARGV[0]"' "\${word#delete-}"; echo "gone $word" ;;
    *) echo "said $word" ;;
  esac
done
`;

Deno.test("an agent that deletes by itself stands still until a person lets it go on, or ends", async () => {
  await using person = await Person.create();
  await person.configure({ posture: "dev-with-delete-watch" });
  for (let i = 0; i < 180; i++) await person.write(`d${i % 3}/f${i}`, `${i}`);
  await using run = person.start(["run", "--trust", "--", "sh", "-c", AGENT]);
  await run.write("one\n");
  await run.printed(/said one/);
  await run.write("delete-d0\n");
  const [, first] = await run.printed(
    /approval wanted, "Go on[^\n]* 60 files[^\n]*(apr_[0-9a-z]{26})/,
  );
  // It has the word, and nobody there to read it.
  await run.write("two\n");
  const stopped = await eventually("the agent to stand still", async () => {
    const states = await statesOf(person, "while read");
    return states.length > 0 && states.every((state) => state === "T") ? states : undefined;
  });
  assert.ok(stopped.length > 0);
  assert.doesNotMatch(run.stdout, /said two/);
  const shown = await person.firma(["token", "list"]);
  assert.match(shown.stdout, /is stopped, and wants to go on, after +the deletion of 60 files/);
  assert.equal((await person.firma(["token", "approve", first!])).code, 0);
  await run.printed(/said two/);

  // What was approved counts no more; as much again does.
  await run.write("delete-d1\n");
  const second = await eventually("the next question", () => {
    const ids = [...run.stderr.matchAll(/approve (apr_[0-9a-z]{26})/g)].map(([, id]) => id!);
    return ids.find((id) => id !== first);
  });
  await run.write("three\n");
  assert.equal((await person.firma(["token", "deny", second])).code, 0);
  const { code, stdout, stderr } = await run.finished();
  assert.equal(code, 137);
  assert.doesNotMatch(stdout, /said three/);
  assert.match(
    stderr,
    /The run is ended, because of the files that it deleted: apr_\w+ was denied/,
  );
  const decisions = (await person.events()).flatMap((event) =>
    event.kind === "decision" && event.envelope?.provenance.via === "watch"
      ? [[event.decision, event.envelope.metadata.deleted_files, event.approval_id]]
      : []
  );
  assert.deepEqual(decisions.slice(-4), [
    ["STEP_UP", 60, first],
    ["ALLOW", 60, first],
    ["STEP_UP", 60, second],
    ["DENY", 60, second],
  ]);
  assert.match((await person.firma(["audit", "verify"])).stdout, /whole/);
  assert.equal((await person.firma(["restore", "last"])).code, 0);
  assert.equal(await person.read("d1/f4"), "4");
});

/** States of the processes of a person whose command line has some words in it (proc(5)). */
async function statesOf(person: Person, words: string): Promise<string[]> {
  const found: string[] = [];
  for (const { pid, command } of await person.processes()) {
    if (!command.startsWith("sh -c") || !command.includes(words)) continue;
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
    found.push(stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3));
  }
  return found;
}
