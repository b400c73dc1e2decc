import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../fixtures/deadline.ts";
import { spawn, SpawnError, type SpawnOptions } from "../../src/sandbox/posix_spawn.ts";

const LINUX = Deno.build.os === "linux";

function shell(script: string, ...args: string[]) {
  return spawn({ program: "/bin/sh", args: ["-c", script, "sh", ...args], env: {} });
}

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: !LINUX, fn: run, sanitizeResources: false });
}

test("spawn() tells how a program ended", async () => {
  assert.equal(await shell("exit 0").ended, 0);
  assert.equal(await shell("exit 7").ended, 7);
  assert.equal(await shell("kill -TERM $$").ended, 128 + 15);
});

test("spawn() hands over exactly these words and this environment", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const file = join(directory, "said");
    const words = ["", "a b", "ü", "$HOME", "--"];
    const script = 'file=$1; shift; { printf "%s\\n" "$#" "$@"; env; } >"$file"';
    const child = spawn({
      program: "/bin/sh",
      args: ["-c", script, "sh", file, ...words],
      env: { ONE: "1 = one", PATH: "/usr/bin:/bin" },
    });
    assert.equal(await child.ended, 0);
    const said = (await Deno.readTextFile(file)).split("\n");
    assert.deepEqual(said.slice(0, 6), ["5", ...words]);
    const names = said.slice(6).map((line) => line.split("=")[0]).filter(Boolean);
    assert.deepEqual(names.filter((name) => !["PWD", "_", "SHLVL", "OLDPWD"].includes(name!)), [
      "ONE",
      "PATH",
    ]);
    assert.ok(said.includes("ONE=1 = one"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

test("spawn() refuses words that would end early", () => {
  const broken: SpawnOptions[] = [
    { program: "/bin/sh", args: ["a\0b"], env: {} },
    { program: "/bin/sh\0", args: [], env: {} },
    { program: "/bin/sh", args: [], env: { A: "b\0C=d" } },
  ];
  for (const options of broken) assert.throws(() => spawn(options), SpawnError);
  return Promise.resolve();
});

test("spawn() throws when there is no such program", () => {
  const missing = () => spawn({ program: "/nowhere/program", args: [], env: {} });
  assert.throws(missing, (error: SpawnError) => error instanceof SpawnError && error.errno === 2);
  return Promise.resolve();
});

test("spawn() goes on waiting for a program that stops", async () => {
  const child = shell("kill -STOP $$; exit 3");
  await eventually(
    "the program to stop",
    () => / T /.test(Deno.readTextFileSync(`/proc/${child.pid}/stat`)) || undefined,
  );
  Deno.kill(child.pid, "SIGCONT");
  assert.equal(await child.ended, 3);
});

test("spawn() has programs take SIGPIPE as usual", async () => {
  const ignored =
    'mask=$(sed -n "s/^SigIgn:\\s*//p" /proc/self/status); exit $((0x$mask >> 12 & 1))';
  assert.equal(await shell(`PATH=/usr/bin:/bin; ${ignored}`).ended, 0);
});

test("kill() ends a program, and one that has ended is left alone", async () => {
  const child = shell("while :; do :; done");
  child.kill();
  assert.equal(await child.ended, 128 + 9);
  child.kill();
});
