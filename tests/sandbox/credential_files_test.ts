import assert from "node:assert/strict";
import { join } from "node:path";
import { credentialFiles } from "../../src/sandbox/credential_files.ts";

function plant(root: string, ...paths: string[]): void {
  for (const path of paths) {
    Deno.mkdirSync(join(root, path, ".."), { recursive: true });
    Deno.writeTextFileSync(join(root, path), "token");
  }
}

Deno.test("credentialFiles() finds what package managers keep tokens in", () => {
  const root = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "firma-credentials-" }));
  try {
    const secret = [
      ".npmrc",
      "etc/npmrc",
      ".condarc",
      "versions/3.12/pip.conf",
      "installs/nodejs/20/etc/npmrc",
      "envs/work/pip.conf",
    ];
    plant(root, ...secret, "bin/npmrc-tool", "lib/python/site-packages/pip/auth.json", "README.md");
    Deno.symlinkSync("etc/npmrc", join(root, ".yarnrc"));
    Deno.symlinkSync("nowhere", join(root, ".netrc"));
    assert.deepEqual(
      credentialFiles([root]).sort(),
      secret.map((path) => join(root, path)).sort(),
    );
    assert.deepEqual(credentialFiles([join(root, "README.md"), join(root, "missing")]), []);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
