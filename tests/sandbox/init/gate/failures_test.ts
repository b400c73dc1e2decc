/** Whatever happens to the gate or the Sidecar, nothing runs that was not decided. */
import assert from "node:assert/strict";
import { Gated, type Serve } from "../../support/gated.ts";

const HELLO = `${JSON.stringify({ kind: "hello", governed: [], carriers: [] })}\n`;

/** A Sidecar that greets, and then says this to every question. */
const saying = (text: (number: number) => string | undefined): Serve => async (reader) => {
  reader.socket.write(HELLO);
  while (reader.buffered.length > 0 || await reader.fill()) {
    const asked = reader.buffered.toString();
    reader.consume(reader.buffered.length);
    for (const [, number] of asked.matchAll(/"ask","number":(\d+)/g)) {
      const said = text(Number(number));
      if (said === undefined) reader.socket.destroy();
      else reader.socket.write(said);
    }
  }
};

const answer = (number: number, more: Record<string, unknown>) =>
  `${JSON.stringify({ kind: "answer", number, ...more })}\n`;

/** What is wrong with a Sidecar, and how long its answer may take in milliseconds. */
const SIDECARS: Readonly<Record<string, { readonly serve: Serve; readonly timeoutMs?: number }>> = {
  "hangs up": { serve: (reader) => reader.socket.destroy() },
  "hangs up when it is asked": { serve: saying(() => undefined) },
  "says nothing": { serve: () => {}, timeoutMs: 50 },
  "never answers": { serve: saying(() => ""), timeoutMs: 50 },
  "answers something else": {
    serve: saying((number) => answer(number + 1, { allow: true })),
    timeoutMs: 50,
  },
  "answers without saying what": { serve: saying((number) => answer(number, {})) },
  "answers with a word": { serve: saying((number) => answer(number, { allow: "yes" })) },
  "says what is no message": { serve: saying(() => "allow\n") },
  "says what has no kind": { serve: saying(() => "null\n") },
  "never ends a message": { serve: saying(() => "x".repeat(9 * 1024 * 1024)) },
};

Deno.test("nothing runs where the Sidecar", async (t) => {
  for (const [what, { serve, timeoutMs = 60_000 }] of Object.entries(SIDECARS)) {
    await t.step(what, async () => {
      await using gated = await Gated.serving(serve);
      const { code, stderr } = await gated.run(["/bin/touch", "made"], { timeoutMs });
      assert.equal(code, 111, stderr);
      assert.ok(!gated.has("made"));
    });
  }
  await t.step("is not there", async () => {
    await using gated = await Gated.serving(() => {});
    await Deno.remove(gated.socket);
    assert.equal((await gated.run(["/bin/touch", "made"])).code, 111);
    assert.ok(!gated.has("made"));
  });
  await t.step("refuses, but not where it permits", async () => {
    for (const allow of [false, true]) {
      await using gated = await Gated.serving(saying((number) => answer(number, { allow })));
      assert.equal((await gated.run(["/bin/touch", "made"])).code, allow ? 0 : 111);
      assert.equal(gated.has("made"), allow);
    }
  });
});

Deno.test("nothing can be started any more when the gate has ended", async () => {
  await using gated = await Gated.deciding();
  const program = `
import os, subprocess
for name in ["one", "two"]:
    try:
        subprocess.run(["/bin/touch", name])
    except OSError as error:
        print(error.errno)
`;
  // The second program is not what the gate was told to expect, and that ends it.
  const own = ["/usr/bin/python3", "/bin/nothing"];
  const command = ["/usr/bin/python3", "-c", program] as const;
  const ended = await gated.run([...command], { own });
  assert.deepEqual(ended.stdout.split("\n"), ["1", "38", ""], ended.stderr);
  assert.match(ended.stderr, /gate ended: "\/bin\/touch" is executed where/);
  assert.ok(!gated.has("one"));
  const going = await gated.run([...command], { own: own.slice(0, 1) });
  assert.equal(going.code, 0, going.stderr);
  assert.ok(gated.has("one") && gated.has("two"));
});

Deno.test("many that execute at once are all decided and recorded", async () => {
  await using gated = await Gated.deciding();
  await gated.write(
    "bomb.py",
    `
import os
for _ in range(40):
    if os.fork() == 0:
        for _ in range(10):
            os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0)
        os._exit(0)
failed = 0
for _ in range(40):
    failed += os.wait()[1] != 0
print(failed)
`,
  );
  const { stdout, stderr } = await gated.shell("/usr/bin/python3 bomb.py; rm nothing");
  assert.equal(stdout, "0\n", stderr);
  const ran = gated.executions.filter(({ execution }) => execution.path === "/bin/true");
  assert.equal(ran.length, 400);
  assert.ok(
    ran.every(({ decision, execution }) =>
      decision === "ALLOW" && execution.argv.join() === "true" && execution.cwd === gated.directory
    ),
  );
});

Deno.test("threads of one process that execute at once hold up nobody", async () => {
  await using gated = await Gated.deciding();
  await gated.write(
    "threads.py",
    `
import os, threading
ran = 0
for _ in range(40):
    child = os.fork()
    if child == 0:
        start = threading.Barrier(6)
        def execute():
            start.wait()
            os.execv("/bin/true", ["true"])
        threads = [threading.Thread(target=execute) for _ in range(6)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        os._exit(1)
    ran += os.waitpid(child, 0)[1] == 0
print(ran)
`,
  );
  const { stdout, stderr } = await gated.run(["/usr/bin/python3", "threads.py"]);
  assert.equal(stdout, "40\n", stderr);
});
