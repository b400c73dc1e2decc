import assert from "node:assert/strict";
import { join } from "node:path";
import { unwrap } from "../../src/core/result.ts";
import { unitFile, unitText } from "../../src/daemon/unit.ts";

function execStart(command: readonly string[], configFile: string): string {
  const text = unwrap(unitText({ command, configFile }));
  return /^ExecStart=(.*)$/m.exec(text)![1]!;
}

Deno.test("unitText() starts a Sidecar in the foreground, with its configuration", () => {
  assert.equal(
    execStart(["/usr/bin/firma"], "/home/me/.firma/firma.toml"),
    "/usr/bin/firma sidecar --config /home/me/.firma/firma.toml",
  );
});

Deno.test("unitText() writes words that systemd reads as they are", () => {
  assert.equal(
    execStart(["/opt/my firma"], `/home/%u/$HOME/"a"\\b/firma.toml`),
    `"/opt/my firma" sidecar --config "/home/%%u/$$HOME/\\"a\\"\\\\b/firma.toml"`,
  );
});

// A line break in a path would be another directive of the unit.
Deno.test("unitText() refuses a path with a control character", () => {
  for (const path of ["/a\nExecStartPre=/bin/evil", "/a\tb", "/a\0b", "/a\x7f"]) {
    assert.equal(unitText({ command: ["/f"], configFile: path }).ok, false);
  }
});

Deno.test({
  name: "unitText() is a unit without a flaw for systemd-analyze verify",
  ignore: !["/usr/bin", "/bin"].some((dir) => exists(join(dir, "systemd-analyze"))),
  async fn() {
    const dir = await Deno.makeTempDir();
    const file = join(dir, "firma-sidecar.service");
    const text = unwrap(unitText({ command: ["/bin/true"], configFile: "/home/a b/firma.toml" }));
    const verify = async (unit: string) => {
      await Deno.writeTextFile(file, unit);
      const { stderr } = await new Deno.Command("systemd-analyze", {
        args: ["verify", "--user", "--man=no", file],
        env: { XDG_RUNTIME_DIR: dir, HOME: dir },
      }).output();
      return new TextDecoder().decode(stderr);
    };
    // Where no service manager can be imagined, it says nothing about any unit.
    const control = await verify(text.replace("Type=", "Tpye="));
    if (/firma-sidecar\.service/.test(control)) {
      assert.doesNotMatch(await verify(text), /firma-sidecar\.service/);
    }
    await Deno.remove(dir, { recursive: true });
  },
});

Deno.test("unitFile() is where systemd looks for units of a user", () => {
  assert.equal(
    unwrap(unitFile({ HOME: "/home/me" })),
    "/home/me/.config/systemd/user/firma-sidecar.service",
  );
  assert.equal(
    unwrap(unitFile({ HOME: "/home/me", XDG_CONFIG_HOME: "/c" })),
    "/c/systemd/user/firma-sidecar.service",
  );
  assert.equal(unitFile({}).ok, false);
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
