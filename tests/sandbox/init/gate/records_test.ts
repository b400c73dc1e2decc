/** No program runs by a standing answer without a record, whatever becomes of gate and Sidecar. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { ExecEvent } from "../../../../src/core/event.ts";
import { SPOOL_NAME } from "../../../../src/core/local_exec.ts";
import { eventually } from "../../../fixtures/deadline.ts";
import { Gated } from "../../support/gated.ts";

Deno.test("what runs by a standing answer is written down before its first instruction", async () => {
  await using gated = await Gated.deciding();
  const { stdout, stderr } = await gated.shell(
    `/bin/cat ${SPOOL_NAME}; echo --; /bin/cat ./${SPOOL_NAME}`,
  );
  const [first, second = ""] = stdout.split("--\n");
  assert.equal(first, "", "the first is asked about");
  assert.deepEqual(JSON.parse(second).argv, ["/bin/cat", `./${SPOOL_NAME}`], stderr);
});

Deno.test("what runs by a standing answer is recorded with its arguments, as the kernel laid them down", async () => {
  await using gated = await Gated.deciding();
  const script = String.raw`
/bin/true
/bin/true one ''
/bin/true '' é "a b" ''
/bin/env -i /bin/true no environment
/bin/true $(seq 63)
/bin/true $(seq 64)
/bin/true "$(printf 'a\377\303')" b
/bin/true $(seq -s x 900) last
/bin/true $(seq -s x 2000) last
/bin/true again
`;
  const { code, stderr } = await gated.shell(script);
  assert.equal(code, 0, stderr);
  const has = ({ execution }: ExecEvent) => execution.argv.at(-1) === "again";
  await eventually("the last record", () => gated.executions.some(has) || undefined);
  const ran = gated.executions.map(({ execution }) => execution)
    .filter(({ path }) => path === "/bin/true");
  const numbers = (last: number) => Array.from({ length: last }, (_, index) => String(index + 1));
  const cut = (last: number) => `${numbers(last).join("x").slice(0, 512)}…`;
  const expected: [args: string[], count: number][] = [
    [[], 1],
    [["one", ""], 3],
    [["", "é", "a b", ""], 5],
    [["no", "environment"], 3],
    [numbers(63), 64],
    [numbers(63), -1],
    [["a\ufffd\ufffd", "b"], 3],
    [[cut(900), "last"], 3],
    [[], -1],
    [["again"], 2],
  ];
  assert.deepEqual(ran.map(({ argv, argc }) => [argv.slice(1), argc]), expected, stderr);
});

Deno.test("what ran is recorded when the gate is killed right then", async () => {
  await using gated = await Gated.deciding();
  await gated.shell(
    "for number in 1 2 3 4 5 6 7 8 9; do /bin/true $number; done; kill -9 $PPID",
  );
  await eventually(
    "the last record",
    () => gated.executions.some(({ execution }) => execution.argv.at(-1) === "9") || undefined,
  );
  const ran = gated.executions.filter(({ execution }) => execution.path === "/bin/true");
  assert.deepEqual(ran.map(({ execution }) => execution.argv[1]), [..."123456789"]);
  const [asked, ...repeated] = ran;
  assert.ok(repeated.every(({ repeats }) => repeats === asked!.event_id));
});

Deno.test("a Sidecar that comes after another hears what that one did not take", async () => {
  const heard: string[][] = [];
  await using gated: Gated = await Gated.serving(async (reader) => {
    const lines: string[] = [];
    if (heard.push(lines) > 1) await gated.write("again", "");
    const say = (message: unknown) => reader.socket.write(`${JSON.stringify(message)}\n`);
    say({ kind: "hello", governed: [], carriers: [] });
    while (reader.buffered.length > 0 || await reader.fill()) {
      const text = reader.buffered.toString();
      reader.consume(reader.buffered.length);
      lines.push(...text.trimEnd().split("\n"));
      for (const [, number] of text.matchAll(/"ask","number":(\d+)/g)) {
        say({ kind: "answer", number: Number(number), allow: true, standing: "program" });
      }
      if (heard.length === 1 && text.includes('"ran"')) reader.socket.destroy();
    }
  });
  const { stderr } = await gated.shell("while ! [ -e again ]; do /bin/true; done");
  const [begin, ran] = heard[1]!.map((line) => JSON.parse(line));
  assert.deepEqual(begin, { kind: "spool", from: 0 }, stderr);
  assert.equal(ran.kind, "ran");
  const written = await Deno.readTextFile(join(gated.directory, SPOOL_NAME));
  assert.ok(written.slice(0, ran.to).split("\n").length > 1);
});

Deno.test("a program whose record cannot be written down does not run", async () => {
  const script = `
import os, subprocess
for name in ["one", "two", "three"]:
    try:
        print(subprocess.run(["/bin/mkdir", name]).returncode)
    except OSError as error:
        print(error)
`;
  for (const isDiskFull of [false, true]) {
    await using gated = await Gated.deciding();
    const ran = await gated.run(["/usr/bin/python3", "-c", script], { isDiskFull });
    // The first is asked about, and the Sidecar records it by itself.
    assert.equal(ran.stdout, isDiskFull ? "0\n-9\n-9\n" : "0\n0\n0\n", ran.stderr);
    assert.ok(gated.has("one"));
    assert.equal(gated.has("three"), !isDiskFull);
    const details = gated.executions.map(({ detail }) => detail);
    const isEnded = details.some((detail) => detail.includes("its record cannot be written down"));
    assert.equal(isEnded, isDiskFull);
  }
});

Deno.test("every program is asked about where nothing can be written down", async () => {
  await using gated = await Gated.deciding();
  await Deno.mkdir(join(gated.directory, SPOOL_NAME));
  const { code, stderr } = await gated.shell("/bin/true 1; /bin/true 2; /bin/true 3");
  assert.equal(code, 0, stderr);
  const ran = gated.executions.filter(({ execution }) => execution.path === "/bin/true");
  assert.equal(ran.length, 3);
  assert.ok(ran.every(({ repeats }) => repeats === undefined));
});
