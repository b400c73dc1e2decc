import assert from "node:assert/strict";
import { join } from "node:path";
import type { FirmaConfig } from "../../src/config/schema.ts";
import { newFilesOutside } from "../../src/sidecar/live_keys.ts";
import { credential } from "../broker/_credential.ts";

function config(directory: string, helpers: readonly string[], rulesPaths: readonly string[] = []) {
  const settings = (program: string) => ({
    ...{ command: [program], output: "raw" as const, env_passthrough: [], max_output: 1_000 },
  });
  const credentials = helpers.map((program) =>
    credential(program, { kind: "command", settings: settings(program) })
  );
  // What is not asked for need not be there.
  const sidecar = { credentials, mapping: { rulesPaths }, connector: { hosts: [] } };
  return { directory, sidecar } as unknown as FirmaConfig;
}

Deno.test("newFilesOutside() takes no file that an agent could lead elsewhere by a link", () => {
  const root = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "firma-live-" }));
  try {
    const [project, home] = [join(root, "project"), join(root, "home")];
    const own = join(project, ".firma");
    const data = join(home, ".local/share/firma");
    for (const path of [own, data, join(project, "tools")]) {
      Deno.mkdirSync(path, { recursive: true });
    }
    Deno.symlinkSync("/usr/bin", join(project, "bin"));
    Deno.symlinkSync("/usr/bin/env", join(project, "tools/env"));
    Deno.symlinkSync(join(project, "tools/env"), join(own, "by-the-workspace"));
    Deno.symlinkSync("/usr/bin/env", join(own, "env"));
    Deno.writeTextFileSync(join(own, "own.toml"), "");
    Deno.symlinkSync(join(own, "own.toml"), join(project, "rules.toml"));
    Deno.symlinkSync(home, join(root, "alias"));
    const env = { HOME: join(root, "alias") };
    const isRefused = (program: string) =>
      newFilesOutside(config(own, []), config(own, [program]), env).length > 0;
    for (const program of ["/usr/bin/env", join(own, "env"), join(data, "secret")]) {
      assert.equal(isRefused(program), false, program);
    }
    assert.equal(isRefused(join(root, "alias/.local/share/firma/secret")), false);
    for (
      const program of [
        ...[join(project, "tools/env"), join(project, "bin/env"), join(own, "by-the-workspace")],
        join(project, "tools/none"),
      ]
    ) assert.equal(isRefused(program), true, program);
    const rules = (path: string) =>
      newFilesOutside(config(own, []), config(own, [], [path]), env).length > 0;
    assert.equal(rules(join(own, "own.toml")), false);
    assert.equal(rules(join(project, "rules.toml")), true);
    // What was in force before stays so.
    const known = config(own, [join(project, "tools/env")]);
    assert.deepEqual(newFilesOutside(known, known, env), []);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
