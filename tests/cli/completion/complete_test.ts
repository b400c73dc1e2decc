import assert from "node:assert/strict";
import { Command, Option } from "commander";
import { COMMANDS } from "../../../src/cli/main.ts";
import { complete } from "../../../src/cli/completion/complete.ts";
import { allPages, pageOf } from "../../../scripts/cli_docs/page.ts";
import { buildProgram } from "../../../src/cli/program.ts";
import { packNames } from "../../../src/config/packs.ts";

const program = await buildProgram(COMMANDS);

async function values(...words: readonly string[]): Promise<string[]> {
  return (await complete(program, words)).candidates.map(({ value }) => value);
}

async function kind(...words: readonly string[]): Promise<string> {
  return (await complete(program, words)).kind;
}

Deno.test("complete() knows every command, subcommand and option of the tree", async () => {
  for (const page of allPages(pageOf(program))) {
    const words = page.words.slice(1);
    const commands = await values(...words, "");
    for (const { words } of page.subcommands) {
      assert.ok(commands.includes(words.at(-1)!), words + "");
    }
    const options = await values(...words, "-");
    for (const { term } of page.options) {
      const long = /--[\w-]+/.exec(term)![0];
      assert.ok(options.includes(long), `${words.join(" ")} ${long}`);
    }
  }
});

Deno.test("complete() offers what an option may be", async () => {
  const postures = packNames("posture");
  assert.deepEqual(await values("run", "--posture", ""), postures);
  assert.deepEqual(await values("run", "--posture", "st"), ["strict"]);
  assert.deepEqual(await values("run", "--posture=st"), ["--posture=strict"]);
  assert.ok((await values("run", "--mapping", "git")).includes("github"));
  assert.ok((await values("run", "--profile", "")).includes("claude-code"));
  assert.ok((await values("monitor", "--decision", "")).includes("step-up"));
  assert.ok((await values("monitor", "--action-class", "code.")).includes("code.read"));
  assert.ok((await values("policy", "show", "")).includes("strict"));
  assert.ok((await values("credentials", "add", "git")).includes("github"));
  assert.deepEqual(await values("completions", ""), ["bash", "zsh", "fish"]);
  assert.deepEqual(await values("help", "doc"), ["doctor"]);
});

Deno.test("complete() leaves files, directories and programs to the shell", async () => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ["files", ["--config", ""]],
    ["files", ["run", "--capability-file", ""]],
    ["files", ["policy", "validate", ""]],
    ["files", ["policy", "validate", "a.cedar", ""]],
    ["directories", ["doctor", "--state-dir", ""]],
    ["directories", ["sidecar", "start", "--state-dir", ""]],
    ["directories", ["authority", "init-tls", "--out-dir", ""]],
    ["commands", ["run", ""]],
    ["commands", ["run", "--yes", "--", ""]],
    ["files", ["run", "--", "claude", ""]],
  ];
  for (const [expected, words] of table) assert.equal(await kind(...words), expected, words.join());
});

Deno.test("complete() takes what stands behind a command for its own", async () => {
  assert.deepEqual(await values("run", "claude", "--po"), []);
  assert.deepEqual(await values("run", "--", "--po"), []);
  assert.deepEqual(await values("run", "--po"), ["--posture"]);
  assert.deepEqual(await values("run", "--posture", "--"), []); // that is its value
  assert.deepEqual(await values("no-such-command", ""), []);
});

// Attack: the name of an agent, a sandbox or a class does something once it stands on a command
// line, or to the terminal that shows it.
Deno.test("complete() offers nothing but plain words, and shows no controls", async () => {
  const evil = [
    "$(touch owned)",
    "`id`",
    "a b",
    "a;b",
    "a'b",
    'a"b',
    "a\nb",
    "a\x1b[2J",
    "\u202eevil",
    "a|b",
    "~root",
    "a*",
    "",
  ];
  const probe = new Command("firma").addCommand(
    new Command("probe").description("first line\x1b[2J\nsecond").addOption(
      new Option("--name <name>", "\x1b]0;owned\x07\ttext").choices([...evil, "plain"]),
    ),
  );
  const { candidates } = await complete(probe, ["probe", "--name", ""]);
  assert.deepEqual(candidates.map(({ value }) => value), ["plain"]);
  const shown = [...candidates, ...(await complete(probe, [""])).candidates];
  assert.ok(shown.some(({ text }) => text.includes("first line")));
  for (const { text } of shown) {
    // deno-lint-ignore no-control-regex -- controls are what this looks for
    assert.doesNotMatch(text, /[\x00-\x1f\x7f-\x9f\u202e]/);
  }
});
