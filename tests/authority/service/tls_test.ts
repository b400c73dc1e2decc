import assert from "node:assert/strict";
import { newId } from "../../../src/core/id.ts";
import { unwrap } from "../../../src/core/result.ts";
import { AuthorityServer } from "../../../src/authority/service/service.ts";
import { createAuthority } from "../../../src/pki/certificate_authority.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { authority as core, Listener } from "../support.ts";
import { certificates } from "./certificates.ts";
import { AGENT, request, serve } from "./support.ts";

Deno.test("a client on the list is served over mutual TLS", async () => {
  await using pki = await certificates();
  await using authority = await serve({ tls: pki.serverTls });
  await using client = await authority.client({ tls: (await pki.client("sidecar-1")).files });
  const answer = await client.remote.issueCapability(request());
  if (!answer.granted) assert.fail(answer.denyMessage);
  await using bundles = new Listener((signal) => client.remote.watchPolicyBundle(signal));
  await eventually("a bundle", () => bundles.heard[0]?.kind === "bundle" || undefined);
});

Deno.test("a client that is not on the list is refused, logged, and concerns nobody else", async (t) => {
  await using pki = await certificates();
  await using authority = await serve({ tls: pki.serverTls });
  await using good = await authority.client({ tls: (await pki.client("sidecar-1")).files });
  await using bundles = new Listener((signal) => good.remote.watchPolicyBundle(signal));
  await eventually("a bundle", () => bundles.heard.length > 0 || undefined);
  const otherCa = unwrap(await createAuthority("Client CA", 10));
  const revoked = await pki.client("sidecar-1");
  await pki.authorize(
    `[[authorized]]\ncn = "sidecar-1"\n[[revoked]]\nfingerprint = "${revoked.fingerprint}"\n`,
  );
  await eventually(
    "the list",
    () => authority.log.some((line) => /1 entries/.test(line)) || undefined,
  );
  const cases: Record<string, [Awaited<ReturnType<typeof pki.client>>, RegExp]> = {
    "not listed": [await pki.client("sidecar-2"), /"sidecar-2" is not on the list/],
    "of another authority of the same name": [
      await pki.client("sidecar-1", { ca: otherCa }),
      /of another authority/,
    ],
    "expired": [await pki.client("sidecar-1", { ageDays: 3 }), /has expired/],
    "a server's": [await pki.client("sidecar-1", { purpose: "server" }), /not one for clients/],
    "revoked": [revoked, /"sidecar-1" is revoked/],
  };
  for (const [name, [{ files }, reason]] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using client = await authority.client({ tls: files });
      const answer = await client.remote.issueCapability(request());
      assert.ok(!answer.granted);
      assert.equal(answer.denyReason, "AUTHORITY_UNAVAILABLE");
      await eventually(
        "the reason in the log",
        () =>
          authority.log.some((line) => reason.test(line) && /127\.0\.0\.1/.test(line)) || undefined,
      );
    });
  }
  await t.step("without a certificate", async () => {
    const http = Deno.createHttpClient({
      caCerts: [await Deno.readTextFile(`${pki.path}/roots.crt`)],
    });
    const url = `${authority.endpoint}/firma.v1.AuthorityService/IssueCapability`;
    const ask = async () =>
      (await fetch(url, {
        client: http,
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      })).text();
    await assert.rejects(ask());
    http.close();
    await eventually(
      "the reason in the log",
      () => authority.log.some((line) => /sent no certificate/.test(line)) || undefined,
    );
  });
  assert.ok((await good.remote.issueCapability(request())).granted);
  assert.equal(good.notices.length, 0, "its stream went on");
});

Deno.test("a client that is taken off the list is disconnected at once, and others are not", async () => {
  await using pki = await certificates();
  const [first, second] = [await pki.client("sidecar-1"), await pki.client("sidecar-2")];
  await pki.authorize('[[authorized]]\ncn = "sidecar-1"\n[[authorized]]\ncn = "sidecar-2"\n');
  await using authority = await serve({ tls: pki.serverTls });
  await using stays = await authority.client({ tls: first.files });
  await using goes = await authority.client({ tls: second.files });
  await using staying = new Listener((signal) => stays.remote.watchPolicyBundle(signal));
  await using going = new Listener((signal) => goes.remote.watchPolicyBundle(signal));
  await eventually("both", () => staying.heard[0] && going.heard[0] ? true : undefined);
  await pki.authorize('[[authorized]]\ncn = "sidecar-1"\n');
  await eventually("the disconnection", () => goes.notices.length > 0 || undefined);
  assert.ok(!(await goes.remote.issueCapability(request())).granted);
  assert.ok((await stays.remote.issueCapability(request())).granted);
  assert.equal(stays.notices.length, 0);

  // A mistake changes nothing; putting it back lets it in again.
  await pki.authorize("[[authorised]]\n");
  await eventually(
    "the mistake in the log",
    () => authority.log.some((line) => /authorised.*stays in force/.test(line)) || undefined,
  );
  assert.ok((await stays.remote.issueCapability(request())).granted);
  await pki.authorize('[[authorized]]\ncn = "sidecar-2"\n');
  await eventually(
    "the readmission",
    async () => (await goes.remote.issueCapability(request())).granted || undefined,
  );
});

Deno.test("a client gets tokens only for the agents that the list names", async () => {
  await using pki = await certificates();
  await pki.authorize(`[[authorized]]\ncn = "sidecar-1"\nagents = ["${newId("agt")}"]\n`);
  await using authority = await serve({ tls: pki.serverTls });
  await using client = await authority.client({ tls: (await pki.client("sidecar-1")).files });
  const refused = await client.remote.issueCapability(request());
  assert.ok(!refused.granted);
  assert.equal(refused.denyReason, "AGENT_NOT_PERMITTED");
  // Attack: by its name, an agent that the list keeps from this client; and names tried out.
  for (const agentId of ["agent", "nobody"]) {
    const named = await client.remote.issueCapability({ ...request(), agentId });
    assert.ok(!named.granted && named.denyReason === "AGENT_NOT_PERMITTED", agentId);
  }
  await pki.authorize(`[[authorized]]\ncn = "sidecar-1"\nagents = ["${AGENT}"]\n`);
  await eventually(
    "the permission",
    async () => (await client.remote.issueCapability(request())).granted || undefined,
  );
  assert.ok((await client.remote.issueCapability({ ...request(), agentId: "agent" })).granted);
});

Deno.test("certificates of both sides are exchanged without a restart", async () => {
  await using pki = await certificates();
  await using authority = await serve({ tls: pki.serverTls });
  const own = await pki.client("sidecar-1");
  await using client = await authority.client({ tls: own.files });
  assert.ok((await client.remote.issueCapability(request())).granted);
  await pki.renewServer();
  await eventually(
    "the server's",
    () => authority.log.some((line) => /New certificates/.test(line)) || undefined,
  );
  await using fresh = await authority.client({ tls: own.files });
  assert.ok((await fresh.remote.issueCapability(request())).granted);

  // A client's new certificate is used as soon as it is there: only it is on the list.
  const renewed = await pki.client("sidecar-9");
  await pki.authorize(`[[authorized]]\nfingerprint = "${renewed.fingerprint}"\n`);
  await eventually(
    "the refusal",
    async () => !(await client.remote.issueCapability(request())).granted || undefined,
  );
  await Deno.copyFile(renewed.files.keyPath, own.files.keyPath);
  await Deno.copyFile(renewed.files.certPath, own.files.certPath);
  await eventually(
    "the new certificate in use",
    async () => (await client.remote.issueCapability(request())).granted || undefined,
  );
});

Deno.test("start() refuses to listen without everything that mutual TLS needs", async (t) => {
  await using pki = await certificates();
  await using subject = await core();
  const start = async (tls: typeof pki.serverTls | undefined) => {
    const server = await AuthorityServer.start({
      authority: subject.authority,
      signingKey: { ...subject.key, created: false },
      listen: { kind: "tcp", hostname: "127.0.0.1", port: 0 },
      tls,
      report: () => {},
    });
    if (!server.ok) return server.error.map(({ code, message }) => `${code} ${message}`).join("\n");
    await server.value.close();
    return "started";
  };
  assert.equal(await start(pki.serverTls), "started");
  assert.match(await start(undefined), /^TLS_REQUIRED/);
  const wrong: Record<string, [Partial<typeof pki.serverTls>, RegExp]> = {
    "no certificate": [{ certPath: `${pki.path}/none` }, /^FILE_MISSING .*server certificate/],
    "no key": [{ keyPath: `${pki.path}/none` }, /^KEY_MISSING/],
    "another key": [{ keyPath: `${pki.path}/clients.key` }, /not the key of the certificate/],
    "a leaf for an authority": [
      { clientCaPath: `${pki.path}/server.crt` },
      /not a certificate aut/,
    ],
    "no list": [{ authorizedClientsPath: `${pki.path}/none` }, /^FILE_MISSING .*list of clients/],
    "no list at all": [{ authorizedClientsPath: `${pki.path}/server.crt` }, /^TOML_SYNTAX/],
  };
  for (const [name, [special, expected]] of Object.entries(wrong)) {
    await t.step(name, async () => {
      assert.match(await start({ ...pki.serverTls, ...special }), expected);
    });
  }
  await t.step("a key that others can read", async () => {
    await Deno.chmod(pki.serverTls.keyPath, 0o644);
    assert.match(await start(pki.serverTls), /^KEY_INSECURE/);
    await Deno.chmod(pki.serverTls.keyPath, 0o600);
  });
  await t.step("an expired certificate", async () => {
    await pki.renewServer(Date.now() - 3 * 24 * 3_600_000);
    assert.match(await start(pki.serverTls), /has expired/);
  });
});
