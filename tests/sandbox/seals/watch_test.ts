import assert from "node:assert/strict";
import { join } from "node:path";
import { snapshot } from "../../../src/sandbox/seals/guarded_files.ts";
import { watchGuarded } from "../../../src/sandbox/seals/watch.ts";
import { eventually } from "../../fixtures/deadline.ts";

async function git(cwd: string, ...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command("git", { args, cwd, stderr: "null" }).output();
  return success;
}

/** A repository whose settings are watched. */
async function withRepository(
  test: (root: string, config: () => Promise<string>) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "firma-watch-" });
  assert.ok(await git(root, "init", "-q"));
  const path = join(root, ".git/config");
  const file = { path, guards: "settings", before: snapshot(path) } as const;
  const stop = watchGuarded([file], () => {});
  try {
    await test(root, () => Deno.readTextFile(path));
  } finally {
    stop();
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("watchGuarded() undoes what runs programs and loses no other setting of the agent's git", () =>
  withRepository(async (root, config) => {
    for (let i = 0; i < 20; i++) {
      assert.ok(await git(root, "config", "core.fsmonitor", "/tmp/evil") || i > 0);
      // git gives up at once where somebody else is writing.
      await eventually(
        "git to have its turn",
        async () => await git(root, "config", `branch.b${i}.remote`, "origin") || undefined,
      );
    }
    await eventually(
      "the last change to be undone",
      async () => !(await config()).includes("evil") || undefined,
    );
    const text = await config();
    for (let i = 0; i < 20; i++) assert.ok(text.includes(`b${i}`), `b${i} is lost:\n${text}`);
  }));

// Attack: the agent keeps git's lock, so that nobody may write.
Deno.test("watchGuarded() waits for no lock that stays", () =>
  withRepository(async (root, config) => {
    const path = join(root, ".git/config");
    await Deno.writeTextFile(`${path}.lock`, "");
    await Deno.writeTextFile(path, `${await config()}[core]\n\tfsmonitor = /tmp/evil\n`);
    await eventually(
      "the change to be undone",
      async () => !(await config()).includes("evil") || undefined,
    );
  }));
