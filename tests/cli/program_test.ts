import assert from "node:assert/strict";
import { COMMANDS } from "../../src/cli/main.ts";
import { Person } from "../fixtures/cli.ts";

Deno.test("firma --help lists what is there, what is not yet, and examples", async () => {
  await using person = await Person.create();
  const help = await person.firma(["--help"]);
  assert.equal(help.code, 0);
  const [built, notBuilt = ""] = help.stdout.split("Not built yet:");
  for (const { name, load } of COMMANDS) {
    assert.match(load ? built! : notBuilt, new RegExp(`^  ${name} `, "m"));
  }
  assert.match(help.stdout, /^Examples:\n {2}firma run -- claude/m);
  assert.doesNotMatch(help.stdout, /__sidecar|__init/);
  assert.ok(help.stdout.split("\n").every((line) => line.length <= 100));
});

Deno.test("firma help and --help of a command say the same", async () => {
  await using person = await Person.create();
  const [flag, word] = await Promise.all([
    person.firma(["run", "--help"]),
    person.firma(["help", "run"]),
  ]);
  assert.equal(flag.code, 0);
  assert.match(flag.stdout, /^Usage: firma run \[options\] \[--\] <command> \[args\.\.\.\]$/m);
  assert.match(flag.stdout, /^Examples:/m);
  assert.equal(word.stdout, flag.stdout);
});

Deno.test("firma help with --help or -h is firma --help", async () => {
  await using person = await Person.create();
  const [program, ...others] = await Promise.all(
    [["--help"], ["help", "--help"], ["help", "-h"]].map((args) => person.firma(args)),
  );
  for (const { code, stdout, stderr } of others) {
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: program!.stdout, stderr: "" });
  }
});

Deno.test("firma without a command shows help and is a usage error", async () => {
  await using person = await Person.create();
  const bare = await person.firma([]);
  assert.equal(bare.code, 2);
  assert.equal(bare.stdout, "");
  assert.match(bare.stderr, /^Usage: firma /m);
});

Deno.test("firma version tells its version, for people and for programs", async () => {
  await using person = await Person.create();
  const { version } = JSON.parse(await Deno.readTextFile("deno.json"));
  const plain = await person.firma(["version"]);
  assert.ok(plain.stdout.startsWith(`firma ${version} (deno ${Deno.version.deno}`), plain.stdout);
  const json = JSON.parse((await person.firma(["version", "--json"])).stdout);
  const { deno, v8, typescript } = Deno.version;
  const { version: cedar } = JSON.parse(
    await Deno.readTextFile(
      new URL("package.json", import.meta.resolve("@cedar-policy/cedar-wasm")),
    ),
  );
  const { target, compiled, commit, ...rest } = json;
  assert.deepEqual(rest, { version, deno, v8, typescript, cedar });
  assert.equal(target, Deno.build.target);
  assert.equal(typeof compiled, "boolean");
  assert.ok(commit === undefined || /^[0-9a-f]{40}(-dirty)?$/.test(commit), commit);
  assert.equal((await person.firma(["--version"])).stdout, `${version}\n`);
  // By way of the full parser.
  assert.equal((await person.firma(["-c", "x", "version"])).stdout, plain.stdout);
});

Deno.test("firma says of a command that it is not built yet", async () => {
  await using person = await Person.create();
  for (const { name } of COMMANDS.filter(({ load }) => load === undefined)) {
    const { code, stdout, stderr } = await person.firma([name, "start", "--detach"]);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(
      stderr,
      new RegExp(`^firma: Cannot run "firma ${name}": it is not built yet$`, "m"),
    );
  }
});

Deno.test("firma names the nearest of unknown commands and options", async () => {
  await using person = await Person.create();
  const table: Record<string, [string[], RegExp]> = {
    command: [["rnu"], /Did you mean run\?/],
    "command to be helped with": [["help", "rnu"], /unknown command 'rnu'\n\(Did you mean run\?/],
    option: [["run", "--profle", "x", "true"], /Did you mean --profile\?/],
    "option of the program": [["--hepl"], /Did you mean --help\?/],
    posture: [["run", "--yes", "--posture", "strikt", "true"], /did you mean "strict"\?/],
    mapping: [["run", "--yes", "--mapping", "gihub", "true"], /did you mean "github"\?/],
  };
  for (const [name, [words, expected]] of Object.entries(table)) {
    const { code, stdout, stderr } = await person.firma(words);
    assert.equal(code, name === "posture" || name === "mapping" ? 1 : 2, name);
    assert.equal(stdout, "", name);
    assert.match(stderr, expected, name);
    assert.deepEqual([...Deno.readDirSync(person.project)], [], name);
  }
});

Deno.test("firma run without a command is a usage error", async () => {
  await using person = await Person.create();
  const { code, stderr } = await person.firma(["run", "--yes"]);
  assert.equal(code, 2);
  assert.equal(stderr, "firma: missing required argument 'command'\n  cure: firma run --help\n");
  const since = await person.firma(["monitor", "--since", "5x"]);
  assert.equal(since.stderr.match(/cure:/g)?.length, 1, since.stderr);
});

Deno.test("firma prints no colours unless it writes to a terminal, nor with NO_COLOR", async () => {
  await using person = await Person.create();
  const piped = await person.firma(["rnu"], { env: { NO_COLOR: "" } });
  assert.ok(!piped.stderr.includes("\x1b"));

  const onTerminal = async (noColor: string) => {
    await using running = person.startOnTerminal(["rnu"], { env: { NO_COLOR: noColor } });
    return (await running.finished()).stdout;
  };
  assert.ok((await onTerminal("")).includes("\x1b[31m"));
  assert.ok(!(await onTerminal("1")).includes("\x1b"));
});

// Attack: a pasted argument that would move the cursor or change the title.
Deno.test("firma prints arguments without their control characters", async () => {
  await using person = await Person.create();
  const words = [["\x1b]0;owned\x07"], ["run", "--\x1b[2Jx", "true"], [
    "run",
    "--posture",
    "\x9b2J",
    "true",
  ]];
  for (const args of words) {
    const { stderr } = await person.firma(args);
    // deno-lint-ignore no-control-regex -- controls are what this looks for
    assert.doesNotMatch(stderr, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/, JSON.stringify(args));
    assert.match(stderr, /\\x(1b|9b)/);
  }
});

/** Runs a command whose reader is gone before it says anything; tells its status on a line. */
const WITHOUT_READER = `
import os, subprocess, sys
read, write = os.pipe()
os.close(read)
status = subprocess.run(sys.argv[2:], **{sys.argv[1]: write}).returncode
print("status", status)
`;

Deno.test("firma ends silently when nobody reads what it says, as programs in a pipeline do", async () => {
  await using person = await Person.create();
  const cases: readonly [string, readonly string[]][] = [
    ["stdout", ["--help"]],
    ["stdout", ["run", "--help"]],
    ["stdout", ["policy", "list"]],
    ["stdout", ["policy", "show", "dev"]],
    ["stderr", ["no-such-command"]],
  ];
  for (const [stream, words] of cases) {
    const under = ["/usr/bin/python3", "-c", WITHOUT_READER, stream] as const;
    const { stdout, stderr } = await person.startUnder(under, words).finished();
    assert.deepEqual([stdout, stderr], ["status 141\n", ""], words.join(" "));
  }
});
