/** Where an operator names the programs that are decided, others run at once, and only they. */
import assert from "node:assert/strict";
import { Gated } from "../../support/gated.ts";

const ALL_WAYS = [
  "rm a",
  "/bin/rm b",
  "sh -c 'rm c'",
  "cp /bin/rm copy; ./copy d",
  "busybox rm e",
  `"$(ls /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1 2>/dev/null)" /bin/rm f`,
];
const VICTIMS = ["a", "b", "c", "d", "e", "f"];

Deno.test("what is governed is decided however it is started, and what is not runs unasked", async () => {
  await using gated = await Gated.deciding();
  const script = `touch ${VICTIMS.join(" ")} g; rmdir nothing; ${ALL_WAYS.join("; ")}; ` +
    `/usr/bin/unlink g`;
  for (const only of [["rm"], ["/usr/bin/rm"]]) {
    gated.events.all.length = 0;
    const { stderr } = await gated.run(["/bin/sh", "-c", script], { only });
    assert.deepEqual(VICTIMS.filter((name) => !gated.has(name)), [], stderr);
    // It deletes as well, but nobody named it.
    assert.ok(!gated.has("g"), stderr);
    const files = new Set(
      gated.executions.map(({ execution }) => execution.file.split("/").at(-1)),
    );
    for (const free of ["sh", "dash", "touch", "rmdir", "unlink", "cp"]) {
      assert.ok(!files.has(free), [...files].join());
    }
    assert.equal(gated.executions.filter(({ decision }) => decision === "DENY").length, 6);
  }
});

Deno.test("nothing passes for what is not governed while it is another program", async () => {
  await using gated = await Gated.deciding();
  await gated.write("made", "");
  await gated.write(
    "race.py",
    `
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
argv = (ctypes.c_char_p * 3)(b"ls", b"made", None)
for _ in range(60):
    child = os.fork()
    if child == 0:
        libc.execve(ctypes.c_void_p(address), argv, None)
        os._exit(1)
    os.waitpid(child, 0)
os.kill(racer, 9)
`,
  );
  const { code, stderr } = await gated.run(["/usr/bin/python3", "race.py"], { only: ["rm"] });
  assert.equal(code, 0, stderr);
  assert.ok(gated.has("made"));
});
