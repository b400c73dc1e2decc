/**
 * The whole story, in one session: local commands that destroy wait for a person, run once after an
 * approval, and ask again. The log tells it, and what is gone comes back.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../fixtures/deadline.ts";
import { Person, type Running } from "../fixtures/cli.ts";

/** A directory of thirty files, and a repository whose history is not that of its remote. */
const PROJECT = `
mkdir src; i=0; while [ $i -lt 30 ]; do echo $i >src/$i; i=$((i+1)); done
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@firma.test
export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@firma.test
git init -q --bare remote.git
git init -q -b work repo && cd repo && git remote add origin ../remote.git
git commit -q --allow-empty -m one && git push -q origin work
git commit -q --amend --allow-empty -m other
`;

const AGENT = `
while read -r word; do
  case $word in
    delete) rm -rf src 2>err; echo "left $(ls src 2>/dev/null | wc -l)." ;;
    push) git -C repo push -q --force origin work 2>err; echo "pushed $?." ;;
  esac
done
`;

/** Says a word to the agent, and waits for its answer. */
async function say(run: Running, word: string): Promise<string> {
  const answers = () => [...run.stdout.matchAll(/^(?:left|pushed) \d+(?=\.$)/gm)];
  const before = answers().length;
  await run.write(`${word}\n`);
  return (await eventually(
    () => `an answer to "${word}":\n${run.stdout}\n${run.stderr}`,
    () => answers()[before],
  ))[0];
}

/** The identifiers that wait now, and what people are shown of each. */
async function waiting(person: Person): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await person.firma(["token", "list", "--json"]);
  const rows: Record<string, string>[] = JSON.parse(stdout);
  return new Map(
    rows.filter(({ state }) => state === "pending")
      .map(({ approval_id, shown }) => [approval_id!, shown!]),
  );
}

/** Has a word held back twice by one approval, gives that, and sees it done. Returns the approval. */
async function throughApproval(
  { person, run, word, held, done, shown }: {
    readonly person: Person;
    readonly run: Running;
    readonly word: string;
    readonly held: RegExp;
    readonly done: RegExp;
    readonly shown: RegExp;
  },
): Promise<string> {
  const known = run.stderr.length;
  assert.match(await say(run, word), held);
  const told = await eventually(
    "the approval on the terminal",
    () => /firma token approve (apr_[0-9a-z]{26})/.exec(run.stderr.slice(known)) ?? undefined,
  );
  const id = told[1]!;
  assert.match(await say(run, word), held);
  const list = await waiting(person);
  assert.deepEqual([...list.keys()], [id]);
  assert.match(list.get(id)!, shown);
  const approve = await person.firma(["token", "approve", id]);
  assert.equal(approve.code, 0, approve.stderr);
  assert.match(await say(run, word), done);
  return id;
}

Deno.test("what destroys waits for a person, runs once after the approval, and can be undone", async () => {
  await using person = await Person.create();
  await person.configure({
    posture: "dev-with-delete-watch",
    more: '[sidecar.approvals]\nhitl_mode = "async_token"',
  });
  assert.equal((await person.startProgram("sh", ["-ec", PROJECT]).finished()).code, 0);
  const remote = () => Deno.readTextFile(join(person.project, "remote.git/refs/heads/work"));
  const before = await remote();
  await using run = person.start(["run", "--trust", "--", "sh", "-c", AGENT]);
  const common = { person, run } as const;
  const deleted = await throughApproval({
    ...common,
    word: "delete",
    held: /^left 30$/,
    done: /^left 0$/,
    shown: /wants to run +rm '-rf' src/,
  });
  const pushed = await throughApproval({
    ...common,
    word: "push",
    held: /^pushed (?!0$)/,
    done: /^pushed 0$/,
    shown: /wants to run +git '-C' repo push '-q' '--force' origin work/,
  });
  assert.notEqual(await remote(), before);
  // Each was good for once.
  assert.match(await say(run, "push"), /^pushed (?!0$)/);
  assert.ok(!(await waiting(person)).has(pushed));
  await run.closeInput();
  const { stderr } = await run.finished();

  const events = await person.events();
  for (const id of [deleted, pushed]) {
    const told = events.flatMap((event) =>
      event.kind === "exec" && event.approval_id === id ? [event.decision] : []
    );
    assert.equal(told.at(-1), "ALLOW");
    assert.ok(told.length > 2 && told.slice(0, -1).every((decision) => decision === "STEP_UP"));
    const changes = events.flatMap((event) =>
      event.kind === "approval" && event.approval_id === id ? [event.change] : []
    );
    assert.deepEqual(changes, ["requested", "approved", "used"]);
  }
  const lost = events.findLast((event) => event.kind === "sandbox" && event.finding === "deletion");
  assert.ok(lost?.kind === "sandbox" && lost.final && lost.total === 30, JSON.stringify(lost));
  assert.equal(lost.action_class, "filesystem.delete");
  assert.match((await person.firma(["audit", "verify"])).stdout, /whole/);

  const [, sandbox] = /comes back with: firma restore (sbx_\w+)/.exec(stderr)!;
  const restored = await person.firma(["restore", sandbox!, "src"]);
  assert.equal(restored.code, 0, restored.stderr);
  assert.equal(await person.read("src/29"), "29\n");
});
