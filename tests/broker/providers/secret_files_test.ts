import assert from "node:assert/strict";
import { SECRET_FILES } from "../../../src/broker/providers/secret_files.ts";
import { err, ok } from "../../../src/core/result.ts";

async function inDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("SECRET_FILES replaces a secret whole, in mode 0600, and leaves nothing else behind", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/token`;
    await Deno.writeTextFile(path, "old\n", { mode: 0o600 });
    assert.deepEqual(await SECRET_FILES.readSecret(path, "token"), ok("old"));
    assert.deepEqual(await SECRET_FILES.writeSecret(path, "new"), ok(undefined));
    assert.deepEqual(await SECRET_FILES.readSecret(path, "token"), ok("new"));
    assert.equal((await Deno.lstat(path)).mode! & 0o777, 0o600);
    assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), ["token"]);
  }));

Deno.test("SECRET_FILES reads nothing that others could have read, and nothing empty", () =>
  inDirectory(async (directory) => {
    const code = async (path: string) => {
      const read = await SECRET_FILES.readSecret(path, "token");
      assert.doesNotMatch(JSON.stringify(read), /hunter2/);
      return read.ok ? "" : read.error.code;
    };
    const path = `${directory}/token`;
    assert.equal(await code(path), "KEY_MISSING");
    await Deno.writeTextFile(path, "hunter2", { mode: 0o600 });
    assert.ok((await SECRET_FILES.readSecret(path, "token")).ok);
    await Deno.symlink(path, `${directory}/link`);
    assert.equal(await code(`${directory}/link`), "KEY_INSECURE");
    await Deno.chmod(path, 0o640);
    assert.equal(await code(path), "KEY_INSECURE");
    await Deno.writeTextFile(`${directory}/empty`, "\n", { mode: 0o600 });
    assert.equal(await code(`${directory}/empty`), "CREDENTIAL_FILE_UNUSABLE");
    assert.equal(await code(`${path}/below`), "CREDENTIAL_FILE_UNUSABLE");
  }));

Deno.test("SECRET_FILES says so when a secret cannot be written, and keeps the old one", () =>
  inDirectory(async (directory) => {
    const written = await SECRET_FILES.writeSecret(`${directory}/none/token`, "hunter2");
    assert.ok(!written.ok);
    assert.equal(written.error.code, "CREDENTIAL_FILE_UNUSABLE");
    assert.doesNotMatch(JSON.stringify(written), /hunter2/);
  }));

Deno.test("SECRET_FILES lets one at a time use a file", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/token`;
    let inside = 0;
    let most = 0;
    const one = () =>
      SECRET_FILES.exclusively(path, async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 1));
        inside--;
        return ok(inside);
      });
    assert.ok((await Promise.all(Array.from({ length: 8 }, one))).every((each) => each.ok));
    assert.equal(most, 1);
    const failed = await SECRET_FILES.exclusively(path, () =>
      Promise.resolve(err({ code: "X", message: "x" })));
    assert.equal(failed.ok, false);
    assert.ok((await one()).ok, "a failure gives the turn back");
  }));
