import assert from "node:assert/strict";
import { join } from "node:path";
import { Project } from "./project.ts";

const EVIL = "[core]\n\tfsmonitor = evil\n";

/** A project with a repository that has a commit, so that it can have work trees. */
function committed(): Project {
  const project = new Project();
  project.git(".", "init", "-q");
  const identity = ["-c", "user.name=a", "-c", "user.email=a@b.test"];
  project.git(".", ...identity, "commit", "-q", "--allow-empty", "-m", "x");
  return project;
}

/** What git would run for its status there: the setting, or nothing. */
function fsmonitor(project: Project, directory: string): string {
  const { stdout } = new Deno.Command("git", {
    args: ["-C", project.path(directory), "config", "core.fsmonitor"],
    env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" },
  }).outputSync();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("releaseSeals() undoes settings that a new work tree has for itself alone", () => {
  using project = committed();
  const sealed = project.seal();
  project.git(".", "worktree", "add", "-q", "sub");
  project.git(".", "config", "extensions.worktreeConfig", "true");
  project.write(".git/worktrees/sub/config.worktree", `${EVIL}[user]\n\tname = kept\n`);
  assert.equal(fsmonitor(project, "sub"), "evil"); // the control: git would run it
  const told = sealed.release().join("\n");
  assert.match(told, /config\.worktree was undone: core\.fsmonitor/);
  assert.equal(fsmonitor(project, "sub"), "");
  assert.match(project.read(".git/worktrees/sub/config.worktree"), /kept/);
});

Deno.test("releaseSeals() leaves hooks and settings alone that a new work tree shares", () => {
  using project = committed();
  project.write(".git/hooks/pre-commit", "theirs", 0o755);
  project.git(".", "config", "core.editor", "theirs");
  const sealed = project.seal();
  project.git(".", "worktree", "add", "-q", "sub");
  assert.deepEqual(sealed.release(), []);
  assert.notEqual(Deno.lstatSync(project.path(".git/hooks/pre-commit")).mode! & 0o111, 0);
  assert.match(project.read(".git/config"), /theirs/);
});

Deno.test("releaseSeals() cuts a new repository off from settings beyond the workspace", async (t) => {
  // The attack: a profile lets the agent write a directory of the home, which the host's git
  // would take hooks and settings from wherever it is run below `sub`.
  const attacks: Record<string, (project: Project, beyond: string) => void> = {
    "a .git that leads there": (project, beyond) => project.write("sub/.git", `gitdir: ${beyond}`),
    "a .git that is a link": (project, beyond) => {
      Deno.mkdirSync(project.path("sub"));
      Deno.symlinkSync(beyond, project.path("sub/.git"));
    },
    "a commondir that leads there": (project, beyond) => {
      Deno.mkdirSync(project.path("sub"));
      project.git("sub", "init", "-q");
      project.write("sub/.git/commondir", beyond);
    },
    "a commondir in a repository without a work tree": (project, beyond) => {
      Deno.mkdirSync(project.path("sub"));
      project.git("sub", "init", "-q", "--bare");
      project.write("sub/commondir", beyond);
    },
  };
  for (const [name, plant] of Object.entries(attacks)) {
    await t.step(name, () => {
      using project = new Project();
      const beyond = join(project.root, "home");
      const sealed = project.seal();
      Deno.mkdirSync(beyond);
      project.git("../home", "init", "-q", "--bare");
      project.git("../home", "config", "core.fsmonitor", "evil");
      plant(project, beyond);
      assert.equal(fsmonitor(project, "sub"), "evil"); // the control: git would run it
      const told = sealed.release().join("\n");
      assert.match(told, /beyond the workspace/);
      assert.equal(fsmonitor(project, "sub"), "");
      // Nothing there is firma's to change.
      assert.match(Deno.readTextFileSync(join(beyond, "config")), /evil/);
    });
  }
});

Deno.test("releaseSeals() of a later run brings back nothing that an earlier one's agent planted", () => {
  using project = new Project();
  const first = project.seal();
  Deno.mkdirSync(project.path("clone"));
  project.git("clone", "init", "-q");
  project.git("clone", "config", "core.fsmonitor", "evil");
  // It finds the repository there, and must not take it for the operator's.
  const second = project.seal();
  first.release();
  assert.equal(fsmonitor(project, "clone"), "");
  second.release();
  assert.equal(fsmonitor(project, "clone"), "");
});

Deno.test("releaseSeals() undoes a work tree of git's that is not the repository's own", () => {
  using project = committed();
  project.git(".", "init", "-q", "made");
  const sealed = project.seal();
  // The attack: the next checkout would write files of the repository all over the home.
  project.git("made", "config", "core.worktree", project.root);
  project.git(".", "init", "-q", "later");
  project.git("later", "config", "core.worktree", "../../..");
  project.git(".", "init", "-q", "third");
  project.git("third", "config", "core.worktree", "../link");
  Deno.symlinkSync(project.root, project.path("third/link"));
  // The control: what a submodule has.
  Deno.mkdirSync(project.path(".git/modules"));
  project.git(".", "init", "-q", "--separate-git-dir", project.path(".git/modules/sub"), "sub");
  project.git("sub", "config", "core.worktree", "../../../sub");
  const told = sealed.release().join("\n");
  assert.match(told, /core\.worktree/);
  assert.doesNotMatch(project.read("made/.git/config"), /worktree/);
  assert.doesNotMatch(project.read("later/.git/config"), /worktree/);
  assert.doesNotMatch(project.read("third/.git/config"), /worktree/);
  assert.match(project.read(".git/modules/sub/config"), /worktree/);
});
