import assert from "node:assert/strict";

Deno.test("the postures decide as tests/postures says, which the workflow tries as well", async () => {
  const { code, stdout, stderr } = await new Deno.Command("scripts/firma", {
    args: ["policy", "test", "tests/postures"],
  }).output();
  const text = new TextDecoder();
  assert.equal(code, 0, text.decode(stdout) + text.decode(stderr));
  assert.match(text.decode(stdout), /\d+ passed, 0 failed/);
});
