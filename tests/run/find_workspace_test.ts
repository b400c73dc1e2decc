import assert from "node:assert/strict";
import { join } from "node:path";
import { findWorkspace } from "../../src/run/find_workspace.ts";

const HOME = "home/dana";

/** Makes files below a directory; a path that ends in "/" is a directory. */
async function withFiles(
  files: Readonly<Record<string, string>>,
  test: (
    root: string,
    find: (cwd: string, workspace?: string) => ReturnType<typeof findWorkspace>,
  ) => void,
): Promise<void> {
  const root = await Deno.realPath(await Deno.makeTempDir());
  try {
    for (const [path, text] of Object.entries({ [`${HOME}/`]: "", ...files })) {
      const full = join(root, path);
      await Deno.mkdir(path.endsWith("/") ? full : join(full, ".."), { recursive: true });
      if (!path.endsWith("/")) await Deno.writeTextFile(full, text.replace("ROOT", root));
    }
    const env = { HOME: join(root, HOME), FIRMA_STATE_DIR: join(root, "state") };
    test(root, (cwd, workspace) => findWorkspace({ cwd: join(root, cwd), env, workspace }));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("findWorkspace() opens the repository around the directory, and what has none by itself", async (t) => {
  const files = {
    "repo/.git/": "",
    "repo/src/parts/": "",
    "repo/own/.firma/firma.toml": "",
    "repo/own/deep/": "",
    "repo/sub/.git": "gitdir: ../.git/modules/sub\n",
    "repo/trees/one/.git": "gitdir: ROOT/repo/.git/worktrees/one\n",
    "repo/stranger/.git": "gitdir: ROOT/elsewhere/.git/worktrees/stranger\n",
    "beside/.git": "gitdir: ROOT/repo/.git/worktrees/beside\n",
    "plain/src/": "",
    "umbrella/.firma/firma.toml": "",
    "umbrella/project/src/": "",
    "home/.git/": "",
    [`${HOME}/.git/`]: "",
    [`${HOME}/project/`]: "",
  };
  const cases: Record<string, readonly [expected: string, notice: RegExp | undefined]> = {
    "repo": ["repo", undefined],
    "repo/src/parts": ["repo", /works in ".*\/repo", the repository around ".*\/parts"$/],
    "repo/own": ["repo/own", undefined],
    "repo/own/deep": ["repo/own/deep", undefined],
    "repo/sub": ["repo", /the repository around/],
    "repo/trees/one": ["repo", /the repository around/],
    "repo/stranger": ["repo/stranger", /git finds no repository here: .*elsewhere/],
    "beside": ["beside", /git finds no repository here: .*worktrees\/beside/],
    "plain/src": ["plain/src", undefined],
    "umbrella/project/src": ["umbrella/project/src", undefined],
    // A home under version control is no project.
    [`${HOME}/project`]: [`${HOME}/project`, undefined],
  };
  for (const [cwd, [expected, notice]] of Object.entries(cases)) {
    await t.step(cwd, () =>
      withFiles(files, (root, find) => {
        const found = find(cwd);
        assert.ok(found.ok);
        assert.equal(found.value.path, join(root, expected));
        if (notice === undefined) assert.equal(found.value.notice, undefined);
        else assert.match(found.value.notice ?? "", notice);
      }));
  }
});

Deno.test("findWorkspace() opens what --workspace names, if the directory lies in it", () =>
  withFiles({ "repo/.git/": "", "repo/src/": "", "other/": "", "file": "" }, (root, find) => {
    for (const [workspace, expected] of [[".", "repo/src"], ["..", "repo"]] as const) {
      assert.deepEqual(find("repo/src", workspace), {
        ok: true,
        value: { path: join(root, expected) },
      });
    }
    for (const workspace of ["../../other", "parts", "../../file"]) {
      const refused = find("repo/src", workspace);
      assert.ok(!refused.ok && refused.error.code === "WORKSPACE_ELSEWHERE", workspace);
    }
  }));

Deno.test("findWorkspace() lets nobody else's repository widen what is opened", {
  ignore: Deno.uid() !== 0,
}, () =>
  withFiles({ "repo/.git/": "", "repo/src/": "" }, (root, find) => {
    assert.equal(unwrapped(find("repo/src")), join(root, "repo"), "one of this user's");
    Deno.chownSync(join(root, "repo/.git"), 65534, 65534);
    assert.equal(unwrapped(find("repo/src")), join(root, "repo/src"));
  }));

function unwrapped(found: ReturnType<typeof findWorkspace>): string | undefined {
  return found.ok ? found.value.path : undefined;
}
