import assert from "node:assert/strict";
import { err, ok } from "../../src/core/result.ts";
import { findKnownTools } from "../../src/sandbox/known_tools.ts";
import type { SandboxTools } from "../../src/sandbox/request.ts";

const GOOD: SandboxTools = [ok("/usr/bin/bwrap"), true];

Deno.test("findKnownTools() asks the programs once, as long as what they said was good", async () => {
  const data = await Deno.makeTempDir();
  const env = { XDG_DATA_HOME: data };
  let asked = 0;
  const find = (tools: SandboxTools) => () => {
    asked++;
    return Promise.resolve(tools);
  };
  const old: SandboxTools = [err({ code: "BWRAP_TOO_OLD", message: "old" }), true];
  const unshielded: SandboxTools = [GOOD[0], false];
  assert.deepEqual(await findKnownTools(env, find(old)), old);
  assert.deepEqual(await findKnownTools(env, find(unshielded)), unshielded);
  assert.deepEqual(await findKnownTools(env, find(GOOD)), GOOD);
  assert.equal(asked, 3);
  const [bwrap, shielded] = await findKnownTools(env, find(old));
  assert.ok(bwrap.ok && shielded);
  assert.equal(asked, 3);
  // What somebody else could have written is not believed.
  await Deno.chmod(`${data}/firma/known`, 0o777);
  assert.deepEqual(await findKnownTools(env, find(old)), old);
  await Deno.remove(data, { recursive: true });
});
