/** However a program is started, it is decided: each way with a program that may run beside it. */
import assert from "node:assert/strict";
import { Gated } from "../../support/gated.ts";
import { WAYS, waysScript } from "../../support/ways.ts";

Deno.test("the gate decides what runs, however it is started", async (t) => {
  await using gated = await Gated.deciding();
  const names = Object.keys(WAYS);
  const { stderr } = await gated.shell(waysScript(names));
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
