import assert from "node:assert/strict";
import { join } from "node:path";
import { selfCommand } from "../../src/config/self_command.ts";
import { PERMIT } from "./support.ts";

Deno.test("an Authority cannot run programs, load libraries or look into others", async () => {
  const dir = await Deno.makeTempDir();
  try {
    for (const name of ["policies", "issuance-policies"]) {
      await Deno.mkdir(join(dir, name));
      await Deno.writeTextFile(join(dir, name, "a.cedar"), PERMIT);
    }
    const config = join(dir, "firma.toml");
    await Deno.writeTextFile(config, `[authority]\nlisten_addr = "unix://${dir}/a.sock"\n`);
    const [program, ...words] = selfCommand();
    const probe = new URL("./permissions_probe.ts", import.meta.url).pathname;
    const { stdout, stderr } = await new Deno.Command(program, {
      args: [...words.slice(0, -1), probe, config],
      env: { HOME: dir, FIRMA_STATE_DIR: join(dir, "state"), XDG_DATA_HOME: join(dir, "data") },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    const report = /REPORT (\{.*\})/.exec(text(stdout))?.[1];
    assert.ok(report !== undefined, text(stderr));
    const { before, after } = JSON.parse(report);
    assert.deepEqual(new Set(Object.values(before)), new Set(["worked"]));
    assert.ok(!Object.values(after).includes("worked"), report);
    assert.deepEqual([after.run, after.ffi, after.sys], Array(3).fill("NotCapable"), report);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
