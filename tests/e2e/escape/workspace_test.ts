/** What an agent leaves behind in the workspace, for programs of the host to run afterwards. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  checkAttempts,
  type Expectation,
  type Host,
  makeHost,
  same,
  tryEverything,
} from "./support.ts";

const SEALED_FILES = [
  ...[".git/hooks/pre-commit", ".envrc", ".vscode/tasks.json", ".idea/workspace.xml"],
  ...[".zed/tasks.json", ".cursor/hooks.json", ".claude/settings.json"],
  ...[".claude/settings.local.json", ".mcp.json", ".codex/config.toml", ".gemini/settings.json"],
  ...[".github/hooks/hooks.json", "opencode.json", "opencode.jsonc"],
  ...["nested/.git/hooks/post-checkout", "nested/.vscode/tasks.json", "tree/.git"],
];

/** A name that would change the title of a terminal. */
const EVIL_NAME = "evil\x1b]0;pwned\x07";

const EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  ...Object.fromEntries(SEALED_FILES.map((path) => [`write ${path}`, same("EROFS", "ok")])),
  write_elsewhere: same("ok", "ok"),
  ...Object.fromEntries(
    [".git", ".git/hooks", ".claude", ".envrc", "nested/.git", "nested"]
      .map((path) => [`rename ${path}`, same("EBUSY", "ok")]),
  ),
  "replace tree/.git": same("EXDEV", "ok"),
  hard_link: same("EXDEV", "ok"),
  through_link: same("EROFS", "ok"),
  through_descriptor: same("EROFS", "ok"),
  through_working_directory: same("EROFS", "ok"),
  status_of_git: { inside: [] },
  kept_while_it_runs: same("undone", "kept"),
  ...Object.fromEntries(
    [
      ...["set core.fsmonitor", "set core.hooksPath", "set a harmless key", "make a repository"],
      ...["make a hook in it", "make a bare repository", "let it run a program"],
      "plant a configuration",
    ].map((name) => [name, { inside: "ok" }]),
  ),
};

async function git(host: Host, ...args: string[]): Promise<string> {
  const running = host.person.startProgram("git", args);
  const { code, stdout, stderr } = await running.finished();
  assert.equal(code, 0, stderr);
  return stdout;
}

Deno.test("firma run leaves nothing in the workspace for the host to run", async (t) => {
  await using host = await makeHost();
  const { person } = host;
  const exists = (path: string) =>
    Deno.lstat(join(person.project, path)).then(() => true, () => false);
  await git(host, "init", "-q");
  const identity = ["-c", "user.name=a", "-c", "user.email=a@b.test"];
  await git(host, ...identity, "commit", "-q", "--allow-empty", "-m", "x");
  await git(host, "worktree", "add", "-q", "tree");
  await git(host, "init", "-q", "nested");
  await person.write("nested/.vscode/tasks.json", "{}");
  const more = {
    sealedFiles: SEALED_FILES,
    newRepository: EVIL_NAME,
    configuration: await person.read(".firma/firma.toml"),
  };
  const planted = { ...host, planted: { ...host.planted, ...more } };
  let told = "";
  const tried = await tryEverything(planted, {
    modules: ["workspace"],
    after: async ({ stderr }) => {
      told = stderr;
      await t.step("no placeholder stays behind", async () => {
        const left = [".envrc", ".vscode", ".idea", ".claude", ".mcp.json", ".gemini", ".github"];
        const there = await Promise.all(left.map(exists));
        assert.deepEqual(left.filter((_, index) => there[index]), []);
      });
      await t.step(
        "settings of git that run programs are undone, others stay, and it is told",
        async () => {
          const config = await person.read(".git/config");
          assert.doesNotMatch(config, /evil|hooksPath/i);
          // Quoted by firma, or as git wrote it after the last change that was undone.
          assert.match(config, /remote = "?origin"?$/m);
          assert.match(told, /\.git\/config": undone: [^\n]*core\.fsmonitor/);
        },
      );
      await t.step("what was undone is on record", async () => {
        const seals = (await person.events()).filter((event) =>
          event.kind === "sandbox" && event.finding === "seal"
        );
        const details = seals.map((event) => event.kind === "sandbox" ? event.detail : "");
        assert.ok(details.some((text) => /core\.fsmonitor/.test(text)), details.join("\n"));
        assert.ok(details.some((text) => /with hooks, which are off/.test(text)));
      });
      await t.step("hooks of a new repository are off", async () => {
        const hook = await Deno.lstat(join(person.project, EVIL_NAME, ".git/hooks/update"));
        assert.equal(hook.mode! & 0o111, 0);
      });
      await t.step("settings of a new repository without a work tree are undone", async () => {
        assert.doesNotMatch(await person.read("bare/config"), /evil/);
      });
      await t.step("names that the agent chose reach the terminal without their escapes", () => {
        assert.match(told, /pwned/);
        // deno-lint-ignore no-control-regex -- what must not be there
        assert.doesNotMatch(told, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
      });
      await t.step("a planted configuration is not used", async () => {
        const options = { cwd: join(person.project, "sub") };
        const { code, stdout, stderr } = await person.firma(["run", "--", "echo", "ran"], options);
        assert.deepEqual([code, stdout], [1, ""]);
        assert.match(stderr, /was not written by firma for you/);
      });
    },
  });
  await checkAttempts(t, tried, EXPECTATIONS);
});
