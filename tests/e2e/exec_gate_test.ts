import assert from "node:assert/strict";
import type { ExecEvent } from "../../src/core/event.ts";
import { Person } from "../fixtures/cli.ts";

const MORE = 25;

async function executions(person: Person): Promise<ExecEvent[]> {
  return (await person.events()).filter((event) => event.kind === "exec") as ExecEvent[];
}

/** A way to delete the files of `many`, and whether it is one that rules see. */
const WAYS: Record<string, { readonly command: string; readonly governed: boolean }> = {
  "a shell": { command: "rm -rf many", governed: true },
  "by its path": { command: "/bin/rm -rf many", governed: true },
  "env -i": { command: "env -i /bin/rm -rf many", governed: true },
  "another program's child": { command: "echo many | xargs rm -rf", governed: true },
  "a link": { command: "ln -s /bin/rm harmless && ./harmless -rf many", governed: true },
  "a copy under another name": { command: "cp /bin/rm copy && ./copy -rf many", governed: true },
  "a script": {
    command: `printf '#!/bin/rm -rf\\n' >s && chmod +x s && ./s many`,
    governed: true,
  },
  "the loader": {
    command: '"$(ls /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1 2>/dev/null)" ' +
      "/bin/rm -rf many",
    governed: true,
  },
  "posix_spawn": {
    command: `python3 -c 'import os; ` +
      `os.waitpid(os.posix_spawn("/bin/rm", ["rm", "-rf", "many"], os.environ), 0)'`,
    governed: true,
  },
  "a program's own code": {
    command: `python3 -c 'import shutil; shutil.rmtree("many")'`,
    governed: false,
  },
};

Deno.test("firma run decides what runs, however it is started", async (t) => {
  await using person = await Person.create();
  for (const [name, { command, governed }] of Object.entries(WAYS)) {
    await t.step(name, async () => {
      const made = `rm -f harmless copy s; mkdir -p many && cd many && ` +
        `i=0; while [ $i -lt ${MORE} ]; do : >$i; i=$((i+1)); done; cd ..`;
      const ran = await person.shell(`${made}; ${command} 2>err; ls many 2>/dev/null | wc -l`);
      assert.equal(ran.stdout.trim(), governed ? String(MORE) : "0", ran.stderr);
      if (governed) assert.match(await person.read("err"), /not permitted/i);
    });
  }
  const stopped = (await executions(person)).filter(({ decision }) => decision === "STEP_UP");

  // A shell tries the next directory of PATH, which is another execution.
  assert.ok(stopped.length >= Object.values(WAYS).filter(({ governed }) => governed).length);
  for (const { action_class, deny_reason, policy_ids } of stopped) {
    assert.equal(action_class, "filesystem.delete");
    assert.equal(deny_reason, "StepUpRequired");
    assert.deepEqual(policy_ids, ["dev.ask-before-deleting-many-files"]);
  }
});

Deno.test("firma run decides its own command, and records what it lets run", async () => {
  await using person = await Person.create();
  const forced = await person.run(["git", "push", "--force", "https://me:hunter2@host.test/r"]);
  assert.notEqual(forced.code, 0);
  assert.match(forced.stderr, /not permitted/i);
  // The positive control: a command that differs in one word.
  assert.equal((await person.run(["git", "--version"])).code, 0);
  assert.equal((await person.shell("true; /bin/true; /bin/true")).code, 0);

  const events = await executions(person);
  const [denied] = events.filter(({ action_class }) => action_class === "code.destructive");
  assert.equal(denied?.decision, "STEP_UP");
  assert.equal(denied.execution.argv[0], "git");
  assert.ok(!JSON.stringify(events).includes("hunter2"));
  const repeated = events.filter(({ execution }) => execution.path === "/bin/true");
  assert.equal(repeated.length, 2);
  assert.equal(repeated[1]!.repeats, repeated[0]!.event_id);
});
