/** Memory that changes while the gate looks at it: what runs is what was decided, or nothing. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { storeSocket } from "../../../../src/sandbox/stores/protocol.ts";
import { stubFile } from "../../../../src/sandbox/stores/stub_file.ts";
import { knownStubs } from "../../../../src/sidecar/stores/known_stubs.ts";
import { PASS } from "../../../sidecar/stores/support.ts";
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

Deno.test("nothing runs that was hashed and then written over, though stubs may run everywhere", async () => {
  const stubs = await knownStubs([PASS]);
  const evil = await Deno.readFile("/bin/mkdir");
  let swap = false;
  await using gated: Gated = await Gated.deciding(undefined, [], {
    config: { commands: [], defaultAction: "allow", allowedExecutables: ["/usr/bin/*"] },
    stubs: {
      ...stubs,
      // When this is asked, the gate has read the file, and the kernel has not.
      matchesOf(execution) {
        if (swap) Deno.writeFileSync(join(gated.directory, "pass"), evil);
        return stubs.matchesOf(execution);
      },
    },
  });
  const stub = stubFile(storeSocket(PASS));
  const file = join(gated.directory, "pass");
  await Deno.writeFile(join(gated.directory, "stub"), stub, { mode: 0o755 });
  // Long before it runs, or just now: then it may change once more without having another time.
  const ways = { before: () => gated.run([file, "made"]), now: () => gated.shell(COPIED) };
  for (const [name, run] of Object.entries(ways)) {
    swap = false;
    await Deno.writeFile(file, stub, { mode: 0o755 });
    assert.match((await run()).stderr, /the Sidecar does not answer/, name);
    swap = true;
    await Deno.writeFile(file, stub);
    await run();
    assert.ok(!gated.has("made"), `another program has run that was written ${name}`);
    assert.equal(gated.executions.at(-1)?.deny_reason, "FailClosed");
  }
});

const COPIED = "cp stub pass; ./pass made";
