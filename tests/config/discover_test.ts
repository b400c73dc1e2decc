import assert from "node:assert/strict";
import { join } from "node:path";
import { configDirectories, discoverConfig } from "../../src/config/discover.ts";

async function inTree(
  files: readonly string[],
  test: (root: string) => void | Promise<void>,
): Promise<void> {
  const root = await Deno.realPath(await Deno.makeTempDir());
  try {
    for (const file of files) {
      await Deno.mkdir(join(root, file, ".."), { recursive: true });
      await Deno.writeTextFile(join(root, file), "");
    }
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("discoverConfig() prefers the flag, then the environment, then the nearest directory", () =>
  inTree([".firma/firma.toml", "a/.firma/firma.toml", "a/b/c/file"], (root) => {
    const cwd = join(root, "a/b/c");
    assert.deepEqual(discoverConfig({ flag: "x.toml", env: { FIRMA_CONFIG: "/y" }, cwd }), {
      ok: true,
      value: { file: join(cwd, "x.toml"), source: "flag" },
    });
    assert.deepEqual(discoverConfig({ env: { FIRMA_CONFIG: "/y" }, cwd }), {
      ok: true,
      value: { file: "/y", source: "environment" },
    });
    assert.deepEqual(discoverConfig({ env: { FIRMA_CONFIG: "" }, cwd }), {
      ok: true,
      value: { file: join(root, "a/.firma/firma.toml"), source: "directory" },
    });
  }));

// Attack: an agent makes an empty .firma next to its work, to hide the real one above.
Deno.test("discoverConfig() looks past a .firma without firma.toml", () =>
  inTree([".firma/firma.toml", "a/.firma/policies/evil.cedar"], (root) => {
    assert.deepEqual(discoverConfig({ env: {}, cwd: join(root, "a") }), {
      ok: true,
      value: { file: join(root, ".firma/firma.toml"), source: "directory" },
    });
  }));

Deno.test("discoverConfig() finds nothing where there is nothing", () =>
  inTree(["a/file"], (root) => {
    assert.deepEqual(discoverConfig({ env: {}, cwd: join(root, "a") }), {
      ok: true,
      value: undefined,
    });
  }));

// Attack: only the link is sealed from the agent, its target lies in the workspace.
Deno.test("discoverConfig() refuses symbolic links", async () => {
  await inTree(["real/firma.toml"], async (root) => {
    await Deno.symlink(join(root, "real"), join(root, ".firma"));
    const found = discoverConfig({ env: {}, cwd: root });
    assert.ok(!found.ok && /symbolic link/.test(found.error.message));
  });
  await inTree(["real.toml", ".firma/other"], async (root) => {
    await Deno.symlink(join(root, "real.toml"), join(root, ".firma/firma.toml"));
    const found = discoverConfig({ env: {}, cwd: root });
    assert.ok(!found.ok && /symbolic link/.test(found.error.message));
  });
});

Deno.test("discoverConfig() refuses a firma.toml that is no file, rather than to look further up", () =>
  inTree([".firma/firma.toml", "a/.firma/firma.toml/x"], (root) => {
    const found = discoverConfig({ env: {}, cwd: join(root, "a") });
    assert.ok(!found.ok && /not a regular file/.test(found.error.message));
  }));

Deno.test("configDirectories() lists every .firma from the working directory up, and the home's", () =>
  inTree([".firma/firma.toml", "a/.firma/x", "home/.firma/x", "a/b/x"], (root) => {
    assert.deepEqual(
      configDirectories(join(root, "a/b"), join(root, "home")).filter((path) =>
        path.startsWith(root)
      ),
      [join(root, "home/.firma"), join(root, "a/.firma"), join(root, ".firma")],
    );
  }));
