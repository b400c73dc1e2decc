import assert from "node:assert/strict";
import { Relay } from "../../../src/authority/client/relay.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { Listener } from "../support.ts";
import { certificates } from "../service/certificates.ts";
import { request, serve } from "../service/support.ts";

/** Nobody listens there. */
const ELSEWHERE = "https://localhost:9443";

Deno.test("connectAddr is where an Authority is, whose certificate still has to be for its name", async () => {
  await using pki = await certificates();
  await using authority = await serve({ tls: pki.serverTls });
  const { files: tls } = await pki.client("sidecar-1");
  const connectAddr = { hostname: "127.0.0.1", port: authority.port };
  {
    await using client = await authority.client({ tls, endpoints: [ELSEWHERE], connectAddr });
    assert.ok((await client.remote.issueCapability(request())).granted);
    await using bundles = new Listener((signal) => client.remote.watchPolicyBundle(signal));
    await eventually("a bundle", () => bundles.heard[0]?.kind === "bundle" || undefined);
    // It is found again after it was away.
    await authority.stop();
    await eventually("the loss", () => client.notices.length > 0 || undefined);
    await authority.start();
    await eventually("the return", () => bundles.heard.length > 1 || undefined);
  }
  await using direct = await authority.client({ tls, endpoints: [ELSEWHERE] });
  assert.ok(!(await direct.remote.issueCapability(request())).granted, "the control");
  await using other = await authority.client({
    tls,
    endpoints: ["https://authority.invalid:9443"],
    connectAddr,
  });
  const answer = await other.remote.issueCapability(request());
  assert.ok(!answer.granted);
  assert.match(answer.denyMessage, /certificate/i);
});

Deno.test("fallback endpoints are where their names say", async () => {
  await using pki = await certificates();
  await using authority = await serve({ tls: pki.serverTls });
  const { files: tls } = await pki.client("sidecar-1");
  await using client = await authority.client({
    tls,
    endpoints: [ELSEWHERE, authority.endpoint],
    connectAddr: { hostname: "127.0.0.1", port: 9 },
  });
  assert.ok((await client.remote.issueCapability(request())).granted);
});

Deno.test("variables that exempt hosts from proxies change nothing of the way to an Authority", async () => {
  await using pki = await certificates();
  const { files: tls } = await pki.client("sidecar-1");
  await using remote = await serve({ tls: pki.serverTls });
  await using local = await serve();
  const names = ["NO_PROXY", "no_proxy"];
  const before = names.map((name) => Deno.env.get(name));
  try {
    for (const name of names) Deno.env.set(name, "*");
    const connectAddr = { hostname: "127.0.0.1", port: remote.port };
    await using far = await remote.client({ tls, endpoints: [ELSEWHERE], connectAddr });
    await using near = await local.client();
    for (const client of [far, near]) {
      const answer = await client.remote.issueCapability(request());
      assert.ok(answer.granted, JSON.stringify(answer));
    }
    assert.equal(Deno.env.get("NO_PROXY"), "*", "everything else has its variables");
  } finally {
    names.forEach((name, i) =>
      before[i] === undefined ? Deno.env.delete(name) : Deno.env.set(name, before[i])
    );
  }
});

Deno.test("Relay lets nobody through who has not its password", async (t) => {
  using target = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let reached = 0;
  const accepting = (async () => {
    for await (const conn of target) {
      reached++;
      await conn.readable.pipeTo(conn.writable).catch(() => {});
    }
  })();
  const relay = new Relay({ hostname: "127.0.0.1", port: target.addr.port });
  const { url, basicAuth } = relay.proxy as Deno.Proxy & {
    readonly url: string;
    readonly basicAuth: Deno.BasicAuth;
  };
  const right = `Proxy-Authorization: Basic ${
    btoa(`${basicAuth.username}:${basicAuth.password}`)
  }\r\n`;
  const ask = async (head: string, then?: string) => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
    await conn.write(new TextEncoder().encode(head));
    const buffer = new Uint8Array(1024);
    const status = new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
    if (then === undefined) return status.split("\r\n")[0]!;
    await conn.write(new TextEncoder().encode(then));
    return new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
  };
  const cases: Record<string, [string, string]> = {
    "no password": ["CONNECT a:1 HTTP/1.1\r\n\r\n", "HTTP/1.1 407 Proxy Authentication Required"],
    "a wrong one": [
      `CONNECT a:1 HTTP/1.1\r\nProxy-Authorization: Basic ${btoa("firma:x")}\r\n\r\n`,
      "HTTP/1.1 407 Proxy Authentication Required",
    ],
    "another method": [
      `GET / HTTP/1.1\r\n${right}\r\n`,
      "HTTP/1.1 407 Proxy Authentication Required",
    ],
    "more than a request": [`CONNECT a:1 HTTP/1.1\r\n${right}x: ${"y".repeat(9000)}\r\n\r\n`, ""],
  };
  for (const [name, [head, expected]] of Object.entries(cases)) {
    await t.step(name, async () => assert.equal(await ask(head).catch(() => ""), expected));
  }
  assert.equal(reached, 0);
  assert.equal(await ask(`CONNECT a:1 HTTP/1.1\r\n${right}\r\n`, "hello"), "hello", "the control");
  relay.close();
  target.close();
  await accepting.catch(() => {});
});
