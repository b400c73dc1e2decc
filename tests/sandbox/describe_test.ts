import assert from "node:assert/strict";
import { join } from "node:path";
import { unwrap } from "../../src/core/result.ts";
import { describeSandbox } from "../../src/sandbox/describe.ts";

Deno.test("describeSandbox() tells every path and variable, with its reason and no secret", () => {
  const root = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "firma-describe-" }));
  try {
    const [home, cwd] = [join(root, "home"), join(root, "home/project")];
    for (const path of [join(cwd, ".firma"), join(cwd, ".vscode"), join(home, ".codex")]) {
      Deno.mkdirSync(path, { recursive: true });
    }
    const { paths, variables } = unwrap(describeSandbox({
      command: ["sh"],
      cwd,
      profile: "codex",
      sandboxId: "-",
      hostEnv: { HOME: home, PATH: "/usr/bin:/bin", OPENAI_API_KEY: "secret", OTHER: "secret" },
      runDir: join(root, "run"),
      sealedDirs: [join(cwd, ".firma")],
      allowWrite: [".vscode"],
      secretStubs: [{ id: "team", name: "pass", program: "/usr/bin/pass" }],
    }));
    assert.match(paths.find(({ path }) => path === "/usr/bin/pass")!.why, /^a stub, .*"team"/);
    const search = variables.find(({ name }) => name === "PATH")!.value!;
    assert.ok(search.startsWith("/run/firma-stores/bin:/usr/bin:"), search);
    const access = (path: string) => paths.find((each) => each.path === path)?.access;
    assert.equal(access(cwd), "writable");
    assert.equal(access(join(home, ".codex")), "writable");
    assert.equal(access(home), "in memory");
    assert.equal(access("/usr"), "read-only");
    assert.equal(access(join(cwd, ".firma")), "empty");
    assert.equal(access(join(cwd, ".envrc")), "read-only");
    assert.equal(access(join(cwd, ".vscode")), undefined);
    assert.ok(paths.every(({ why }) => why.length > 0));
    const key = variables.find(({ name }) => name === "OPENAI_API_KEY");
    assert.deepEqual(key, { name: "OPENAI_API_KEY", why: "yours; profile codex names it" });
    assert.equal(variables.find(({ name }) => name === "HOME")?.value, home);
    assert.doesNotMatch(JSON.stringify(variables), /secret"|OTHER/);
    assert.deepEqual([...Deno.readDirSync(cwd)].map(({ name }) => name).sort(), [
      ".firma",
      ".vscode",
    ]);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
