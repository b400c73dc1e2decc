import assert from "node:assert/strict";
import { sign, verify } from "node:crypto";
import { createPublicKey } from "node:crypto";
import { loadOrCreateSigningKey, readPublicKeyFile } from "../../src/pki/signing_key.ts";
import { unwrap } from "../../src/core/result.ts";

async function inTempDir(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "firma-key-" });
  try {
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function refusal(path: string): Promise<{ code: string; message: string; cure?: string }> {
  const result = await loadOrCreateSigningKey(path);
  assert.ok(!result.ok, "the key was accepted");
  return result.error;
}

Deno.test("loadOrCreateSigningKey() makes a key once and finds it again", () =>
  inTempDir(async (dir) => {
    const path = `${dir}/data/keys/audit.key`;
    const first = unwrap(await loadOrCreateSigningKey(path));
    const second = unwrap(await loadOrCreateSigningKey(path));
    assert.equal(first.created, true);
    assert.equal(second.created, false);
    assert.deepEqual(first.publicKey, second.publicKey);
    assert.equal(first.publicKey.length, 32);

    const message = new TextEncoder().encode("message");
    const signature = sign(null, message, second.privateKey);
    assert.ok(verify(null, message, createPublicKey(first.privateKey), signature));

    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    assert.equal((await Deno.stat(`${dir}/data/keys`)).mode! & 0o777, 0o700);
    assert.match(await Deno.readTextFile(path), /^-----BEGIN PRIVATE KEY-----\n/);
    assert.deepEqual(unwrap(await readPublicKeyFile(`${path}.pub`)), first.publicKey);
    const names = (await Array.fromAsync(Deno.readDir(`${dir}/data/keys`))).map((e) => e.name);
    assert.deepEqual(names.sort(), ["audit.key", "audit.key.pub"], "a draft was left behind");
  }));

Deno.test("loadOrCreateSigningKey() gives racing callers the same key", () =>
  inTempDir(async (dir) => {
    const path = `${dir}/keys/audit.key`;
    const keys = await Promise.all(
      Array.from({ length: 16 }, () => loadOrCreateSigningKey(path)),
    );
    const hex = new Set(keys.map((key) => unwrap(key).publicKey.toHex()));
    assert.equal(hex.size, 1);
    assert.equal(keys.filter((key) => unwrap(key).created).length, 1);
  }));

Deno.test("loadOrCreateSigningKey() gives racing processes the same key", () =>
  inTempDir(async (dir) => {
    const path = `${dir}/keys/audit.key`;
    const source = new URL("../../src/pki/signing_key.ts", import.meta.url).href;
    const program = `const { loadOrCreateSigningKey } = await import("${source}");
      const key = await loadOrCreateSigningKey("${path}");
      console.log(key.ok ? key.value.publicKey.toHex() + " " + key.value.created : key.error.message);`;
    const outputs = await Promise.all(Array.from({ length: 4 }, async () => {
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", program],
        stderr: "inherit",
      }).output();
      return new TextDecoder().decode(stdout).trim().split(" ");
    }));
    assert.equal(new Set(outputs.map(([hex]) => hex)).size, 1);
    assert.match(outputs[0]![0]!, /^[0-9a-f]{64}$/);
    assert.equal(outputs.filter(([, created]) => created === "true").length, 1);
  }));

for (const mode of [0o640, 0o604, 0o660, 0o644]) {
  Deno.test(`loadOrCreateSigningKey() refuses mode ${mode.toString(8)} and takes it again after the cure`, () =>
    inTempDir(async (dir) => {
      const path = `${dir}/audit.key`;
      unwrap(await loadOrCreateSigningKey(path));
      await Deno.chmod(path, mode);
      const error = await refusal(path);
      assert.equal(error.code, "KEY_INSECURE");
      assert.match(error.message, new RegExp(`its mode is "0${mode.toString(8)}"`));
      assert.match(error.cure!, /chmod 600/);
      await Deno.chmod(path, 0o600);
      unwrap(await loadOrCreateSigningKey(path));
    }));
}

Deno.test("loadOrCreateSigningKey() refuses a symbolic link, dangling ones too", () =>
  inTempDir(async (dir) => {
    unwrap(await loadOrCreateSigningKey(`${dir}/real.key`));
    await Deno.symlink(`${dir}/real.key`, `${dir}/link.key`);
    assert.equal((await refusal(`${dir}/link.key`)).code, "KEY_INSECURE");
    await Deno.symlink(`${dir}/nowhere`, `${dir}/dangling.key`);
    assert.equal((await refusal(`${dir}/dangling.key`)).code, "KEY_INSECURE");
    await assert.rejects(Deno.lstat(`${dir}/nowhere`), Deno.errors.NotFound);
  }));

Deno.test("loadOrCreateSigningKey() refuses a directory and a key of another owner", () =>
  inTempDir(async (dir) => {
    await Deno.mkdir(`${dir}/directory.key`);
    assert.equal((await refusal(`${dir}/directory.key`)).code, "KEY_INSECURE");
    if (Deno.uid() !== 0) return; // only root can give a file away
    const path = `${dir}/audit.key`;
    unwrap(await loadOrCreateSigningKey(path));
    await Deno.chown(path, 12345, null);
    const error = await refusal(path);
    assert.equal(error.code, "KEY_INSECURE");
    assert.match(error.message, /belongs to user 12345/);
  }));

for (
  const [what, text] of [
    ["an empty file", ""],
    ["garbage", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"],
  ] as const
) {
  Deno.test(`loadOrCreateSigningKey() refuses ${what} and leaves it alone`, () =>
    inTempDir(async (dir) => {
      const path = `${dir}/audit.key`;
      await Deno.writeTextFile(path, text, { mode: 0o600 });
      assert.equal((await refusal(path)).code, "KEY_INVALID");
      assert.equal(await Deno.readTextFile(path), text);
    }));
}

Deno.test("loadOrCreateSigningKey() restores a lost or wrong public key file", () =>
  inTempDir(async (dir) => {
    const path = `${dir}/audit.key`;
    const { publicKey } = unwrap(await loadOrCreateSigningKey(path));
    await Deno.remove(`${path}.pub`);
    unwrap(await loadOrCreateSigningKey(path));
    assert.deepEqual(unwrap(await readPublicKeyFile(`${path}.pub`)), publicKey);
    await Deno.writeTextFile(`${path}.pub`, `${new Uint8Array(32).toBase64()}\n`);
    unwrap(await loadOrCreateSigningKey(path));
    assert.deepEqual(unwrap(await readPublicKeyFile(`${path}.pub`)), publicKey);
  }));

Deno.test("loadOrCreateSigningKey() says what to do when the directory cannot be made", () =>
  inTempDir(async (dir) => {
    await Deno.writeTextFile(`${dir}/file`, "");
    const error = await refusal(`${dir}/file/audit.key`);
    assert.equal(error.code, "KEY_UNUSABLE");
    assert.ok(error.cure);
  }));
