/** Where the kernel does not ask, shims in the places of governed programs do. */
import assert from "node:assert/strict";
import type { CommandFile } from "../../../src/commands/rule_file.ts";
import { Gated, NO_DELETING, type Serve } from "../support/gated.ts";
import { WAYS, waysScript } from "../support/ways.ts";

/** A program that may run has to be governed as well, or nobody is asked about it. */
const TOUCH: CommandFile = {
  file: "own",
  programs: [],
  commands: [{ executable: "touch", action_class: "filesystem.write" }],
};

/** Ways that take the content of a program instead of its place: then there is only a shim. */
const COPIES = /copy (?:under|of busybox)|to a copy|memory|without a name|was deleted/;
/** Some loaders execute what needs no loader, and others refuse it. */
const LOADERS = /loader$/;

Deno.test("shims decide what runs by name or path, and run nothing from their content", async (t) => {
  await using gated = await Gated.deciding(NO_DELETING, [TOUCH]);
  const names = Object.keys(WAYS);
  const { stderr } = await gated.runWithShims(["/bin/sh", "-c", waysScript(names)]);
  for (const [index, name] of names.entries()) {
    await t.step(name, () => {
      assert.ok(gated.has(`denied${index}/victim`), "what is forbidden has run");
      if (LOADERS.test(name)) return;
      assert.equal(gated.has(`allowed${index}/made`), !COPIES.test(name), `the control: ${stderr}`);
    });
  }
  const isOf = (decision: string, name: string) =>
    gated.executions.filter((event) =>
      event.decision === decision && event.execution.argv.some((word) => word.endsWith(name))
    );
  const decided = names.filter((name) => !COPIES.test(name) && !LOADERS.test(name)).length;
  assert.ok(isOf("DENY", "victim").length >= decided);
  assert.ok(isOf("ALLOW", "made").length >= decided);
  for (const { execution, action_class, decision } of gated.executions) {
    assert.equal(execution.gate, "shims");
    if (decision === "DENY") assert.equal(action_class, "filesystem.delete");
  }
  const [denied] = isOf("DENY", "victim");
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile("/bin/rm"));
  assert.equal(denied!.execution.sha256, new Uint8Array(digest).toHex());
  assert.equal(denied!.execution.file, "/usr/bin/rm");
});

/** What a program finds when it starts. Run by an interpreter that rules name, so by a shim. */
const PROBE = `
import json, os, resource, signal, sys
status = open("/proc/self/status").read().split("\\n")
fields = dict(line.split(":\\t", 1) for line in status if ":\\t" in line)
print(json.dumps({
    "argv": open("/proc/self/cmdline").read(),
    "environment": open("/proc/self/environ").read(),
    "comm": open("/proc/self/comm").read(),
    "exe": os.readlink("/proc/self/exe"),
    "executable": sys.executable,
    "descriptors": sorted(os.listdir("/proc/self/fd")),
    "signals": [fields[name] for name in ("SigBlk", "SigIgn", "SigCgt")],
    "umask": fields["Umask"],
    "files": resource.getrlimit(resource.RLIMIT_NOFILE),
    "cwd": os.getcwd(),
    "input": sys.stdin.read(),
}))
`;

/** Starts it with all that a start can hand over, and in another name. */
const START = `
import os, signal, sys
os.dup2(1, 9)
os.set_inheritable(9, True)
os.umask(0o027)
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
word = "two\\nlines \\x01 ' \\" $x"
environment = {"A": "", "B C": "=", "LINES_": "a\\nb", "no-name": "1"}
os.execve("./link", ["other name", "probe.py", "", word, "-c", "*"], environment)
`;

Deno.test("a shim hands on arguments, environment, descriptors, signals and names", async () => {
  const seen: unknown[] = [];
  for (const way of ["runWithShims", "run"] as const) {
    await using gated = await Gated.deciding();
    await gated.write("probe.py", PROBE);
    await gated.write("start.py", START);
    await Deno.symlink("/usr/bin/python3", `${gated.directory}/link`);
    const { stdout, stderr } = await gated[way]([
      "/bin/sh",
      "-c",
      "printf 'the input' | /usr/bin/python3 -I start.py",
    ]);
    const found = JSON.parse(stdout || `"${stderr}"`);
    seen.push({ ...found, cwd: found.cwd === await Deno.realPath(gated.directory) });
    const last = gated.executions.at(-1)!.execution;
    assert.deepEqual(last.argv.slice(0, 2), ["other name", "probe.py"]);
    assert.equal(last.gate, way === "run" ? undefined : "shims");
  }
  // The control: what the kernel asks about is executed as it is.
  assert.deepEqual(seen[0], seen[1]);
});

Deno.test("a shim ends as its program does", async () => {
  await using gated = await Gated.deciding();
  const python = (code: string) => `/usr/bin/python3 -c '${code}'; echo $?`;
  const { stdout } = await gated.runWithShims([
    "/bin/sh",
    "-c",
    [
      python("raise SystemExit(7)"),
      python("import os; os.kill(os.getpid(), 15)"),
      // A shell stops and goes on with what it started, and ends it with a signal.
      `/usr/bin/python3 -c 'import time; open("up", "w"); time.sleep(600)' & pid=$!
     while [ ! -e up ]; do :; done; kill -STOP $pid; kill -CONT $pid; kill -INT $pid; kill $pid
     wait $pid; echo $?`,
      ": >f; rm f; echo $?",
      "git --no-such-option 2>/dev/null; echo $?",
      // Nothing to write to, and nothing to read from.
      "rm f >&- 2>&- <&-; echo $?",
    ].join("\n"),
  ]);
  const codes = stdout.trim().split("\n");
  assert.deepEqual([codes[0], codes[1], ...codes.slice(3)], ["7", "143", "126", "129", "126"]);
  assert.match(codes[2]!, /^(?:130|143)$/);
});

const HELLO = `${JSON.stringify({ kind: "hello", governed: ["touch"], carriers: [] })}\n`;

/** A Sidecar that greets, and then says this to every question; `undefined`: it hangs up. */
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

const SIDECARS: Readonly<Record<string, Serve>> = {
  "hangs up when it is asked": saying(() => undefined),
  "answers with a word": saying((number) => answer(number, { allow: "yes" })),
  "says what is no message": saying(() => "allow\n"),
  "refuses": saying((number) => answer(number, { allow: false })),
};

Deno.test("no shim becomes its program where the Sidecar", async (t) => {
  for (const [what, serve] of Object.entries(SIDECARS)) {
    await t.step(what, async () => {
      await using gated = await Gated.serving(serve);
      const { code, stderr } = await gated.runWithShims(["/bin/touch", "made"]);
      assert.equal(code, 126, stderr);
      assert.ok(!gated.has("made"));
      assert.match(stderr, /^firma: touch: Operation not permitted: /);
    });
  }
  await t.step("ends in between, and not before", async () => {
    await using gated = await Gated.serving(
      saying((number) => number === 1 ? answer(number, { allow: true }) : undefined),
    );
    const script = "touch one; rm sidecar.sock; touch two; touch three";
    const { code } = await gated.runWithShims(["/bin/sh", "-c", script]);
    assert.equal(code, 126);
    assert.deepEqual(["one", "two", "three"].map((name) => gated.has(name)), [true, false, false]);
  });
  await t.step("does not greet: then nothing starts", async () => {
    await using gated = await Gated.serving((reader) => reader.socket.destroy());
    const { code, stderr } = await gated.runWithShims(["/bin/sh", "-c", ":"]);
    assert.equal(code, 111);
    assert.match(stderr, /the Sidecar does not answer/);
  });
});

Deno.test("a question that a person decides waits, one that nobody answers does not", async () => {
  const asked: number[] = [];
  // The second is answered under a number that nobody has asked by; once it is over, the first is.
  await using gated = await Gated.serving(async (reader) => {
    const say = (text: string) => reader.socket.write(text);
    say(HELLO);
    while (reader.buffered.length > 0 || await reader.fill()) {
      const said = reader.buffered.toString();
      reader.consume(reader.buffered.length);
      for (const [, word, number] of said.matchAll(/"kind":"(ask|gone)","number":(\d+)/g)) {
        const [first] = asked;
        if (word === "gone") say(answer(first!, { allow: true }));
        else if (asked.push(Number(number)) > 1) say(answer(1000, { allow: true }));
        else {
          say(`${JSON.stringify({ kind: "held", number: Number(number) })}\n`);
          await gated.write("asked", "");
        }
      }
    }
  });
  const script = `touch first & while [ ! -e asked ]; do :; done
touch second; echo $?; wait $!; echo $?; ls | grep -c -E '(first|second)$'`;
  // As long as the Sidecar may take to greet, too.
  const ended = await gated.runWithShims(["/bin/sh", "-c", script], { timeoutMs: 5_000 });
  assert.deepEqual(ended.stdout.trim().split("\n"), ["126", "0", "1"], ended.stderr);
  assert.equal(asked.length, 2);
});

Deno.test("a question is withdrawn when who asked has ended", async () => {
  await using gated = await Gated.serving(async (reader) => {
    reader.socket.write(HELLO);
    while (reader.buffered.length > 0 || await reader.fill()) {
      const said = reader.buffered.toString();
      reader.consume(reader.buffered.length);
      for (const word of ["ask", "gone"]) {
        if (said.includes(`"${word}"`)) await gated.write(word, "");
      }
    }
  });
  const script = `touch made & while [ ! -e ask ]; do :; done; kill -9 $!; wait $!; echo $?
while [ ! -e gone ]; do :; done`;
  const { stdout } = await gated.runWithShims(["/bin/sh", "-c", script]);
  assert.equal(stdout.trim(), "137");
  assert.ok(!gated.has("made"));
});

/** Asks as shims do, from a program that is none; says what it was answered. */
const STRANGER = `
import socket, sys
ask = socket.socket(socket.AF_UNIX)
ask.connect("/run/firma-gate/ask.sock")
try:
    ask.send(sys.argv[1].encode())
except BrokenPipeError:
    pass
data, passed, *_ = ask.recvmsg(1024, 1024)
print(data[:1], passed)
`;

Deno.test("the gate gives a program to its shim alone, and shims have no names for theirs", async () => {
  await using gated = await Gated.deciding();
  await gated.write("stranger.py", STRANGER);
  const script =
    `python3 stranger.py ""; python3 stranger.py '{"kind":"answer","number":1,"allow":true}'
find /run/firma-gate -type f | wc -l
cmp -s /bin/rm /bin/git && echo same
: >f; rm f; [ -e f ] && echo there`;
  const { stdout } = await gated.runWithShims(["/bin/sh", "-c", script]);
  const denied = "b'D' []";
  assert.deepEqual(stdout.trim().split("\n"), [denied, denied, "0", "same", "there"]);
});

Deno.test("only what an operator names gets a shim, where something is named", async () => {
  await using gated = await Gated.deciding();
  const script = ": >a; : >b; rm a; unlink b; [ -e a ] && echo a; [ -e b ] && echo b; true";
  const { stdout } = await gated.runWithShims(["/bin/sh", "-c", script], { only: ["rm"] });
  assert.equal(stdout.trim(), "a");
  assert.deepEqual(
    gated.executions.map(({ decision, execution }) => [decision, execution.file]),
    [["DENY", "/usr/bin/rm"]],
  );
});
