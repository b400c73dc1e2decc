import assert from "node:assert/strict";
import type { IssueCapabilityRequest } from "../../src/core/authority.ts";
import { ACTION_CLASSES } from "../../src/core/action_class.ts";
import { newId } from "../../src/core/id.ts";
import { LocalAuthority } from "../../src/authority/local_authority.ts";
import { MemoryStore } from "../../src/authority/store/memory_store.ts";
import { verifyToken } from "../../src/capability/token.ts";
import { eventually } from "../fixtures/deadline.ts";
import { keyPair } from "../capability/support.ts";
import { authority, directory, FORBID, Listener, PERMIT } from "./support.ts";

const AGENT = newId("agt");

function request(special: Partial<IssueCapabilityRequest> = {}): IssueCapabilityRequest {
  return {
    agentId: AGENT,
    sessionId: newId("ses"),
    requestedActions: ["code.read", "code.write"],
    resourceScope: ["**"],
    requestedTtlSeconds: 0,
    ...special,
  };
}

async function granted(subject: Awaited<ReturnType<typeof authority>>, asked = request()) {
  const response = await subject.authority.issueCapability(asked);
  if (!response.granted) assert.fail(response.denyMessage);
  const verified = await verifyToken(response.token, await subject.authority.publicKey());
  assert.ok(verified.ok);
  return verified.value;
}

async function refusal(subject: Awaited<ReturnType<typeof authority>>, asked: unknown) {
  const response = await subject.authority.issueCapability(asked as IssueCapabilityRequest);
  return response.granted ? "granted" : response.denyReason;
}

Deno.test("issueCapability() grants a token that says what was asked for", async () => {
  await using subject = await authority();
  const asked = request({ resourceScope: ["api.example.test/repos/**"] });
  const claims = await granted(subject, asked);
  assert.equal(claims.agent_id, AGENT);
  assert.equal(claims.session_id, asked.sessionId);
  assert.deepEqual(claims.action_set, ["code.read", "code.write"]);
  assert.deepEqual(claims.resource_scope, asked.resourceScope);
  assert.match(claims.context_hash, /^[0-9a-f]{64}$/);
  assert.match(claims.policy_bundle_version, /^[0-9a-f]{16}$/);
});

Deno.test("issueCapability() grants what is asked for and permitted, no more", async () => {
  await using subject = await authority({
    issuance: {
      "issuance.cedar": `${PERMIT}
        forbid (principal, action in [Firma::Action::"code.write"], resource);
        forbid (principal, action in [Firma::Action::"communication.external.send"], resource);`,
    },
  });
  assert.deepEqual((await granted(subject)).action_set, ["code.read"]);
  const all = await granted(subject, request({ requestedActions: ["*"] }));
  const forbidden = ["code.write", "communication.external.send"];
  const rest = ACTION_CLASSES.filter(({ name, parent }) => !forbidden.includes(parent ?? name))
    .map(({ name }) => name);
  assert.deepEqual(all.action_set, rest.sort());
  const nothing = request({ requestedActions: ["code.write", "telemetry.send"] });
  assert.equal(await refusal(subject, nothing), "NO_AUTHORIZED_ACTIONS");
});

Deno.test("issueCapability() asks the issuance policies about every pattern of the scope", async () => {
  await using subject = await authority({
    issuance: {
      "issuance.cedar": `${PERMIT}
        forbid (principal, action, resource)
        when { resource has host && resource.host == "secret.test" };`,
    },
  });
  const ask = (...resourceScope: string[]) => refusal(subject, request({ resourceScope }));
  assert.equal(await ask("open.test"), "granted");
  assert.equal(await ask("open.test", "secret.test/path"), "NO_AUTHORIZED_ACTIONS");
});

Deno.test("issueCapability() never lets a token live longer than allowed", async (t) => {
  await using subject = await authority({}, { maxTtlMs: 60_000 });
  const cases: Record<string, [number, number]> = {
    "the longest": [0, 60],
    "less than none": [-5, 60],
    "shorter": [10, 10],
    "longer": [3600, 60],
    "a fraction": [0.5, 0.5],
  };
  for (const [name, [requestedTtlSeconds, seconds]] of Object.entries(cases)) {
    await t.step(name, async () => {
      const { issued_at, expiry } = await granted(subject, request({ requestedTtlSeconds }));
      assert.equal(Date.parse(expiry) - Date.parse(issued_at), seconds * 1000);
    });
  }
});

Deno.test("issueCapability() refuses a malformed request whole", async (t) => {
  await using subject = await authority();
  const cases: Record<string, [Partial<IssueCapabilityRequest>, string]> = {
    "no actions": [{ requestedActions: [] }, "NO_ACTIONS"],
    "an unknown action beside a good one": [
      { requestedActions: ["code.read", "code.everything"] },
      "INVALID_REQUEST",
    ],
    "no scope": [{ resourceScope: [] }, "INVALID_REQUEST"],
    "a scope that is no pattern": [{ resourceScope: ["**", "http://x.test"] }, "INVALID_REQUEST"],
    "no agent": [{ agentId: "" }, "INVALID_REQUEST"],
    "a session for an agent": [{ agentId: newId("ses") }, "INVALID_REQUEST"],
    "no session": [{ sessionId: "" }, "INVALID_REQUEST"],
    "no number": [{ requestedTtlSeconds: NaN }, "INVALID_REQUEST"],
  };
  for (const [name, [special, reason]] of Object.entries(cases)) {
    await t.step(name, async () => assert.equal(await refusal(subject, request(special)), reason));
  }
});

Deno.test("issueCapability() knows an agent by its registered name, and no other", async () => {
  const named = { id: newId("agt"), name: "builder", registeredAt: "2026-01-01T00:00:00Z" };
  const agentNamed = (name: string) => Promise.resolve(name === named.name ? named : undefined);
  await using subject = await authority({}, { agentNamed });
  const { agent_id } = await granted(subject, request({ agentId: "builder" }));
  assert.equal(agent_id, named.id);
  assert.equal(await refusal(subject, request({ agentId: "deployer" })), "AGENT_NOT_REGISTERED");
  assert.equal(await refusal(subject, request({ agentId: "a\nb" })), "INVALID_REQUEST");
  await using empty = await authority();
  assert.equal(await refusal(empty, request({ agentId: "builder" })), "AGENT_NOT_REGISTERED");
});

Deno.test("issueCapability() denies actions that the issuance policies cannot judge", async () => {
  await using subject = await authority({
    issuance: {
      "issuance.cedar": `${PERMIT} forbid (principal, action, resource)
        when { context.action_count - 9223372036854775807 - 2 > 0 };`,
    },
  });
  assert.equal(await refusal(subject, request()), "CONTEXT_BUILD_FAILED");
});

Deno.test("issueCapability() follows edits of the issuance policies", async () => {
  await using subject = await authority();
  assert.equal(await refusal(subject, request()), "granted");
  await Deno.writeTextFile(`${subject.issuanceDir}/issuance.cedar`, FORBID);
  await eventually(
    "a refusal",
    async () => await refusal(subject, request()) === "NO_AUTHORIZED_ACTIONS" ? true : undefined,
  );
  await Deno.writeTextFile(`${subject.issuanceDir}/issuance.cedar`, "nonsense");
  await eventually("a notice", () => subject.notices.length > 0 ? true : undefined);
  assert.equal(await refusal(subject, request()), "NO_AUTHORIZED_ACTIONS");
  await Deno.remove(subject.issuanceDir, { recursive: true });
  await eventually(
    "no policies",
    async () => await refusal(subject, request()) === "NO_POLICIES" ? true : undefined,
  );
});

Deno.test("issueCapability() gives a session whose token is revoked no other", async () => {
  await using subject = await authority();
  const asked = request();
  const claims = await granted(subject, asked);
  await granted(subject, asked);
  await Deno.writeTextFile(subject.revocationFile, `${claims.token_id}\n`);
  await eventually(
    "a refusal",
    async () => await refusal(subject, asked) === "SESSION_REVOKED" ? true : undefined,
  );
  assert.equal(await refusal(subject, request()), "granted", "another session is not concerned");
});

Deno.test("watchRevocations() and watchPolicyBundle() start with what there is", async () => {
  await using subject = await authority();
  await using bundles = new Listener((signal) => subject.authority.watchPolicyBundle(signal));
  await using revocations = new Listener((signal) => subject.authority.watchRevocations(signal));
  await eventually("both", () => bundles.heard[0] && revocations.heard[0] ? true : undefined);
  assert.equal(bundles.heard[0]!.kind, "bundle");
  assert.deepEqual(revocations.heard[0], []);
});

Deno.test("open() says everything that is wrong", async () => {
  await using policies = await directory({ "dev.cedar": "nonsense" });
  await using issuance = await directory({});
  const opened = await LocalAuthority.open({
    policyDir: policies.path,
    issuancePolicyDir: issuance.path,
    openStore: () => MemoryStore.open({ revocationFile: policies.path, onNotice: () => {} }),
    maxTtlMs: 1000,
    bundleTtlMs: 1000,
    signingKey: { ...keyPair(), created: false },
  });
  assert.ok(!opened.ok);
  const codes = opened.error.map(({ code }) => code);
  assert.deepEqual(codes, ["POLICY_SYNTAX", "NO_POLICIES", "REVOCATIONS_UNREADABLE"]);
  assert.equal(opened.error[0]?.at?.file, `${policies.path}/dev.cedar`);
});
