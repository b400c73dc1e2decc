import assert from "node:assert/strict";
import type { Execution } from "../../../src/core/local_exec.ts";
import { storeSocket } from "../../../src/sandbox/stores/protocol.ts";
import { stubFile } from "../../../src/sandbox/stores/stub_file.ts";
import { decideExecution } from "../../../src/sidecar/exec/decide.ts";
import { toClassified } from "../../../src/sidecar/exec/envelope.ts";
import { knownStubs } from "../../../src/sidecar/stores/known_stubs.ts";
import { NOW_MS, session } from "../pipeline/support.ts";
import { PASS, Store } from "./support.ts";

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

const execution = (hash?: string): Execution => ({
  pid: 7,
  path: "pass",
  file: "/run/firma-stores/bin/pass",
  names: ["pass"],
  argv: ["pass", "show", "agents/api"],
  argc: 3,
  cwd: "/home/ada",
  ...(hash !== undefined && { sha256: hash }),
});

Deno.test("knownStubs() tells a stub by its content, and by nothing that an agent could say", async () => {
  const stubs = await knownStubs([PASS]);
  const own = await sha256(stubFile(storeSocket(PASS)));
  const [match] = stubs.matchesOf(execution(own))!;
  assert.equal(match?.rule.actionClass, "system.execute");
  assert.deepEqual(stubs.names, ["pass"]);
  const others = [undefined, "", own.slice(1), await sha256(stubFile("/tmp/evil.sock"))];
  for (const hash of others) assert.equal(stubs.matchesOf(execution(hash)), undefined);
});

Deno.test("a stub may be executed where only some programs may, unless policies forbid all", async () => {
  const stubs = await knownStubs([PASS]);
  const asked = execution(await sha256(stubFile(storeSocket(PASS))));
  const config = {
    commands: [],
    defaultAction: "deny",
    allowedExecutables: ["/bin/true"],
  } as const;
  const reasonOf = (policy: string | undefined, isStub: boolean) => {
    const { standing } = new Store(policy);
    const classified = toClassified(asked, isStub ? stubs.matchesOf(asked)! : [], []);
    const surroundings = { standing, config, now: () => NOW_MS };
    return decideExecution(surroundings, session(), asked, classified).denial?.reason;
  };
  assert.equal(reasonOf(undefined, true), undefined);
  assert.equal(reasonOf(undefined, false), "PolicyDenied");
  assert.equal(reasonOf("forbid (principal, action, resource);", true), "PolicyDenied");
});
