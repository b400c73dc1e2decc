import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { IDENTITIES, World } from "./support/world.ts";

const TERMINAL = fileURLToPath(new URL("support/terminal.py", import.meta.url));
const PROMPT = "[#$] $";
const CTRL_C = "\x03";
const CTRL_Z = "\x1a";
const CTRL_BACKSLASH = "\x1c";

type Step =
  | { readonly expect: string }
  | { readonly send: string }
  | { readonly resize: readonly [number, number] }
  | { readonly kill: true };

/**
 * A program that says "ready" and waits; each signal that is named makes it say so, or end. Not a
 * shell: dash loses signals while it starts a program.
 */
function waiter(onSignal: Readonly<Record<string, string>>): ["/usr/bin/python3", "-c", string] {
  const handlers = Object.entries(onSignal).map(([name, action]) =>
    `signal.signal(signal.${name}, ${action})`
  );
  const wait = ['os.write(1, b"ready")', "while True: signal.pause()"];
  return ["/usr/bin/python3", "-c", ["import os, signal", ...handlers, ...wait].join("\n")];
}

/** What programs switch on in a terminal: the other screen, mouse, focus and marked pasting. */
const SWITCHED_ON = ["1049h", "1000h", "1002h", "1006h", "1004h", "2004h"]
  .map((mode) => `\x1b[?${mode}`).join("");
/** What a terminal sends then: keys, a click, its end, the focus, and pasted text. */
const TYPED = "\x1b[A\x1bOP\x01\x03\x11\x1a\x1b[<0;10;5M\x1b[<0;10;5m\x1b[I" +
  "\x1b[200~pasted\r\nü\x1b[201~";

/** A full-screen program: raw mode, all of that, and what it reads in hexadecimal. */
const FULL_SCREEN = `
import os, signal, sys, termios, tty
before = termios.tcgetattr(0)
tty.setraw(0)
os.write(1, ${JSON.stringify(SWITCHED_ON)}.encode() + b"ready\\r\\n")
read = b""
while len(read) < ${new TextEncoder().encode(TYPED).length}:
    read += os.read(0, 64)
os.write(1, b"\\x1b[38;5;208m" + read.hex().encode() + b"\\x1b[0m\\r\\n")
if len(sys.argv) > 1:
    signal.pause()
termios.tcsetattr(0, termios.TCSADRAIN, before)
`;

/** Says it and goes on. */
const say = (text: string) => `lambda *_: os.write(1, b"${text}")`;
/** Says it and ends. */
const sayAndExit = (text: string, code: number) =>
  `lambda *_: (os.write(1, b"${text}\\n"), os._exit(${code}))`;

interface Session {
  readonly output: string;
  readonly code: number | null;
  readonly failed: string | null;
}

/** Runs words on a pseudo-terminal. */
async function onTerminal(
  command: readonly string[],
  steps: readonly Step[],
  options: { readonly cwd: string; readonly env: Record<string, string> },
): Promise<Session> {
  const { stdout, stderr } = await new Deno.Command("/usr/bin/python3", {
    args: [TERMINAL, JSON.stringify({ command, steps })],
    ...options,
    clearEnv: true,
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (text === "") throw new Error(new TextDecoder().decode(stderr));
  const session = JSON.parse(text) as Session;
  assert.equal(session.failed, null, `waited in vain for ${session.failed}: ${session.output}`);
  return session;
}

/** Runs a command in the sandbox, at once, on a pseudo-terminal. */
function confinedOnTerminal(
  world: World,
  command: readonly [string, ...string[]],
  steps: readonly Step[],
): Promise<Session> {
  const { words, env } = world.confined(command);
  return onTerminal(words, steps, { cwd: world.project, env });
}

/** Types a command that runs in the sandbox into an interactive shell outside. */
function typedIntoShell(
  world: World,
  command: readonly [string, ...string[]],
  steps: readonly Step[],
): Promise<Session> {
  const { words, env } = world.confined(command);
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const script = join(world.root, "start");
  Deno.writeTextFileSync(script, `exec ${quoted}\n`);
  return onTerminal(
    ["/bin/bash", "--norc", "-i"],
    [{ expect: PROMPT }, { send: `sh ${script}\n` }, ...steps],
    { cwd: world.project, env },
  );
}

for (const identity of IDENTITIES) {
  Deno.test(`confine() leaves the terminal of ${identity.name} as it is without`, async (t) => {
    using world = new World(identity);

    await t.step("Ctrl-C reaches a handler in the sandbox, and only that", async () => {
      const command = waiter({ SIGINT: sayAndExit("interrupted", 5) });
      const { code } = await confinedOnTerminal(world, command, [
        { expect: "ready" },
        { send: CTRL_C },
        { expect: "interrupted" },
      ]);
      assert.equal(code, 5);
    });
    await t.step("Ctrl-C and Ctrl-\\ end a program that does not handle them", async () => {
      const command = ["sh", "-c", "echo ready; exec sleep 60"] as const;
      const interrupt = [{ expect: "ready" }, { send: CTRL_C }];
      assert.equal((await confinedOnTerminal(world, command, interrupt)).code, 130);
      const quit = [{ expect: "ready" }, { send: CTRL_BACKSLASH }];
      assert.equal((await confinedOnTerminal(world, command, quit)).code, 131);
    });
    await t.step("a resized window is seen", async () => {
      const script = 'trap "stty size; exit" WINCH; stty size; while :; do sleep 0.05; done';
      await confinedOnTerminal(world, ["bash", "-c", script], [
        { expect: "24 80" },
        { resize: [50, 120] },
        { expect: "50 120" },
      ]);
    });
    await t.step("an interactive shell has job control", async () => {
      const [python, flag, program] = waiter({ SIGCONT: sayAndExit("continued", 0) });
      const job = world.plant("home/project/job", `exec ${python} ${flag} '${program}'\n`);
      const { code } = await confinedOnTerminal(world, ["bash", "--norc", "-i"], [
        { expect: PROMPT },
        { send: `sh ${job}\n` },
        { expect: "ready" },
        { send: CTRL_Z },
        { expect: "Stopped" },
        { expect: PROMPT },
        { send: "fg\n" },
        { expect: "continued" },
        { expect: PROMPT },
        { send: "exit 3\n" },
      ]);
      assert.equal(code, 3);
    });
    await t.step("Ctrl-Z stops the whole run, fg goes on with it", async () => {
      const command = waiter({ SIGCONT: say("continued"), SIGINT: "signal.SIG_DFL" });
      await typedIntoShell(world, command, [
        { expect: "ready" },
        { send: CTRL_Z },
        { expect: "Stopped" },
        { expect: PROMPT },
        { send: "fg\n" },
        { expect: "continued" },
        { send: CTRL_C },
        { expect: PROMPT },
        { send: "echo code $?\n" },
        { expect: "code 130" },
        { send: "exit\n" },
      ]);
    });
    await t.step("a program that stops itself stops the whole run", async () => {
      await typedIntoShell(world, ["sh", "-c", "kill -STOP $$; echo resumed; exit 9"], [
        { expect: "Stopped" },
        { expect: PROMPT },
        { send: "fg\n" },
        { expect: "resumed" },
        { expect: PROMPT },
        { send: "echo code $?\n" },
        { expect: "code 9" },
        { send: "exit\n" },
      ]);
    });
    await t.step("a shell in the sandbox gives the terminal back when it ends", async () => {
      const { words, env } = world.confined(["bash", "--norc", "-i"]);
      const script = '"$@"; echo back; read line; echo got $line';
      await onTerminal(["sh", "-c", script, "sh", ...words], [
        { expect: PROMPT },
        { send: "exit\n" },
        { expect: "back" },
        { send: "hello\n" },
        { expect: "got hello" },
      ], { cwd: world.project, env });
    });
    await t.step("a full-screen program reads and writes every byte as it is", async () => {
      const { output } = await confinedOnTerminal(
        world,
        ["/usr/bin/python3", "-c", FULL_SCREEN],
        [{ expect: "ready" }, { send: TYPED }, { expect: "\x1b\\[0m" }],
      );
      assert.ok(output.includes(SWITCHED_ON), JSON.stringify(output));
      const hex = new TextEncoder().encode(TYPED).toHex();
      assert.ok(output.includes(`\x1b[38;5;208m${hex}\x1b[0m`), JSON.stringify(output));
    });
    await t.step("less, top, vi and node have their screens, colours and keys", async () => {
      world.plant("home/project/text", "first line\n".repeat(100) + "\x1b[31mlast line\x1b[0m\n");
      world.own();
      const script = [
        "less -R text",
        "TERM=xterm top -d 1 && echo top-ended",
        "vi -u NONE written",
        `node -e 'const r = require("readline").createInterface({ input: process.stdin, ` +
        `output: process.stdout, terminal: true }); r.question("name? ", (n) => { ` +
        `console.log("hello " + n); r.close(); })'`,
      ].join("; ");
      await confinedOnTerminal(world, ["bash", "-c", script], [
        { expect: "\x1b\\[\\?1049h" },
        { expect: "first line" },
        { send: "G" },
        { expect: "\x1b\\[31mlast line" },
        { resize: [12, 60] },
        { send: "gq" },
        { expect: "\x1b\\[\\?1049l" },
        { expect: "PID" },
        { send: "q" },
        { expect: "top-ended" },
        { expect: "written" },
        { send: "ihello\x1b:wq\r" },
        { expect: "name\\? " },
        { send: "Bobx\x7f\r" }, // the last key erases the x
        { expect: "hello Bob\\s" },
      ]);
      assert.equal(Deno.readTextFileSync(join(world.project, "written")), "hello\n");
    });
    await t.step("when firma is killed outright, the terminal is as it was before", async () => {
      const { words, env } = world.confined(["/usr/bin/python3", "-c", FULL_SCREEN, "stay"]);
      // Not a shell with job control, which would put the line right by itself.
      const script = '"$@"; read line; echo got $line';
      const { output } = await onTerminal(["sh", "-c", script, "sh", ...words], [
        { expect: "ready" },
        { send: TYPED },
        { expect: "\x1b\\[0m" },
        { kill: true },
        { expect: "\x1b\\[m" }, // the end of what puts the terminal right
        { send: "hello\n" },
        { expect: "got hello" },
      ], { cwd: world.project, env });
      for (const mode of ["1000l", "1002l", "1006l", "1004l", "2004l", "1047l", "25h"]) {
        assert.ok(output.includes(`\x1b[?${mode}`), mode);
      }
    });
  });
}
