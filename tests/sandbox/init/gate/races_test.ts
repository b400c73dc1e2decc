/** Memory that changes while the gate looks at it: what runs is what was decided, or nothing. */
import assert from "node:assert/strict";
import { Gated } from "../../support/gated.ts";

/**
 * Executes what stands in shared memory, at three addresses for path, first and second argument,
 * while another process writes one of two texts to one of them.
 */
const RACE = `
import ctypes, json, mmap, os, sys
libc = ctypes.CDLL(None)
place, good, bad, path, *words = sys.argv[1:]
memory = mmap.mmap(-1, 4096)
base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
texts = [path, *words]
at = [1024 * index for index in range(len(texts))]
for start, text in zip(at, texts):
    memory[start:start + len(text) + 1] = text.encode() + b"\\0"
start = at[int(place)]
good, bad = good.encode() + b"\\0", bad.encode() + b"\\0"
racer = os.fork()
if racer == 0:
    while True:
        memory[start:start + len(good)] = good
        memory[start:start + len(bad)] = bad
argv = (ctypes.c_void_p * len(texts))(*[base + each for each in at[1:]], None)
null = os.open("/dev/null", os.O_WRONLY)
for _ in range(80):
    child = os.fork()
    if child == 0:
        os.dup2(null, 1)
        os.dup2(null, 2)
        libc.execve(ctypes.c_void_p(base), argv, None)
        os._exit(1)
    os.waitpid(child, 0)
os.kill(racer, 9)
os.waitpid(racer, 0)
`;

/** The word that changes, its two texts, and then path and arguments. */
const RACES: Readonly<Record<string, readonly string[]>> = {
  "the path": ["0", "/bin/ls", "/bin/rm", "/bin/ls", "tool", "made"],
  "the first argument, of a program that is many": [
    ...["1", "ls", "rm", "/bin/busybox", "ls", "made"],
  ],
  "an argument": ["2", "harmless", "made", "/bin/rm", "rm", "harmless"],
  "an argument of a program that no rule names": [
    ...["2", "here", "made", "/bin/mkdir", "mkdir", "here"],
  ],
};

const POLICY = `permit (principal, action, resource);
  forbid (principal, action in [Firma::Action::"filesystem.delete"], resource)
  when { context has exec_arguments && context.exec_arguments.contains("made") };
  forbid (principal, action, resource) when {
    context has exec_arguments && context has exec_program &&
    context.exec_arguments.contains("made") && context.exec_program == "mkdir" };`;

Deno.test("nothing runs that changed after it was decided", async (t) => {
  for (const [name, race] of Object.entries(RACES)) {
    await t.step(name, async () => {
      const isMaking = race.includes("mkdir");
      await using gated = await Gated.deciding(POLICY);
      await gated.write("race.py", RACE);
      if (!isMaking) await gated.write("made", "");
      const ran = await gated.run(["/usr/bin/python3", "race.py", ...race]);
      assert.equal(ran.code, 0, ran.stderr);
      assert.equal(gated.has("made"), !isMaking, "what is forbidden has run");
      // Without the gate it happens.
      const free = await new Deno.Command("/usr/bin/python3", {
        args: ["race.py", ...race],
        cwd: gated.directory,
      }).output();
      assert.ok(free.success);
      assert.equal(gated.has("made"), isMaking, "the race is never won");
    });
  }
});
