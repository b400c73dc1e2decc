import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type {
  Authority,
  IssueCapabilityRequest,
  IssueCapabilityResponse,
} from "../../src/core/authority.ts";
import type { CapabilityClaims } from "../../src/core/capability.ts";
import type { ExecutionEvent } from "../../src/core/event.ts";
import { newId } from "../../src/core/id.ts";
import { err, ok } from "../../src/core/result.ts";
import { formatSeed } from "../../src/capability/seed.ts";
import { issueToken } from "../../src/capability/token.ts";
import type { DataPlane } from "../../src/sidecar/data_plane.ts";
import { Sessions } from "../../src/sidecar/sessions.ts";
import { eventually } from "../fixtures/deadline.ts";

const KEYS = generateKeyPairSync("ed25519");
const PUBLIC_KEY = new Uint8Array(
  KEYS.publicKey.export({ type: "spki", format: "der" }).subarray(-32),
);

interface Script {
  readonly ttlMs?: number;
  readonly claims?: Partial<CapabilityClaims>;
  readonly answer?: IssueCapabilityResponse;
  readonly recording?: boolean;
  readonly opening?: boolean;
}

function rig(script: Script = {}) {
  const requests: IssueCapabilityRequest[] = [];
  const events: ExecutionEvent[] = [];
  const done: string[] = [];
  const notices: string[] = [];
  const authority: Authority = {
    issueIdentityToken: () => Promise.reject(new Error("not asked for here")),
    publicKey: () => Promise.resolve(PUBLIC_KEY),
    issueCapability: async (request) => {
      requests.push(request);
      if (script.answer !== undefined) return script.answer;
      const now = Date.now();
      const claims: CapabilityClaims = {
        token_id: newId("ctok"),
        agent_id: request.agentId,
        session_id: request.sessionId,
        action_set: request.requestedActions,
        resource_scope: request.resourceScope,
        issued_at: new Date(now).toISOString(),
        expiry: new Date(now + (script.ttlMs ?? 3_600_000)).toISOString(),
        context_hash: "",
        policy_bundle_version: "",
        ...script.claims,
      };
      return { granted: true, token: await issueToken(claims, KEYS.privateKey) };
    },
    watchPolicyBundle: () => {
      throw new Error("not asked for");
    },
    watchRevocations: () => {
      throw new Error("not asked for");
    },
  };
  const revoked: string[][] = [];
  const claimsSet: CapabilityClaims[][] = [];
  const plane = {
    openSession: () => {
      done.push("open");
      return Promise.resolve(
        script.opening === false
          ? err({ code: "SESSION_SOCKET", message: "no socket" })
          : ok({ socket: "/sock" }),
      );
    },
    closeSession: () => Promise.resolve(void done.push("close")),
    setClaims: (_id: string, claims: CapabilityClaims[]) => void claimsSet.push(claims),
    setRevoked: (ids: string[]) => void revoked.push(ids),
  } as unknown as DataPlane;
  const sessions = new Sessions({
    authority,
    plane,
    approvals: { endSession: () => {} },
    record: (event) => {
      events.push(event);
      return script.recording ?? true;
    },
    notify: (_level, text) => void notices.push(text),
    mode: { usual: "enforce", isMonitorAllowed: false },
  });
  return { sessions, requests, events, done, notices, revoked, claimsSet };
}

const REQUEST = {
  sandboxId: newId("sbx"),
  agent: newId("agt"),
  profile: "generic",
  command: "npm (2)",
  workspace: "/home/me",
};

Deno.test("open() asks for every action, verifies the token and records the session", async () => {
  const { sessions, requests, events, done } = rig();
  const opened = await sessions.open(REQUEST);
  assert.ok(opened.ok);
  assert.equal(opened.value.proxySocket, "/sock");
  assert.deepEqual(requests[0]!.resourceScope, ["**"]);
  assert.ok(requests[0]!.requestedActions.includes("code.read"));
  assert.ok(requests[0]!.requestedActions.includes("payment.payout"));
  const [event] = events;
  assert.ok(event?.kind === "session" && event.phase === "started");
  assert.equal(event.session_id, opened.value.sessionId);
  assert.equal(await sessions.end(opened.value.sessionId, 3), true);
  assert.deepEqual(done, ["open", "close"]);
  const ended = events[1];
  assert.ok(ended?.kind === "session" && ended.phase === "ended" && ended.exit_code === 3);
  assert.equal(await sessions.end(opened.value.sessionId, 3), false);
  assert.equal(sessions.size, 0);
});

const FAILURES: Record<string, [Script, string]> = {
  "an issuance that is denied": [
    { answer: { granted: false, denyReason: "NO_AUTHORIZED_ACTIONS", denyMessage: "nothing" } },
    "CAPABILITY_DENIED",
  ],
  "a token that nobody signed": [
    { answer: { granted: true, token: "v4.public.AAAA" } },
    "TOKEN_INVALID",
  ],
  "a token of another session": [{ claims: { session_id: newId("ses") } }, "TOKEN_INVALID"],
  "a token of another agent": [{ claims: { agent_id: newId("agt") } }, "TOKEN_INVALID"],
  "a log that takes no record": [{ recording: false }, "AUDIT_UNAVAILABLE"],
  "a socket that cannot be had": [{ opening: false }, "SESSION_SOCKET"],
};

for (const [name, [script, code]] of Object.entries(FAILURES)) {
  Deno.test(`open() fails on ${name}`, async () => {
    const { sessions, done } = rig(script);
    const opened = await sessions.open(REQUEST);
    assert.ok(!opened.ok);
    assert.equal(opened.error.code, code);
    assert.equal(sessions.size, 0);
    if (code !== "SESSION_SOCKET") assert.deepEqual(done, []);
  });
}

Deno.test("a token is replaced before it expires, and no longer once the session ended", async () => {
  const { sessions, claimsSet } = rig({ ttlMs: 200 });
  const opened = await sessions.open(REQUEST);
  assert.ok(opened.ok);
  await eventually("two renewals", () => claimsSet.length >= 2 || undefined);
  assert.equal(claimsSet[0]!.length, 1);
  assert.notEqual(claimsSet[0]![0]!.token_id, opened.value.tokenId);
  await sessions.end(opened.value.sessionId, 0);
  // A renewal that is still planned would be a leaked timer, which fails this test.
});

Deno.test("setRevoked() takes the present token too when an earlier one of the session is named", async () => {
  const { sessions, revoked, claimsSet } = rig({ ttlMs: 300 });
  const opened = await sessions.open(REQUEST);
  assert.ok(opened.ok);
  const other = await sessions.open(REQUEST);
  assert.ok(other.ok);
  await eventually(
    "a renewal of each",
    () => new Set(claimsSet.map(([claims]) => claims!.session_id)).size === 2 || undefined,
  );
  sessions.setRevoked([opened.value.tokenId, "ctok_of_nobody"]);
  const present = claimsSet.findLast(([claims]) => claims!.session_id === opened.value.sessionId)!;
  assert.ok(revoked.at(-1)!.includes(present[0]!.token_id));
  assert.ok(revoked.at(-1)!.includes("ctok_of_nobody"));
  const others = claimsSet.filter(([claims]) => claims!.session_id === other.value.sessionId);
  for (const [claims] of others) assert.ok(!revoked.at(-1)!.includes(claims!.token_id));
  await sessions.endAll();
});

/** A seed of {@linkcode REQUEST}'s agent in a file. */
async function seedFile(special: Partial<CapabilityClaims> = {}) {
  const directory = await Deno.makeTempDir({ prefix: "firma-seed-" });
  const file = `${directory}/seed.toml`;
  const claims: CapabilityClaims = {
    token_id: newId("ctok"),
    agent_id: REQUEST.agent,
    session_id: "build-7",
    action_set: ["code.read"],
    resource_scope: ["**"],
    issued_at: new Date().toISOString(),
    expiry: new Date(Date.now() + 3_600_000).toISOString(),
    context_hash: "",
    policy_bundle_version: "",
    ...special,
  };
  const write = async (changes: Partial<CapabilityClaims> = {}, edit = (text: string) => text) => {
    const changed = { ...claims, ...changes };
    const token = await issueToken(changed, KEYS.privateKey);
    await Deno.writeTextFile(file, edit(formatSeed({ token, claims: changed })));
  };
  await write();
  return {
    file,
    claims,
    write,
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}

Deno.test("open() takes the token and the session of a capability file, and asks for no other", async () => {
  await using seed = await seedFile();
  const { sessions, requests, claimsSet, revoked, notices } = rig();
  const opened = await sessions.open({ ...REQUEST, capabilityFile: seed.file });
  if (!opened.ok) assert.fail(opened.error.message);
  assert.deepEqual([opened.value.sessionId, opened.value.tokenId], [
    "build-7",
    seed.claims.token_id,
  ]);
  const again = await sessions.open({ ...REQUEST, capabilityFile: seed.file });
  assert.ok(!again.ok && again.error.code === "SESSION_OPEN");

  sessions.setRevoked([seed.claims.token_id]);
  const next = newId("ctok");
  await seed.write({ token_id: next });
  await eventually("the new token", () => claimsSet.at(-1)?.[0]?.token_id === next || undefined);
  assert.ok(revoked.at(-1)!.includes(next), "it is of a session that is revoked");

  const taken = claimsSet.length;
  await seed.write({ token_id: newId("ctok"), session_id: "build-8" });
  await eventually(
    "the refusal of another session's token",
    () => notices.find((text) => /"session_id" is not "build-7"/.test(text)),
  );
  await seed.write({}, (text) => text.replace('"code.read"', '"code.merge"'));
  await eventually(
    "the refusal of an edited one",
    () => notices.find((text) => /"action_set" is not what the token says/.test(text)),
  );
  assert.equal(claimsSet.length, taken);
  assert.deepEqual(requests, []);
  await sessions.endAll();
});

const SEED_FAILURES: Record<string, [Partial<CapabilityClaims>, RegExp]> = {
  "of another agent": [{ agent_id: newId("agt") }, /"agent_id" is "agt_/],
  "that is over": [{ expiry: new Date(Date.now() - 1).toISOString() }, /"expiry" is over/],
  "with a session that is no name": [{ session_id: "a\nb" }, /"session_id" is not 1 to 128/],
};

for (const [name, [special, message]] of Object.entries(SEED_FAILURES)) {
  Deno.test(`open() refuses a capability file ${name}`, async () => {
    await using seed = await seedFile(special);
    const { sessions, done } = rig();
    const opened = await sessions.open({ ...REQUEST, capabilityFile: seed.file });
    assert.ok(!opened.ok);
    assert.match(opened.error.message, message);
    assert.deepEqual(done, []);
    assert.equal(sessions.size, 0);
  });
}

Deno.test("open() opens a session once, however many bring its capability file at once", async () => {
  await using seed = await seedFile();
  const { sessions, done } = rig();
  const outcomes = await Promise.all(
    [1, 2, 3].map(() => sessions.open({ ...REQUEST, capabilityFile: seed.file })),
  );
  assert.equal(outcomes.filter(({ ok }) => ok).length, 1);
  assert.deepEqual(done, ["open"]);
  assert.equal(sessions.size, 1);
  await sessions.endAll();
});

Deno.test("open() refuses a capability file that is none", async () => {
  const { sessions } = rig();
  for (const file of ["/nowhere/seed.toml", "/dev/zero", "/"]) {
    const opened = await sessions.open({ ...REQUEST, capabilityFile: file });
    assert.ok(!opened.ok && opened.error.code === "SEED_INVALID", file);
  }
});
