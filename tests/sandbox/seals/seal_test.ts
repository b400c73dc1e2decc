import assert from "node:assert/strict";
import { join } from "node:path";
import { type SealedWorkspace, sealWorkspace } from "../../../src/sandbox/seals/seal.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { Project } from "./project.ts";

function sealedNames(project: Project, sealed: SealedWorkspace): string[] {
  return sealed.paths.map(({ path }) => path.slice(project.workspace.length + 1));
}

Deno.test("sealWorkspace() makes what is not there, and removes it afterwards", () => {
  using project = new Project();
  project.write("src/a.ts", "");
  const before = project.names();
  const sealed = project.seal();
  const names = sealedNames(project, sealed);
  for (const name of [".envrc", ".vscode", ".claude/settings.json", ".firma", ".mcp.json"]) {
    assert.ok(names.includes(name), name);
    Deno.lstatSync(project.path(name));
  }
  assert.equal(sealed.paths.find(({ path }) => path.endsWith(".mcp.json"))?.reads, "{}\n");
  assert.ok(sealed.unversioned.includes(".envrc"));
  assert.deepEqual(sealed.release(), []);
  assert.deepEqual(project.names(), before);
});

Deno.test("sealWorkspace() seals the hooks that settings of Claude Code name, where there are any", () => {
  using project = new Project();
  const first = project.seal();
  assert.ok(!sealedNames(project, first).includes(".claude/hooks"));
  first.release();
  project.write(".claude/hooks/check.sh", "theirs", 0o755);
  assert.ok(sealedNames(project, project.seal()).includes(".claude/hooks"));
});

Deno.test("sealWorkspace() undoes settings of git while the run goes on, and tells it once", async () => {
  using project = new Project();
  project.git(".", "init", "-q");
  const sealed = project.seal();
  const told: string[] = [];
  const stop = sealed.watch((text) => told.push(text));
  try {
    for (let round = 0; round < 2; round++) {
      project.git(".", "config", "core.fsmonitor", "evil");
      project.git(".", "config", "branch.a.remote", `origin-${round}`);
      const isUndone = () => !project.read(".git/config").includes("evil") || undefined;
      await eventually("the setting to be undone", isUndone);
    }
    project.write(".git/commondir", "../evil");
    const isGone = () => !project.names(".git").includes(".git/commondir") || undefined;
    await eventually("the file to be gone", isGone);
    assert.match(project.read(".git/config"), /origin-1/);
    await eventually("both to be told", () => told.length === 2 || undefined);
    assert.match(told[0]!, /undone: core\.fsmonitor$/);
  } finally {
    stop();
  }
  assert.deepEqual(sealed.release(), []);
});

Deno.test("sealWorkspace() leaves what was there, and what was put there meanwhile", () => {
  using project = new Project();
  project.write(".vscode/tasks.json", "theirs");
  const sealed = project.seal();
  assert.equal(sealed.paths.find(({ path }) => path.endsWith(".envrc"))?.reads, "");
  assert.equal(sealed.paths.find(({ path }) => path.endsWith(".vscode"))?.reads, undefined);
  Deno.writeTextFileSync(project.path(".idea/mine.xml"), "from the host");
  sealed.release();
  assert.deepEqual(project.names(), [
    ".idea",
    ".idea/mine.xml",
    ".vscode",
    ".vscode/tasks.json",
  ]);
});

Deno.test("sealWorkspace() sets right what a killed run left, at once", () => {
  using project = new Project();
  project.git(".", "init", "-q");
  project.seal();
  project.git(".", "config", "core.fsmonitor", "/tmp/evil");
  project.kill();
  const sealed = project.seal();
  assert.equal(sealed.notices.length, 1);
  assert.match(sealed.notices[0]!, /\.git\/config": undone: core\.fsmonitor$/);
  assert.doesNotMatch(project.read(".git/config"), /fsmonitor/);
  sealed.release();
  assert.deepEqual(project.names().filter((name) => !name.startsWith(".git")), []);
  assert.deepEqual(project.seal().notices, []);
});

Deno.test("sealWorkspace() keeps a placeholder as long as one of several runs needs it", () => {
  using project = new Project();
  const [first, second] = [project.seal(), project.seal()];
  assert.deepEqual(sealedNames(project, second), sealedNames(project, first));
  first.release();
  assert.equal(Deno.lstatSync(project.path(".envrc")).size, 0);
  assert.ok(Deno.lstatSync(project.path(".claude/settings.json")).isFile);
  second.release();
  assert.deepEqual(project.names(), []);
});

Deno.test("sealWorkspace() of a second run trusts no setting that the first one's agent made", () => {
  using project = new Project();
  project.git(".", "init", "-q");
  const first = project.seal();
  project.git(".", "config", "core.pager", "evil");
  const second = project.seal();
  assert.equal(first.release().length, 1);
  project.git(".", "config", "core.editor", "evil");
  assert.equal(second.release().length, 1);
  assert.doesNotMatch(project.read(".git/config"), /evil/);
});

Deno.test("sealWorkspace() seals hooks where git takes them from", async (t) => {
  using project = new Project();
  project.git(".", "init", "-q");
  Deno.removeSync(project.path(".git/hooks"), { recursive: true });
  project.git(".", "config", "core.hooksPath", ".githooks");
  project.write(".githooks/pre-commit", "");
  project.write("more.config", "");
  project.git(".", "config", "include.path", "../more.config");
  Deno.mkdirSync(project.path("nested"));
  project.git("nested", "init", "-q");
  project.write("nested/.vscode/tasks.json", "");
  project.git(
    ...[".", "-c", "user.name=a", "-c", "user.email=a@b.test", "commit", "-q"] as const,
    ...["--allow-empty", "-m", "x"],
  );
  project.git(".", "worktree", "add", "-q", "tree");
  const names = sealedNames(project, project.seal());
  const expected: Record<string, string> = {
    "where there is no directory yet": ".git/hooks",
    "where its settings name another directory": ".githooks",
    "files that its settings include": "more.config",
    "in nested repositories": "nested/.git/hooks",
    "what else is run from a nested repository": "nested/.vscode",
    "the file that leads a work tree to its repository": "tree/.git",
    "the file that leads on from there": ".git/worktrees/tree/commondir",
  };
  for (const [name, path] of Object.entries(expected)) {
    await t.step(name, () => assert.ok(names.includes(path), names.join()));
  }
  await t.step("but makes nothing in nested ones that was not there", () => {
    assert.ok(!names.includes("nested/.envrc"));
  });
});

Deno.test("sealWorkspace() follows links, and puts back those that were replaced", () => {
  using project = new Project();
  project.git(".", "init", "-q");
  Deno.removeSync(project.path(".git/hooks"), { recursive: true });
  project.write("hooks-of-all/pre-commit", "");
  Deno.symlinkSync("../hooks-of-all", project.path(".git/hooks"));
  Deno.symlinkSync("/etc/passwd", project.path(".envrc"));
  Deno.symlinkSync("nowhere", project.path(".idea"));
  const sealed = project.seal();
  const names = sealedNames(project, sealed);
  assert.ok(names.includes("hooks-of-all"));
  for (const link of [".git/hooks", ".envrc", ".idea"]) assert.ok(!names.includes(link), link);
  for (const link of [".git/hooks", ".envrc", ".idea"]) Deno.removeSync(project.path(link));
  project.write(".git/hooks/pre-commit", "evil", 0o755);
  project.write(".envrc", "evil");
  assert.equal(sealed.release().length, 3);
  assert.equal(Deno.readLinkSync(project.path(".git/hooks")), "../hooks-of-all");
  assert.equal(Deno.readLinkSync(project.path(".envrc")), "/etc/passwd");
  assert.equal(Deno.readLinkSync(project.path(".idea")), "nowhere");
});

Deno.test("sealWorkspace() never writes through a link that a run left", () => {
  using project = new Project();
  project.git(".", "init", "-q");
  Deno.writeTextFileSync(join(project.root, "outside"), "theirs");
  const sealed = project.seal();
  Deno.removeSync(project.path(".git/config"));
  Deno.symlinkSync("../../outside", project.path(".git/config"));
  assert.equal(sealed.release().length, 1);
  assert.equal(Deno.readTextFileSync(join(project.root, "outside")), "theirs");
  assert.match(project.read(".git/config"), /\[core\]/);
});

for (const replaced of [".git", ".git/modules", ".git/modules/sub"]) {
  Deno.test(`sealWorkspace() writes nothing elsewhere when ${replaced} became a link`, () => {
    using project = new Project();
    project.git(".", "init", "-q");
    Deno.mkdirSync(project.path(".git/modules/sub"), { recursive: true });
    project.git(".git/modules/sub", "init", "-q", "--bare");
    const sealed = project.seal();
    const outside = join(project.root, "outside");
    for (const name of ["config", "modules/sub/config", "sub/config"]) {
      Deno.mkdirSync(join(outside, name, ".."), { recursive: true });
      Deno.writeTextFileSync(join(outside, name), "theirs");
    }
    Deno.mkdirSync(join(outside, "hooks"));
    Deno.removeSync(project.path(replaced), { recursive: true });
    Deno.symlinkSync(outside, project.path(replaced));
    sealed.release();
    for (const name of ["config", "modules/sub/config", "sub/config"]) {
      assert.equal(Deno.readTextFileSync(join(outside, name)), "theirs", name);
    }
    assert.ok(Deno.lstatSync(join(outside, "hooks")).isDirectory);
  });
}

Deno.test("sealWorkspace() puts back settings that git cannot read any more", () => {
  using project = new Project();
  project.git(".", "init", "-q");
  const before = project.read(".git/config");
  const sealed = project.seal();
  project.write(".git/config", "[core\nfsmonitor = evil");
  assert.equal(sealed.release().length, 1);
  assert.equal(project.read(".git/config"), before);
});

Deno.test("sealWorkspace() takes away a second set of settings for an old repository", () => {
  using project = new Project();
  project.git(".", "init", "-q");
  const sealed = project.seal();
  project.write("evil/config", "[core]\n\tfsmonitor = evil\n");
  project.write(".git/commondir", "../evil\n");
  project.write(".git/config.worktree", "[core]\n\tfsmonitor = evil\n");
  const told = sealed.release();
  assert.equal(told.length, 2, told.join("\n"));
  assert.throws(() => Deno.lstatSync(project.path(".git/commondir")), Deno.errors.NotFound);
  assert.equal(project.read(".git/config.worktree"), "");
});

Deno.test("sealWorkspace() seals what opencode runs, and lets it write beside that", () => {
  using project = new Project();
  const first = project.seal();
  project.write(".opencode/plugin/evil.js", "");
  assert.match(first.release().join(), /\.opencode": put back as it was/);
  assert.deepEqual(project.names(), []);
  project.write(".opencode/tool/theirs.ts", "");
  const second = project.seal();
  const names = sealedNames(project, second);
  for (const name of ["plugin", "tool", "opencode.json"]) {
    assert.ok(names.includes(`.opencode/${name}`));
  }
  assert.ok(!names.includes(".opencode"));
  assert.deepEqual(second.release(), []);
  assert.deepEqual(project.names(), [".opencode", ".opencode/tool", ".opencode/tool/theirs.ts"]);
});

Deno.test("sealWorkspace() disarms repositories that a run made", async (t) => {
  using project = new Project();
  const sealed = project.seal();
  Deno.mkdirSync(project.path("clone"));
  project.git("clone", "init", "-q");
  project.write("clone/.git/hooks/post-checkout", "evil", 0o755);
  project.git("clone", "config", "core.fsmonitor", "evil");
  project.git("clone", "config", "user.name", "kept");
  Deno.mkdirSync(project.path("bare"));
  project.git("bare", "init", "-q", "--bare");
  project.git("bare", "config", "core.pager", "evil");
  project.write("pointer/.git", "gitdir: ../bare\n");
  const told = sealed.release().join("\n");
  await t.step("their hooks", () => {
    assert.match(told, /"clone", with hooks, which are off: post-checkout/);
    const hook = Deno.lstatSync(project.path("clone/.git/hooks/post-checkout"));
    assert.equal(hook.mode! & 0o111, 0);
  });
  await t.step("their settings", () => {
    assert.doesNotMatch(project.read("clone/.git/config"), /evil/);
    assert.match(project.read("clone/.git/config"), /kept/);
  });
  await t.step("those without a work tree", () => {
    assert.doesNotMatch(project.read("bare/config"), /evil/);
  });
});

Deno.test("sealWorkspace() opens what the operator excepts, and nothing else", () => {
  using project = new Project();
  project.git(".", "init", "-q");
  project.write(".vscode/tasks.json", "");
  const sealed = project.seal(project.newRun(), [".vscode", project.path(".git")]);
  const names = sealedNames(project, sealed);
  for (const open of [".vscode", ".git/hooks"]) assert.ok(!names.includes(open), open);
  assert.ok(names.includes(".idea"));
  project.git(".", "config", "core.editor", "vim");
  assert.deepEqual(sealed.release(), []);
  assert.match(project.read(".git/config"), /vim/);
});

for (const path of ["src", ".firma", ".firma/policies", "/etc", ".."]) {
  Deno.test(`sealWorkspace() refuses to open "${path}"`, () => {
    using project = new Project();
    const allowWrite = [path];
    const runDir = project.newRun();
    const result = sealWorkspace({ workspace: project.workspace, runDir, allowWrite });
    assert.equal(result.ok, path === ".." ? true : false);
    if (!result.ok) assert.equal(result.error.code, "NOT_SEALED");
  });
}
