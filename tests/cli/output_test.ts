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
