import assert from "node:assert/strict";
import { unwrap } from "../../src/core/result.ts";
import { issueCertificate } from "../../src/pki/certificate_authority.ts";
import { certificates } from "../authority/service/certificates.ts";
import { AGENT, serve } from "../authority/service/support.ts";
import { eventually } from "../fixtures/deadline.ts";
import { type CurlAnswer, HOST, POLICY, Rig, type RigProject, type RigSession } from "./rig.ts";

type Served = Awaited<ReturnType<typeof serve>>;

/** A Sidecar whose Authority is `authority`; `lines` add to `[sidecar.authority]`. */
async function sidecarOf(
  authority: Pick<Served, "endpoint" | "key" | "stateDir">,
  lines = "",
  project: Pick<RigProject, "rules" | "more"> = {},
): Promise<Rig> {
  const publicKey = `${authority.stateDir}/authority.pub`;
  await Deno.writeTextFile(publicKey, `${authority.key.publicKey.toBase64()}\n`);
  return await Rig.start({
    ...project,
    agentId: AGENT,
    // What lies beside the project decides nothing.
    policy: "forbid (principal, action, resource);\n",
    authority: `url = "${authority.endpoint}"
public_key_path = "${publicKey}"
reconnect_min_backoff = "20ms"
reconnect_max_backoff = "200ms"
${lines}`,
  });
}

async function decides(session: RigSession, wanted: string): Promise<void> {
  await eventually(`calls to be decided as "${wanted}"`, async () => {
    const { status, reason } = await session.curl("/echo");
    return (wanted === "allowed" ? status === 200 : reason === wanted) || undefined;
  });
}

/** Opens a stream; the promise that is given is of its end. */
async function openStream(
  rig: Rig,
  session: RigSession,
  ...args: string[]
): Promise<{ end: Promise<CurlAnswer> }> {
  const streams = () => rig.upstream.seen.filter(({ path }) => path === "/sse").length;
  const before = streams();
  const end = session.curl("/sse", "--no-buffer", ...args);
  await eventually("the stream to begin", () => streams() > before || undefined);
  return { end };
}

const POLICIES = { "dev.cedar": POLICY };

Deno.test("a Sidecar decides by the policies of its Authority, and follows edits and revocations", async () => {
  await using tls = await certificates();
  const client = await tls.client("sidecar-1");
  await using authority = await serve({ policies: POLICIES, tls: tls.serverTls });
  await using rig = await sidecarOf(
    authority,
    `ca_cert_path = "${client.files.caPath}"
tls_client_cert_path = "${client.files.certPath}"
tls_client_key_path = "${client.files.keyPath}"`,
  );
  const session = await rig.session();
  await decides(session, "allowed");
  assert.equal((await session.curl("/echo", "--data", "x")).reason, "PolicyDenied");

  const policyFile = `${authority.policyDir}/dev.cedar`;
  await Deno.writeTextFile(policyFile, "forbid (principal, action, resource);\n");
  await decides(session, "PolicyDenied");
  await Deno.writeTextFile(policyFile, POLICY);
  await decides(session, "allowed");

  // The Sidecar comes back with the new certificate by itself, and the streams with it.
  const renewed = unwrap(
    await issueCertificate(tls.clientCa, {
      commonName: "sidecar-renewed",
      names: [],
      purpose: "client",
      days: 1,
    }),
  );
  await tls.authorize('[[authorized]]\ncn = "sidecar-renewed"\n');
  await client.write(renewed);
  await eventually(
    "the refusal of the old certificate",
    () => authority.log.some((line) => /sidecar-1/.test(line)) || undefined,
  );

  const stream = await openStream(rig, session);
  const other = await eventually(
    "another session, with the new certificate",
    () => rig.session().catch(() => undefined),
  );
  await Deno.writeTextFile(authority.revocationFile, `${session.tokenId}\n`);
  await decides(session, "TokenRevoked");
  await stream.end;
  await rig.event(
    "the outcome of the stream",
    (event) => event.kind === "outcome" && /revoked/.test(event.detail),
  );
  await decides(other, "allowed");
});

Deno.test("a Sidecar goes on without its Authority until the policies are stale, and no longer", async () => {
  await using authority = await serve({ policies: POLICIES, bundleTtlMs: 20_000 });
  await using rig = await sidecarOf(authority);
  const session = await rig.session();
  const stream = await openStream(rig, session);
  await authority.stop();
  assert.equal((await session.curl("/echo")).status, 200);
  assert.equal((await rig.control("POST", "/v1/sessions", {})).status, 400);
  await decides(session, "PolicyBundleStale");
  await stream.end;
  await rig.event(
    "the outcome of the stream",
    (event) => event.kind === "outcome" && /not renewed the policy bundle/.test(event.detail),
  );
  await assert.rejects(rig.session(), /AUTHORITY_UNAVAILABLE/);
  await authority.start();
  await decides(session, "allowed");
  await decides(await rig.session(), "allowed");
});

Deno.test("a Sidecar denies at once without its Authority's revocations, where it was told to", async () => {
  await using authority = await serve({ policies: POLICIES, bundleTtlMs: 120_000 });
  await using usual = await sidecarOf(authority);
  await using rig = await sidecarOf(
    authority,
    'revocation_fail_closed_on_disconnect = true\nrevocation_readiness_grace = "50ms"\n',
  );
  const [session, other] = [await rig.session(), await usual.session()];
  await decides(session, "allowed");
  const stream = await openStream(rig, session);
  await authority.stop();
  await decides(session, "RevocationCacheNotReady");
  await stream.end;
  assert.equal((await other.curl("/echo")).status, 200, "the control: one that was not told to");
  assert.equal(rig.notices(/revocations cannot be heard: every call is denied/).length, 1);

  // What was revoked meanwhile is revoked from the first call on.
  await Deno.writeTextFile(authority.revocationFile, `${session.tokenId}\n`);
  await authority.start();
  await decides(session, "TokenRevoked");
  await rig.event(
    "the denial",
    (event) => event.kind === "decision" && event.deny_reason === "TokenRevoked",
  );
  const reasons = (await rig.events()).flatMap((event) =>
    event.kind === "decision" ? [event.deny_reason] : []
  );
  const unheard = reasons.lastIndexOf("RevocationCacheNotReady");
  assert.deepEqual([...new Set(reasons.slice(unheard + 1))], ["TokenRevoked"]);
  await decides(await rig.session(), "allowed");
});

Deno.test("a Sidecar takes no bundle that its Authority has not signed, and asks another", async () => {
  await using impostor = await serve({ policies: POLICIES });
  await using authority = await serve({ policies: POLICIES, bundleTtlMs: 120_000 });
  await using rig = await sidecarOf(authority, `fallback_urls = ["${impostor.endpoint}"]`);
  const session = await rig.session();
  await authority.stop();
  const refused = await rig.event(
    "the refusal",
    (event) => event.kind === "policy" && event.change === "refused",
  );
  assert.match(String(Object(refused).detail), /signature is not the Authority's/);
  assert.equal((await session.curl("/echo")).status, 200, "the one before stays in force");
  await authority.start();
  await Deno.writeTextFile(`${authority.policyDir}/dev.cedar`, `${POLICY}// edited\n`);
  await rig.event(
    "the edit",
    (event) => event.kind === "policy" && event.change === "applied" && event.seq > refused.seq,
  );
});

Deno.test("a Sidecar does not start with a bundle that it cannot believe, or with none", async (t) => {
  await t.step("of another Authority", async () => {
    await using impostor = await serve({ policies: POLICIES });
    await using authority = await serve({ policies: POLICIES });
    await using rig = await sidecarOf({ ...authority, endpoint: impostor.endpoint });
    const fatal = rig.lines.find(({ type }) => type !== "notice");
    assert.deepEqual([fatal?.type, fatal?.error?.code], ["fatal", "POLICY_BUNDLE_INVALID"]);
  });
  await t.step("of nobody", async () => {
    await using authority = await serve({ policies: POLICIES });
    await authority.stop();
    await using rig = await sidecarOf(authority, 'connect_timeout = "1s"');
    const fatal = rig.lines.find(({ type }) => type !== "notice");
    assert.deepEqual([fatal?.type, fatal?.error?.code], ["fatal", "AUTHORITY_UNREACHABLE"]);
    assert.equal(rig.notices(/Cannot hear the Authority's policy bundles/).length, 1);
  });
});

Deno.test("a token is renewed only while the issuance policies permit it, and cuts streams when it ends", async () => {
  await using authority = await serve({ policies: POLICIES, maxTtlMs: 15_000 });
  await using rig = await sidecarOf(authority);
  const session = await rig.session();
  await decides(session, "allowed");
  const stream = await openStream(rig, session);
  const issuance = `${authority.issuanceDir}/issuance.cedar`;
  const permit = await Deno.readTextFile(issuance);
  await Deno.writeTextFile(issuance, "forbid (principal, action, resource);\n");
  await decides(session, "TokenExpired");
  await stream.end;
  await eventually("the notice", () => rig.notices(/is not renewed.*NO_AUTHORIZED_ACTIONS/)[0]);
  await Deno.writeTextFile(issuance, permit);
  await decides(session, "allowed");
});

const OPEN: Record<string, [Pick<RigProject, "rules" | "more">, ...string[]]> = {
  "a WebSocket": [
    { rules: `[[rules]]\nhost = "${HOST}"\naction_class = "code.read"\nwebsocket = true\n` },
    "--http1.1",
    ...["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"].flatMap((
      header,
    ) => ["--header", header]),
  ],
  "a tunnel that nobody looks into": [
    {
      rules: `[[rules]]\nhost = "${HOST}"\nmethod = "CONNECT"\naction_class = "code.read"\n`,
      more: `[sidecar.interceptor.https_mitm]\nbypass_hosts = ["${HOST}"]\n`,
    },
    "--insecure",
  ],
};

for (const [name, [project, ...args]] of Object.entries(OPEN)) {
  Deno.test(`a revocation at the Authority cuts off ${name}`, async () => {
    await using authority = await serve({ policies: POLICIES });
    await using rig = await sidecarOf(authority, "", project);
    const [session, other] = [await rig.session(), await rig.session()];
    const [cut, kept] = [
      await openStream(rig, session, ...args),
      await openStream(rig, other, ...args),
    ];
    let isKept = true;
    void kept.end.then(() => isKept = false);
    await Deno.writeTextFile(authority.revocationFile, `${session.tokenId}\n`);
    assert.notEqual((await cut.end).code, 28, "it went on until curl gave up");
    await rig.event(
      "the outcome",
      (event) =>
        event.kind === "outcome" && event.session_id === session.id && /revoked/.test(event.detail),
    );
    assert.ok(isKept, "another session goes on");
    await rig.control("POST", `/v1/sessions/${other.id}/end`, {});
    await kept.end;
  });
}
