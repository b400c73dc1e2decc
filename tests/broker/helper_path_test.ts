import assert from "node:assert/strict";
import { join } from "node:path";
import { withHelperPath } from "../../src/broker/helper_path.ts";

Deno.test("withHelperPath() leaves out where an agent could leave a program that a helper starts", () => {
  const root = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "firma-path-" }));
  try {
    const [home, project] = [join(root, "home"), join(root, "home/project")];
    for (const path of [join(project, "bin"), join(home, "bin")]) {
      Deno.mkdirSync(path, { recursive: true });
    }
    Deno.symlinkSync(join(project, "bin"), join(home, "tools"));
    Deno.symlinkSync(home, join(root, "alias"));
    const pathOf = (entries: readonly string[], directory = project) =>
      withHelperPath({ HOME: home, PATH: entries.join(":"), OTHER: "kept" }, directory);
    const sound = [join(home, "bin"), "/usr/bin", join(home, "project-2/bin"), "/none"];
    const taken = [
      ...[join(project, "bin"), join(project, "node_modules/.bin"), project],
      ...[join(home, "tools"), join(root, "alias/project/bin"), ".", "", "bin", "./bin"],
    ];
    assert.deepEqual(pathOf([...taken, ...sound]), {
      HOME: home,
      PATH: sound.join(":"),
      OTHER: "kept",
    });
    assert.equal(pathOf(taken, join(root, "alias/project")).PATH, "");
    // Whoever has one for all projects still has programs of the home.
    assert.equal(pathOf(["bin", ...sound], home).PATH, sound.join(":"));
    assert.deepEqual(withHelperPath({ HOME: home }, project), { HOME: home });
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
