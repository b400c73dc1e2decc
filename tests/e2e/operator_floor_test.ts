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

/** A policy about what a sandbox shows. */
function fileForbid(id: string, access: "read" | "write", like: string): string {
  return `@id("${id}")
forbid (principal, action == Firma::Action::"filesystem.${access}", resource)
when { context.raw_transport == "mount" && resource has path && resource.path like "${like}" };
`;
}

const LOOK = "echo x >~/.mine/f && echo kept; cat ~/notes/n; echo x >f && echo wrote; true";

Deno.test("firma run shows what policies forbid to write read-only, and what they forbid to read not at all", async () => {
  await using person = await Person.create();
  await Deno.mkdir(`${person.home}/.mine`);
  await Deno.mkdir(`${person.home}/notes`);
  await Deno.writeTextFile(`${person.home}/notes/n`, "a note\n");
  await person.configure({
    more: '[run]\nprofile = "mine"\n[run.profiles.mine]\nhome_write = [".mine"]\n' +
      'home_read = ["notes"]\n',
  });
  const policies = (text: string) => person.write(".firma/policies/mine.cedar", text);

  await policies(
    fileForbid("settings", "write", "*/.mine") + fileForbid("notes", "read", "*/notes"),
  );
  const home = await person.shell(LOOK);
  assert.equal(home.stdout, "wrote\n");
  assert.match(home.stderr, /\.mine\/f: Read-only file system/);
  assert.match(home.stderr, /notes\/n: No such file/);
  assert.match(home.stderr, /\.mine" is read-only in the sandbox: policy "settings" forbids/);

  await policies(fileForbid("frozen", "write", "*/project"));
  const workspace = await person.shell(LOOK);
  assert.equal(workspace.stdout, "kept\na note\n");
  assert.match(workspace.stderr, /f: Read-only file system/);
  const shown = await person.firma(["run", "--trust", "--print-effective-config", "--", "true"]);
  const { paths } = JSON.parse(shown.stdout).sandbox;
  const why = 'policy "frozen" forbids filesystem.write';
  assert.deepEqual(
    paths.filter(({ path }: { path: string }) => path === person.project),
    [{ path: person.project, access: "read-only", why }],
  );

  await policies(fileForbid("nowhere", "read", "*/project"));
  const nowhere = await person.shell("echo it-ran");
  assert.deepEqual([nowhere.code, nowhere.stdout], [1, ""]);
  assert.match(nowhere.stderr, /Cannot run in ".*\/project": policy "nowhere" forbids/);
});
