import assert from "node:assert/strict";
import type { ExecEvent } from "../../src/core/event.ts";
import { Person } from "../fixtures/cli.ts";

const MORE = 25;

async function executions(person: Person): Promise<ExecEvent[]> {
  return (await person.events()).filter((event) => event.kind === "exec") as ExecEvent[];
}

/**
 * A way to delete the files of `many`, and whether it is one that rules see. More of them are tried
 * below the gate alone.
 */
const WAYS: Record<string, { readonly command: string; readonly governed: boolean }> = {
  "a shell": { command: "rm -rf many", governed: true },
  "a copy under another name": { command: "cp /bin/rm copy && ./copy -rf many", governed: true },
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
      const made = `rm -f copy; mkdir -p many && cd many && ` +
        `i=0; while [ $i -lt ${MORE} ]; do : >$i; i=$((i+1)); done; cd ..`;
      const ran = await person.shell(`${made}; ${command} 2>err; ls many 2>/dev/null | wc -l`);
      assert.equal(ran.stdout.trim(), governed ? String(MORE) : "0", ran.stderr);
      if (governed) assert.match(await person.read("err"), /not permitted/i);
    });
  }
  const stopped = (await executions(person)).filter(({ decision }) => decision === "STEP_UP");

  // Though a shell tries the next directory of PATH.
  assert.equal(stopped.length, Object.values(WAYS).filter(({ governed }) => governed).length);
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

/** Executes what stands in shared memory, while another process writes another path there. */
const RACE = `
import ctypes, mmap, os
libc = ctypes.CDLL(None)
memory = mmap.mmap(-1, 4096)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
memory[0:8] = b"/bin/ls\\0"
racer = os.fork()
if racer == 0:
    while True:
        memory[5:7] = b"rm"
        memory[5:7] = b"ls"
argv = (ctypes.c_char_p * 4)(b"ls", b"-rf", b"many", None)
for _ in range(60):
    child = os.fork()
    if child == 0:
        os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
        libc.execve(ctypes.c_void_p(address), argv, None)
        os._exit(1)
    os.waitpid(child, 0)
os.kill(racer, 9)
os.waitpid(racer, 0)
`;

Deno.test("firma run lets nothing run whose path changed after it was decided", async () => {
  const make =
    'mkdir -p many && for i in 0 1 2 3 4 5 6 7 8 9; do for j in a b c; do : >"many/$i$j"; done; done';
  const command = `${make}; python3 race.py; ls many 2>/dev/null | wc -l`;
  for (const gate of ["required", "off"]) {
    await using person = await Person.create();
    await person.configure({ more: `[run.sidecar_local_exec]\ngate = "${gate}"\n` });
    await person.write("race.py", RACE);
    const { stdout, stderr } = await person.shell(command);
    assert.equal(stdout.trim(), gate === "required" ? "30" : "0", stderr);
  }
});

Deno.test("firma run reads arguments to their end, however many there are", async () => {
  await using person = await Person.create();
  await person.write(
    "long.py",
    `
import subprocess
padding = ["x" * 90 + str(i) for i in range(15000)]
print(subprocess.run(["true", *padding]).returncode)
try:
    subprocess.run(["rm", "-rf", *padding, "many"])
except PermissionError:
    print("refused")
print(subprocess.run(["true", "\\x1b[2J\\u202e"]).returncode)
`,
  );
  const { stdout, stderr } = await person.shell(
    'mkdir many; for i in 0 1 2 3 4; do for j in a b c d e; do : >"many/$i$j"; done; done; ' +
      "python3 long.py; ls many | wc -l",
  );
  assert.deepEqual(stdout.trim().split("\n"), ["0", "refused", "0", "25"], stderr);
});
