import assert from "node:assert/strict";
import { newId } from "../../src/core/id.ts";
import {
  parseEndBody,
  parseFindingBody,
  parseLossBody,
  parseSessionBody,
} from "../../src/sidecar/session_body.ts";

const SESSION = {
  sandbox_id: newId("sbx"),
  agent_id: newId("agt"),
  profile: "generic",
  command: "true",
  workspace: "/workspace",
};
const FINDING = { finding: "seal", detail: "an attempt", count: 1 };

Deno.test("parseSessionBody() reads a request for a session", () => {
  assert.deepEqual(parseSessionBody(SESSION), {
    ok: true,
    value: {
      sandboxId: SESSION.sandbox_id,
      agent: SESSION.agent_id,
      profile: "generic",
      command: "true",
      workspace: "/workspace",
    },
  });
  const more = {
    ...SESSION,
    mode: "monitor",
    interceptor: "http_proxy",
    capability_file: "/token",
  };
  const parsed = parseSessionBody(more);
  assert(parsed.ok);
  assert.equal(parsed.value.mode, "monitor");
  assert.equal(parsed.value.interceptor, "http_proxy");
  assert.equal(parsed.value.capabilityFile, "/token");
});

Deno.test("parseSessionBody() names what it refuses", async (t) => {
  const { profile: _, ...withoutProfile } = SESSION;
  const bodies: Readonly<Record<string, readonly [unknown, RegExp]>> = {
    "nothing": [undefined, /"body": is not an object$/],
    "a list": [[], /"body": is not an object$/],
    "a missing member": [withoutProfile, /"profile": is missing$/],
    "an unknown member": [{ ...SESSION, admin: true }, /"admin": is not known$/],
    "a member of the prototype": [{ ...SESSION, toString: "x" }, /"toString": is not known$/],
    "a number for a text": [{ ...SESSION, command: 1 }, /"command": is not a text$/],
    "a text that is too long": [{ ...SESSION, command: "x".repeat(4097) }, /is longer than 4096/],
    "another kind of id": [{ ...SESSION, sandbox_id: newId("ses") }, /is not a sandbox id$/],
    "a relative path": [{ ...SESSION, capability_file: "token" }, /is not an absolute path$/],
    "a mode that there is not": [{ ...SESSION, mode: "off" }, /"mode": is not one of "enforce"/],
    "two agents": [{ ...SESSION, agent: "coder" }, /one of "agent_id" and "agent"$/],
  };
  for (const [name, [body, message]] of Object.entries(bodies)) {
    await t.step(name, () => {
      const parsed = parseSessionBody(body);
      assert(!parsed.ok);
      assert.equal(parsed.error.code, "INVALID_REQUEST");
      assert.match(parsed.error.message, message);
    });
  }
});

Deno.test("parseFindingBody() reads what a sandbox found, and refuses what is none", () => {
  assert.deepEqual(parseFindingBody(FINDING), { ok: true, value: FINDING });
  const program = { pid: 7, executable: "/bin/sh" };
  const full = { ...FINDING, count: 0, total: 3, paths: ["a"], final: true, program };
  assert.deepEqual(parseFindingBody(full), { ok: true, value: full });
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [{ ...FINDING, count: 0 }, /nothing was found$/],
    [{ ...FINDING, count: 1.5 }, /"count": is not a whole number$/],
    [{ ...FINDING, final: false }, /"final": is not one of true$/],
    [{ ...FINDING, paths: ["a", 1] }, /"paths\.1": is not a text$/],
    [{ ...FINDING, paths: Array(101).fill("a") }, /"paths": has more than 100 entries$/],
    [{ ...FINDING, program: { pid: 7 } }, /"program\.executable": is missing$/],
  ];
  for (const [body, message] of wrong) {
    const parsed = parseFindingBody(body);
    assert(!parsed.ok);
    assert.match(parsed.error.message, message);
  }
});

Deno.test("parseLossBody() and parseEndBody() read what they are for, and nothing else", () => {
  const loss = { deleted: 3, paths: ["a"], step: "look" };
  assert.deepEqual(parseLossBody(loss), { ok: true, value: loss });
  assert(!parseLossBody({ ...loss, deleted: -1 }).ok);
  assert.deepEqual(parseEndBody({}), { ok: true, value: undefined });
  assert.deepEqual(parseEndBody({ exit_code: 3 }), { ok: true, value: 3 });
  assert(!parseEndBody({ exit_code: "3" }).ok);
});
