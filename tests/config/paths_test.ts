import assert from "node:assert/strict";
import { join } from "node:path";
import {
  auditFile,
  dataDir,
  ensurePrivateDirectory,
  projectDataDir,
  stateDir,
} from "../../src/config/paths.ts";
import { FirmaException } from "../../src/core/result.ts";

Deno.test("stateDir() follows FIRMA_STATE_DIR, then XDG_RUNTIME_DIR, then the user id", () => {
  assert.equal(stateDir({ FIRMA_STATE_DIR: "/s", XDG_RUNTIME_DIR: "/r" }), "/s");
  assert.equal(stateDir({ XDG_RUNTIME_DIR: "/r" }), "/r/firma");
  assert.equal(stateDir({ XDG_RUNTIME_DIR: "relative" }), `/tmp/firma-${Deno.uid()}`);
  assert.equal(stateDir({}), `/tmp/firma-${Deno.uid()}`);
});

Deno.test("dataDir() follows XDG_DATA_HOME, then HOME", () => {
  assert.equal(dataDir({ XDG_DATA_HOME: "/d", HOME: "/h" }), "/d/firma");
  assert.equal(dataDir({ XDG_DATA_HOME: "relative", HOME: "/h" }), "/h/.local/share/firma");
  assert.equal(auditFile({ HOME: "/h" }), "/h/.local/share/firma/audit/audit.jsonl");
  assert.throws(() => dataDir({}), FirmaException);
});

Deno.test("projectDataDir() differs from project to project", () => {
  const of = (file: string) => projectDataDir({ HOME: "/h" }, file);
  assert.notEqual(of("/a/.firma/firma.toml"), of("/b/.firma/firma.toml"));
  assert.match(of("/a/.firma/firma.toml"), /^\/h\/\.local\/share\/firma\/projects\/[0-9a-f]{32}$/);
});

Deno.test("ensurePrivateDirectory() makes directories that only this user enters", async () => {
  const base = await Deno.makeTempDir();
  try {
    const made = join(base, "a/b");
    assert.equal(ensurePrivateDirectory(made).ok, true);
    assert.equal((await Deno.stat(made)).mode! & 0o777, 0o700);
    await Deno.chmod(made, 0o755);
    assert.equal(ensurePrivateDirectory(made).ok, true);
    assert.equal((await Deno.stat(made)).mode! & 0o777, 0o700);
  } finally {
    await Deno.remove(base, { recursive: true });
  }
});

// Attack: somebody else was first in /tmp and waits for keys and sockets to be put there.
Deno.test("ensurePrivateDirectory() refuses links, files and directories of others", async () => {
  const base = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(base, "real"));
    await Deno.symlink(join(base, "real"), join(base, "link"));
    await Deno.writeTextFile(join(base, "file"), "");
    for (const name of ["link", "file"]) {
      assert.equal(ensurePrivateDirectory(join(base, name)).ok, false, name);
    }
    if (Deno.uid() === 0) {
      await Deno.chown(join(base, "real"), 65534, 65534);
      assert.equal(ensurePrivateDirectory(join(base, "real")).ok, false);
    }
  } finally {
    await Deno.remove(base, { recursive: true });
  }
});
