import assert from "node:assert/strict";
import { chooseProfile } from "../../src/run/profile.ts";

Deno.test("chooseProfile() takes the named profile, else the command's, else generic", () => {
  const table: [string | undefined, string[], string][] = [
    [undefined, ["npm"], "generic"],
    [undefined, ["/usr/local/bin/claude", "-p"], "claude-code"],
    [undefined, ["npx", "@openai/codex"], "codex"],
    ["generic", ["claude"], "generic"],
    ["codex", ["sh"], "codex"],
  ];
  for (const [named, command, profile] of table) {
    assert.deepEqual(chooseProfile(named, command), { ok: true, value: profile });
  }
});

Deno.test("chooseProfile() names the nearest profile", () => {
  const close = chooseProfile("claude_cod", ["sh"]);
  assert.ok(!close.ok && close.error.cure === 'did you mean "claude-code"?');
  const far = chooseProfile("x".repeat(50), ["sh"]);
  assert.ok(!far.ok && far.error.cure?.startsWith("choose one of: generic, "));
});
