/** However a program is started, it is decided: each way with a program that may run beside it. */
import assert from "node:assert/strict";
import { Gated } from "../../support/gated.ts";

/** Python that executes what `PROGRAM` holds, by a descriptor of it. */
const byDescriptor = (open: string) =>
  `/usr/bin/python3 -c '
import os, sys
program, *rest = sys.argv[1:]
content = open(program, "rb").read()
${open}
os.execve(descriptor, [os.path.basename(program), *rest], os.environ)
' "$PROGRAM" $ARGUMENTS`;

/** Shell commands that start `$PROGRAM` with `$ARGUMENTS`. */
const WAYS: Readonly<Record<string, string>> = {
  "a shell": `sh -c '"$PROGRAM" $ARGUMENTS'`,
  "by its name": `$(basename "$PROGRAM") $ARGUMENTS`,
  "execve": `/usr/bin/python3 -c '
import ctypes, os, sys
words = [word.encode() for word in sys.argv[1:]]
argv = (ctypes.c_char_p * (len(words) + 1))(*words, None)
ctypes.CDLL(None).execve(words[0], argv, None)
' "$PROGRAM" $ARGUMENTS`,
  "vfork and execve":
    `/usr/bin/python3 -c 'import subprocess, sys; subprocess.run(sys.argv[1:])' "$PROGRAM" $ARGUMENTS`,
  "posix_spawn": `/usr/bin/python3 -c 'import os, sys
os.waitpid(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)' "$PROGRAM" $ARGUMENTS`,
  "execveat": `/usr/bin/python3 -c '
import ctypes, os, sys
words = [word.encode() for word in sys.argv[1:]]
argv = (ctypes.c_char_p * (len(words) + 1))(*words, None)
directory = os.open(os.path.dirname(sys.argv[1]), os.O_PATH)
number = {"x86_64": 322, "aarch64": 281}[os.uname().machine]
ctypes.CDLL(None).syscall(number, directory, os.path.basename(words[0]), argv, None, 0)
' "$PROGRAM" $ARGUMENTS`,
  "env -i": `env -i "$PROGRAM" $ARGUMENTS`,
  "xargs": `echo $ARGUMENTS | xargs "$PROGRAM"`,
  "a link": `ln -s "$PROGRAM" link && ./link $ARGUMENTS`,
  "a copy under another name": `cp "$PROGRAM" copy && ./copy $ARGUMENTS`,
  "a hard link to a copy": `cp "$PROGRAM" one && ln one two && rm_() { ./two $ARGUMENTS; }; rm_`,
  "a false first argument": `bash -c 'exec -a innocent "$PROGRAM" $ARGUMENTS'`,
  "busybox": `busybox $(basename "$PROGRAM") $ARGUMENTS`,
  "a copy of busybox":
    `cp "$(command -v busybox)" busybox_ && ./busybox_ $(basename "$PROGRAM") $ARGUMENTS`,
  "a link to busybox":
    `mkdir bin && ln -s "$(command -v busybox)" bin/$(basename "$PROGRAM") && bin/$(basename "$PROGRAM") $ARGUMENTS`,
  "the first line of a script":
    `printf '#!%s\\n' "$PROGRAM" >script && chmod +x script && ./script $ARGUMENTS`,
  "a script": `printf '#!/bin/sh\\n%s %s\\n' "$PROGRAM" "$ARGUMENTS" >s && chmod +x s && ./s`,
  "the loader": `"$LOADER" "$PROGRAM" $ARGUMENTS`,
  "a copy of the loader": `cp "$LOADER" loader && ./loader "$PROGRAM" $ARGUMENTS`,
  "a file in memory": byDescriptor(`descriptor = os.memfd_create("x", 0)
os.write(descriptor, content)`),
  "a file without a name": byDescriptor(`made = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o700)
os.write(made, content)
descriptor = os.open(f"/proc/self/fd/{made}", os.O_RDONLY)
os.close(made)`),
  "a file that was deleted": byDescriptor(`open("gone", "wb").write(content)
os.chmod("gone", 0o700)
descriptor = os.open("gone", os.O_RDONLY)
os.unlink("gone")`),
  "a descriptor's name": `/usr/bin/python3 -c '
import os, sys
descriptor = os.open(sys.argv[1], os.O_RDONLY)
os.execv(f"/proc/self/fd/{descriptor}", sys.argv[1:])
' "$PROGRAM" $ARGUMENTS`,
};

const LOADER = 'LOADER="$(ls /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1 2>/dev/null)"';

Deno.test("the gate decides what runs, however it is started", async (t) => {
  await using gated = await Gated.deciding();
  const names = Object.keys(WAYS);
  const script = [`export ${LOADER}`];
  names.forEach((name, index) => {
    for (
      const [kind, program, args] of [["denied", "rm", "-f victim"], ["allowed", "touch", "made"]]
    ) {
      script.push(
        `mkdir ${kind}${index}; : >${kind}${index}/victim`,
        `(cd ${kind}${index}; export PROGRAM=/bin/${program} ARGUMENTS='${args}'; ${
          WAYS[name]
        }) 2>>errors`,
      );
    }
  });
  const { stderr } = await gated.shell(script.join("\n"));
  for (const [index, name] of names.entries()) {
    await t.step(name, () => {
      assert.ok(gated.has(`denied${index}/victim`), "what is forbidden has run");
      assert.ok(gated.has(`allowed${index}/made`), `what is permitted has not run: ${stderr}`);
    });
  }
  const denied = gated.executions.filter(({ decision }) => decision === "DENY");
  assert.ok(denied.length >= names.length, `${denied.length} denials`);
  assert.deepEqual([...new Set(denied.map(({ action_class }) => action_class))], [
    "filesystem.delete",
  ]);
});

Deno.test("/proc/self/exe is the program itself", async () => {
  await using gated = await Gated.deciding(`permit (principal, action, resource);
    forbid (principal, action in [Firma::Action::"system.install"], resource);`);
  // By a variable: as an argument of the first, it would be denied already.
  const again = (words: string) =>
    `WORDS='${words}' /usr/bin/python3 -c 'import os
os.execv("/proc/self/exe", ["python3", *os.environ["WORDS"].split("|")])'`;
  const { stderr } = await gated.shell(
    `${again("-m|pip|install|nothing")}; ${again('-c|open("made", "w")')}`,
  );
  assert.match(stderr, /Operation not permitted/);
  assert.ok(gated.has("made"), stderr);
  const [denied] = gated.executions.filter(({ decision }) => decision === "DENY");
  assert.equal(denied?.execution.path, "/proc/self/exe");
  assert.match(denied.execution.file, /python3/);
});

Deno.test("what a program does by itself is not executed, and not decided", async () => {
  await using gated = await Gated.deciding();
  await gated.shell(`: >victim; python3 -c 'import os; os.remove("victim")'`);
  assert.ok(!gated.has("victim"));
  assert.ok(gated.executions.every(({ decision }) => decision === "ALLOW"));
});

Deno.test("one attempt of a shell is one decision, whatever PATH says", async () => {
  await using gated = await Gated.deciding();
  await gated.write("victim", "");
  // Two names for the same directories, as on systems where /bin is a link.
  const script =
    `mkdir real && cp /bin/rm real/ && ln -s real alias && PATH=$PWD/real:$PWD/alias:$PATH; ` +
    `rm victim; rm victim; /bin/rm victim; true`;
  const { stderr } = await gated.run(["/bin/dash", "-c", script]);
  assert.ok(gated.has("victim"), stderr);
  const denied = gated.executions.filter(({ decision }) => decision === "DENY");
  const files = denied.map(({ execution }) => execution.path.replace(gated.directory, ""));
  // The copy is tried in one directory, then the system's; each of two attempts, and the third.
  assert.deepEqual(files.filter((file) => file.startsWith("/alias")), []);
  assert.equal(files.filter((file) => file === "/real/rm").length, 2);
});

Deno.test("the record of a governed program has the SHA-256 of its file, whatever it is called", async () => {
  await using gated = await Gated.deciding();
  await gated.shell("rm a; cp /bin/rm copy; ./copy a; cp copy new; printf x >>new; ./new a; rm a");
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile("/bin/rm"));
  const told = gated.executions.flatMap(({ execution: { file, sha256 } }) =>
    sha256 === undefined ? [] : [[file.split("/").at(-1), sha256]]
  );
  const expected = new Uint8Array(digest).toHex();
  assert.deepEqual(told, [["rm", expected], ["copy", expected], ["rm", expected]]);
});
