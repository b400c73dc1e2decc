import assert from "node:assert/strict";
import { join } from "node:path";
import { newId } from "../../src/core/id.ts";
import { loadConfig, readConfigFile } from "../../src/config/load.ts";

const ENV = { HOME: "/home/ada" };

async function withFile(
  text: string | Uint8Array,
  test: (file: string) => void | Promise<void>,
): Promise<void> {
  const directory = await Deno.realPath(await Deno.makeTempDir());
  try {
    const file = join(directory, "firma.toml");
    await Deno.writeFile(file, typeof text === "string" ? new TextEncoder().encode(text) : text);
    await test(file);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("loadConfig() reads a file and puts this user's paths into it", () =>
  withFile(`[sidecar.authority]\nagent_id = "${newId("agt")}"\n`, (file) => {
    const config = loadConfig(file, ENV);
    assert.ok(config.ok);
    assert.equal(
      config.value.config.sidecar.audit.filePath,
      "/home/ada/.local/share/firma/audit/audit.jsonl",
    );
    assert.match(
      config.value.config.authority.revocationFile,
      /^\/home\/ada\/\.local\/share\/firma\/projects\/[0-9a-f]{32}\/revocations\.txt$/,
    );
  }));

// Attack: the file is exchanged between the check of its trust and its use.
Deno.test("loadConfig() refuses a file that is not the one that was checked", () =>
  withFile(`[sidecar.authority]\nagent_id = "${newId("agt")}"\n`, async (file) => {
    const read = readConfigFile(file);
    assert.ok(read.ok);
    assert.equal(loadConfig(file, ENV, read.value.digest).ok, true);
    await Deno.writeTextFile(file, `${read.value.text}# more\n`);
    const changed = loadConfig(file, ENV, read.value.digest);
    assert.ok(!changed.ok && changed.error[0]?.code === "CONFIG_CHANGED");
  }));

Deno.test("readConfigFile() refuses what is not a text file of reasonable size", async () => {
  const code = (file: string) => {
    const read = readConfigFile(file);
    return read.ok ? "" : read.error.message.replace(/^.*": /, "");
  };
  await withFile("", async (file) => {
    assert.equal(code(`${file}.no`), "there is no such file");
    assert.equal(code(join(file, "..")), "it is not a regular file");
    // Attack: a pipe that nobody writes to would hang the start for ever.
    const pipe = `${file}.pipe`;
    assert.ok((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success);
    assert.equal(code(pipe), "it is not a regular file");
  });
  await withFile(new Uint8Array(1024 * 1024 + 1), (file) => {
    assert.equal(code(file), "it is larger than 1 MiB");
  });
  await withFile(new Uint8Array([0xff, 0xfe]), (file) => {
    assert.equal(code(file), "it is not UTF-8 text");
  });
});
