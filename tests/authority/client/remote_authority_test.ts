import assert from "node:assert/strict";
import type { BundleUpdate, Revocation } from "../../../src/core/authority.ts";
import { newId } from "../../../src/core/id.ts";
import { RemoteAuthority } from "../../../src/authority/client/remote_authority.ts";
import { verifyToken } from "../../../src/capability/token.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { keyPair } from "../../capability/support.ts";
import { content, FORBID, Listener, PERMIT } from "../support.ts";
import { request, serve } from "../service/support.ts";

async function inForce(heard: readonly BundleUpdate[], text: string): Promise<void> {
  await eventually(
    `the policies ${JSON.stringify(text)}`,
    () => content(heard.findLast(({ kind }) => kind !== "refused")) === text ? true : undefined,
  );
}

async function revoked(heard: readonly (readonly Revocation[])[], ids: readonly string[]) {
  await eventually(`the revocations ${ids}`, () => {
    const list = heard.at(-1)?.map(({ tokenId }) => tokenId);
    return JSON.stringify(list?.sort()) === JSON.stringify([...ids].sort()) ? true : undefined;
  });
}

Deno.test("issueCapability() brings a token from the Authority, or why there is none", async () => {
  await using authority = await serve();
  await using client = await authority.client();
  const asked = request();
  const answer = await client.remote.issueCapability(asked);
  if (!answer.granted) assert.fail(answer.denyMessage);
  const claims = await verifyToken(answer.token, await client.remote.publicKey());
  assert.ok(claims.ok);
  assert.equal(claims.value.session_id, asked.sessionId);
  assert.deepEqual(claims.value.resource_scope, asked.resourceScope);
  const ask = async (special: object) => {
    const answer = await client.remote.issueCapability({ ...request(), ...special });
    return answer.granted ? "granted" : answer.denyReason;
  };
  assert.equal(await ask({ agentId: newId("agt") }), "AGENT_NOT_REGISTERED");
  assert.equal(await ask({ requestedActions: [] }), "NO_ACTIONS");
  assert.equal(await ask({ requestedActions: ["code.everything"] }), "INVALID_REQUEST");
  await authority.stop();
  assert.equal(await ask({}), "AUTHORITY_UNAVAILABLE");
});

Deno.test("watchPolicyBundle() brings the bundle, edits, and refusals", async () => {
  await using authority = await serve();
  await using client = await authority.client();
  await using bundles = new Listener((signal) => client.remote.watchPolicyBundle(signal));
  await inForce(bundles.heard, PERMIT);
  await Deno.writeTextFile(`${authority.policyDir}/dev.cedar`, FORBID);
  await inForce(bundles.heard, FORBID);
  await Deno.writeTextFile(`${authority.policyDir}/dev.cedar`, "nonsense");
  const refused = await eventually("a refusal", () => {
    const update = bundles.heard.at(-1);
    return update?.kind === "refused" ? update : undefined;
  });
  assert.equal(refused.errors[0]!.code, "POLICY_SYNTAX");
  assert.deepEqual(refused.errors[0]!.at, { file: "dev.cedar", line: 1, column: 9 });
  await Deno.remove(authority.policyDir, { recursive: true });
  await eventually("the loss", () => bundles.heard.at(-1)?.kind === "gone" || undefined);
});

Deno.test("watchPolicyBundle() renews the bundle within its time to live", async () => {
  await using authority = await serve({ bundleTtlMs: 600 });
  await using client = await authority.client();
  await using bundles = new Listener((signal) => client.remote.watchPolicyBundle(signal));
  await eventually("three renewals", () => bundles.heard.length >= 4 || undefined);
  const revisions = new Set(
    bundles.heard.map((update) => update.kind === "bundle" && update.bundle.revision),
  );
  assert.equal(revisions.size, 1);
  assert.equal(content(bundles.heard.at(-1)), PERMIT);
});

Deno.test("watchRevocations() brings the list, additions and withdrawals", async () => {
  await using authority = await serve({ beatMs: 50 });
  const [a, b] = [newId("ctok"), newId("ctok")];
  await Deno.writeTextFile(authority.revocationFile, `${a}\t2030-01-01T00:00:00.000Z\tlost\n`);
  await using client = await authority.client();
  await using revocations = new Listener((signal) => client.remote.watchRevocations(signal));
  await revoked(revocations.heard, [a]);
  assert.deepEqual(revocations.heard.at(-1), [
    { tokenId: a, reason: "lost", timestamp: "2030-01-01T00:00:00.000Z" },
  ]);
  await Deno.writeTextFile(authority.revocationFile, `${b}\n`, { append: true });
  await revoked(revocations.heard, [a, b]);
  await Deno.writeTextFile(authority.revocationFile, `${b}\n`);
  await revoked(revocations.heard, [b]);
});

Deno.test("streams come back after the Authority does, with what changed meanwhile", async () => {
  await using authority = await serve();
  await using client = await authority.client();
  await using bundles = new Listener((signal) => client.remote.watchPolicyBundle(signal));
  await using revocations = new Listener((signal) => client.remote.watchRevocations(signal));
  await inForce(bundles.heard, PERMIT);
  await revoked(revocations.heard, []);
  const before = bundles.heard.at(-1);
  await authority.stop();
  await eventually("a notice", () => client.notices.length > 0 || undefined);
  const tokenId = newId("ctok");
  await Deno.writeTextFile(authority.revocationFile, `${tokenId}\n`);
  await Deno.writeTextFile(`${authority.policyDir}/dev.cedar`, FORBID);
  await authority.start();
  await inForce(bundles.heard, FORBID);
  await revoked(revocations.heard, [tokenId]);
  const after = bundles.heard.at(-1);
  assert.ok(before?.kind === "bundle" && after?.kind === "bundle");
  assert.ok(after.bundle.revision > before.bundle.revision);
});

Deno.test("streams say nothing before the Authority does", async () => {
  await using authority = await serve();
  await authority.stop();
  await using client = await authority.client();
  await using bundles = new Listener((signal) => client.remote.watchPolicyBundle(signal));
  await using revocations = new Listener((signal) => client.remote.watchRevocations(signal));
  await eventually("both notices", () => client.notices.length >= 2 || undefined);
  assert.deepEqual([bundles.heard, revocations.heard], [[], []]);
  await authority.start();
  await inForce(bundles.heard, PERMIT);
  await revoked(revocations.heard, []);
});

Deno.test("watchPolicyBundle() takes no bundle that another key has signed", async () => {
  await using authority = await serve();
  const opened = await RemoteAuthority.open({
    endpoints: [authority.endpoint],
    publicKey: keyPair().publicKey,
  });
  assert.ok(opened.ok);
  const remote = opened.value;
  await using bundles = new Listener((signal) => remote.watchPolicyBundle(signal));
  const first = await eventually("an update", () => bundles.heard[0]);
  assert.ok(first.kind === "refused");
  assert.equal(first.errors[0]!.code, "POLICY_BUNDLE_INVALID");
  await remote.close();
});

Deno.test("a client goes to the next endpoint when one does not answer", async () => {
  await using authority = await serve();
  await using client = await authority.client({
    endpoints: [`unix://${authority.stateDir}/nobody.sock`, authority.endpoint],
  });
  const answer = await client.remote.issueCapability(request());
  assert.ok(answer.granted);
  await using bundles = new Listener((signal) => client.remote.watchPolicyBundle(signal));
  await inForce(bundles.heard, PERMIT);
});

Deno.test("open() refuses endpoints that would not be private", async (t) => {
  const cases: Record<string, string> = {
    "plain TCP": "http://127.0.0.1:9443",
    "no certificate": "https://127.0.0.1:9443",
    "a relative socket": "unix://run/authority.sock",
    "a path": "https://127.0.0.1:9443/x",
  };
  for (const [name, endpoint] of Object.entries(cases)) {
    await t.step(name, async () => {
      const opened = await RemoteAuthority.open({
        endpoints: [endpoint],
        publicKey: keyPair().publicKey,
      });
      assert.ok(!opened.ok);
      assert.equal(opened.error.code, "AUTHORITY_ENDPOINT_INVALID");
    });
  }
});
