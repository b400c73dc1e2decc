/** What an operator takes from the sandbox beyond what every agent is refused. */
import assert from "node:assert/strict";
import { Person } from "../fixtures/cli.ts";

const POLICY = `id = "mine"
version = 2
[[rules]]
why = "no pipes with names"
calls = ["mknodat", "mknod"]
when = [{ argument = 2, any_bits = 0o10000 }]
error = "EACCES"
`;
const TRY =
  "import os\ntry: os.close(os.memfd_create('x'))\nexcept OSError as e: print(e.strerror)";

Deno.test("firma run refuses the system calls that [run.seccomp] adds, and says so", async () => {
  await using person = await Person.create();
  await person.configure({
    more: '[run.seccomp]\ndeny = ["memfd_create"]\npolicy = "mine.toml"\n',
  });
  await person.write(".firma/mine.toml", POLICY);
  const run = await person.run(["/usr/bin/python3", "-c", TRY]);
  assert.deepEqual([run.code, run.stdout], [0, "Operation not permitted\n"], run.stderr);

  const shown = await person.firma(["run", "--trust", "--print-effective-config", "--", "true"]);
  const { added } = JSON.parse(shown.stdout).sandbox.system_calls;
  assert.deepEqual(added, [
    { call: "mknodat", error: "EACCES", why: "no pipes with names (by its arguments)" },
    { call: "mknod", error: "EACCES", why: "no pipes with names (by its arguments)" },
    { call: "memfd_create", error: "EPERM", why: "deny of [run.seccomp]" },
  ]);

  await person.write(".firma/mine.toml", POLICY.replace('"mknod"', '"mkond"'));
  const refused = await person.run(["echo", "it-ran"]);
  assert.deepEqual([refused.code, refused.stdout], [1, ""]);
  assert.match(refused.stderr, /there is no system call "mkond"/);
  assert.match(refused.stderr, /mine\.toml:5/);
  assert.match(refused.stderr, /did you mean "mknod"\?/);
});
