import assert from "node:assert/strict";
import { ARTIFACTS, loadFilter } from "../../../src/sandbox/seccomp/artifact.ts";
import { artifactsOf } from "../../../src/sandbox/seccomp/build.ts";

const SOURCE = new URL("../../../packs/seccomp/agent.toml", import.meta.url);

Deno.test("ARTIFACTS are what the policy compiles to; scripts/gen_seccomp.ts writes them", async () => {
  assert.deepEqual(ARTIFACTS, await artifactsOf(await Deno.readTextFile(SOURCE), "agent.toml"));
});

Deno.test("loadFilter() takes the program that was compiled, and no other", async () => {
  const { x86_64, aarch64 } = ARTIFACTS.filters;
  const bytes = await loadFilter(x86_64);
  assert.ok(bytes.length > 8);
  await assert.rejects(loadFilter({ ...x86_64, program: aarch64.program }), /damaged/);
  const shorter = bytes.subarray(0, bytes.length - 8).toBase64();
  await assert.rejects(loadFilter({ ...x86_64, program: shorter }), /damaged/);
});
