import assert from "node:assert/strict";
import { errorLines } from "../../src/cli/output.ts";

const OUTPUT = import.meta.resolve("../../src/cli/output.ts");

Deno.test("errorLines() gives message, place and cure, escaped", () => {
  assert.deepEqual(
    errorLines({
      code: "X",
      message: "Cannot read \x1b[2J:\n  more\r",
      cure: "do\nthis",
      at: { file: "a\x07.toml", line: 3, column: 1 },
    }),
    ["firma: Cannot read \\x1b[2J:\n  more\\x0d", "  at a\\x07.toml:3:1", "  cure: do\\x0athis"],
  );
  assert.deepEqual(errorLines({ code: "X", message: "m", at: { file: "f" } }), [
    "firma: m",
    "  at f",
  ]);
});

Deno.test("printThrown() takes what the machine lacks for no fault of firma", async () => {
  const thrown = [
    "new Error('Too many open files (os error 24): readfile')",
    "new Error('No space left on device (os error 28)')",
    "new Error('of firma')",
  ];
  const script = `import { printThrown } from ${JSON.stringify(OUTPUT)};
    for (const each of [${thrown}]) printThrown(each);`;
  const told = await runBelow("write = 2", script);
  assert.match(
    told,
    /Cannot go on: Too many .*\n {2}cure: ulimit .*\nfirma: Cannot go on: No space .*\n {2}cure: make/,
  );
  assert.match(told, /Internal error: Error: of firma\n[^]*cure: this is a fault of firma itself/);
});

/** Runs a script of TypeScript below a Python program that arranges its standard error. */
async function runBelow(arrange: string, script: string): Promise<string> {
  const program = `
import os, subprocess, sys
read, write = os.pipe()
${arrange}
child = subprocess.Popen(sys.argv[1:], stderr=write, stdout=subprocess.PIPE)
os.close(write)
out, _ = child.communicate()
print(child.returncode, out.decode(), end="")
`;
  const { stdout, stderr } = await new Deno.Command("python3", {
    args: [
      ...["-c", program, Deno.execPath(), "run", "-A", "--quiet", "--ext=ts"],
      `data:text/typescript,${encodeURIComponent(script)}`,
    ],
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

const NOTICE = `import { printNotice } from "${OUTPUT}";
printNotice("warn", "hello");
console.log("lives");`;

// Attack: the agent shares the terminal and sets it not to block, then fills it.
Deno.test("printNotice() survives a reader that takes nothing", async () => {
  const full = `
os.set_blocking(write, False)
try:
    while True: os.write(write, b"x" * 65536)
except BlockingIOError: pass
`;
  assert.equal(await runBelow(full, NOTICE), "0 lives\n");
});

Deno.test("printNotice() survives a reader that went away", async () => {
  assert.equal(await runBelow("os.close(read)", NOTICE), "0 lives\n");
});
