import assert from "node:assert/strict";
import { join } from "node:path";
import { checkHostPrograms } from "../../src/sandbox/host_programs.ts";

Deno.test("checkHostPrograms() refuses a program that an agent could exchange for its own", () => {
  const root = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "firma-stubs-" }));
  try {
    const [workspace, tools] = [join(root, "project"), join(root, "tools")];
    for (const path of [join(workspace, "bin"), tools]) Deno.mkdirSync(path, { recursive: true });
    for (const path of [join(workspace, "bin/op"), join(tools, "op")]) {
      Deno.writeTextFileSync(path, "");
    }
    Deno.symlinkSync(join(workspace, "bin/op"), join(tools, "link"));
    Deno.symlinkSync(join(tools, "op"), join(workspace, "link"));
    Deno.symlinkSync(workspace, join(root, "alias"));
    Deno.symlinkSync("../project/link", join(tools, "by-the-workspace"));
    // Through the workspace and out again, as `result` of nix leads: the program lies in neither.
    Deno.symlinkSync(tools, join(workspace, "result"));
    Deno.symlinkSync("project/result", join(root, "bin"));
    const isRefused = (program: string) => {
      const checked = checkHostPrograms([{ path: program, owner: 'the secret store "team"' }], [
        workspace,
      ]);
      if (!checked.ok) assert.equal(checked.error.code, "HOST_PROGRAM_WRITABLE");
      return !checked.ok;
    };
    assert.equal(isRefused(join(tools, "op")), false);
    assert.equal(isRefused("/usr/bin/none"), false);
    for (
      const program of [
        ...[join(workspace, "bin/op"), join(tools, "link"), join(workspace, "link")],
        ...[join(root, "alias/bin/op"), join(workspace, "none"), join(tools, "by-the-workspace")],
        ...[join(root, "bin/op"), join(root, "bin/none"), join(root, "alias/none")],
      ]
    ) assert.equal(isRefused(program), true, program);
    // Whoever may write there leaves a program with the name of one that is started.
    const path = join(workspace, "bin");
    const found = { path, owner: 'the credential "code"', isDirectory: true };
    const searched = checkHostPrograms([found], [workspace]);
    assert.match(
      searched.ok ? "" : searched.error.message,
      /^Cannot run programs in ".*bin", which/,
    );
    assert.match(searched.ok ? "" : searched.error.cure!, /PATH/);
    assert.ok(checkHostPrograms([{ ...found, path: tools }], [workspace]).ok);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
