import assert from "node:assert/strict";
import { secretFiles } from "../../../src/broker/providers/secret_files.ts";
import { err, ok } from "../../../src/core/result.ts";

const FILES = secretFiles("test");

async function inDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("secretFiles() replaces a secret whole, in mode 0600, and leaves nothing else behind", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/token`;
    await Deno.writeTextFile(path, "old\n", { mode: 0o600 });
    assert.deepEqual(await FILES.readSecret(path), ok("old"));
    assert.deepEqual(await FILES.writeSecret(path, "new"), ok(undefined));
    assert.deepEqual(await FILES.readSecret(path), ok("new"));
    assert.equal((await Deno.lstat(path)).mode! & 0o777, 0o600);
    assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), ["token"]);
  }));

Deno.test("secretFiles() reads nothing that others could have read, and nothing empty", () =>
  inDirectory(async (directory) => {
    const code = async (path: string) => {
      const read = await FILES.readSecret(path);
      assert.doesNotMatch(JSON.stringify(read), /hunter2/);
      return read.ok ? "" : read.error.code;
    };
    const path = `${directory}/token`;
    assert.equal(await code(path), "CREDENTIAL_UNOBTAINABLE");
    await Deno.writeTextFile(path, "hunter2", { mode: 0o600 });
    assert.ok((await FILES.readSecret(path)).ok);
    await Deno.symlink(path, `${directory}/link`);
    assert.equal(await code(`${directory}/link`), "CREDENTIAL_UNOBTAINABLE");
    await Deno.chmod(path, 0o640);
    assert.equal(await code(path), "CREDENTIAL_UNOBTAINABLE");
    await Deno.writeTextFile(`${directory}/empty`, "\n", { mode: 0o600 });
    assert.equal(await code(`${directory}/empty`), "CREDENTIAL_UNOBTAINABLE");
    assert.equal(await code(`${path}/below`), "CREDENTIAL_UNOBTAINABLE");
  }));

Deno.test("secretFiles() says so when a secret cannot be written, and keeps the old one", () =>
  inDirectory(async (directory) => {
    const written = await FILES.writeSecret(`${directory}/none/token`, "hunter2");
    assert.ok(!written.ok);
    assert.equal(written.error.code, "CREDENTIAL_UNOBTAINABLE");
    assert.doesNotMatch(JSON.stringify(written), /hunter2/);
  }));

Deno.test("secretFiles() lets one at a time use a file", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/token`;
    let inside = 0;
    let most = 0;
    const one = () =>
      FILES.exclusively(path, async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 1));
        inside--;
        return ok(inside);
      });
    assert.ok((await Promise.all(Array.from({ length: 8 }, one))).every((each) => each.ok));
    assert.equal(most, 1);
    const failed = await FILES.exclusively(path, () =>
      Promise.resolve(err({ code: "X", message: "x" })));
    assert.equal(failed.ok, false);
    assert.ok((await one()).ok, "a failure gives the turn back");
  }));
