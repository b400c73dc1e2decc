import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { startUpstream, type TestUpstream } from "../../fixtures/upstream.ts";
import { eventually, type Harness, startHarness } from "./_harness.ts";
import { openRaw, openTlsTunnel, type RawConnection } from "./_raw.ts";

/** Runs a test with a fresh upstream and transport. */
function withHarness(
  name: string,
  run: (harness: Harness, upstream: TestUpstream) => Promise<void>,
): void {
  Deno.test(name, async () => {
    const upstream = await startUpstream("api.test");
    try {
      await using harness = await startHarness(upstream, { timeouts: { headMs: 1_000 } });
      await run(harness, upstream);
    } finally {
      await upstream.close();
    }
  });
}

const UPGRADE = "GET /socket HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\n" +
  "Upgrade: websocket\r\nSec-WebSocket-Key: dGVzdA==\r\nSec-WebSocket-Version: 13\r\n\r\n";

async function openWebSocket(harness: Harness): Promise<RawConnection> {
  const raw = await openTlsTunnel(harness, "api.test");
  await raw.write(UPGRADE);
  const head = await raw.until("\r\n\r\n");
  assert.match(head, /^HTTP\/1.1 101 /);
  assert.match(head, /\r\nConnection: Upgrade\r\n/);
  assert.match(head, /\r\nUpgrade: websocket\r\n/);
  assert.match(head, /\r\nSec-WebSocket-Accept: test\r\n/);
  return raw;
}

withHarness(
  "transport relays a WebSocket both ways and passes on its end",
  async (harness, upstream) => {
    await using raw = await openWebSocket(harness);
    await raw.write("\x81\x05hello");
    assert.equal(await raw.take(7), "\x81\x05hello");
    await raw.conn.closeWrite();
    assert.equal(await raw.rest(), "bye");
    await eventually(() => harness.gate.outcomes.length === 1, "the outcome");
    const [outcome] = harness.gate.outcomes;
    assert.equal(outcome?.status, 101);
    assert.equal(outcome?.requestBytes, 7);
    assert.equal(outcome?.responseBytes, 10);
    assert.equal(outcome?.detail, "");
    assert.equal(upstream.seen[0]?.version, "1.1");
    assert.ok(upstream.seen[0].rawHeaders.includes("dGVzdA=="));
  },
);

withHarness(
  "transport relays a WebSocket with more than it may hold in memory",
  async (harness) => {
    await using raw = await openWebSocket(harness);
    const size = 30_000_000;
    const piece = crypto.getRandomValues(new Uint8Array(60_000));
    const sent = createHash("sha256");
    const received = createHash("sha256");
    const writing = (async () => {
      for (let left = size; left > 0; left -= piece.length) {
        sent.update(piece);
        await raw.write(piece);
      }
    })();
    const space = new Uint8Array(65_536);
    for (let got = 0; got < size;) {
      const count = await raw.conn.read(space);
      assert.ok(count !== null);
      received.update(space.subarray(0, count));
      got += count;
    }
    await writing;
    assert.equal(received.digest("hex"), sent.digest("hex"));
  },
);

withHarness("transport breaks a WebSocket off that a later decision closes", async (harness) => {
  await using raw = await openWebSocket(harness);
  harness.gate.revoke.abort();
  assert.equal(await raw.rest(), "");
  await eventually(() => harness.gate.outcomes.length === 1, "the outcome");
  assert.equal(harness.gate.outcomes[0]!.detail, "closed by a later decision");
});

withHarness("transport ends a WebSocket whose client has gone", async (harness) => {
  const raw = await openWebSocket(harness);
  raw.conn.close();
  await eventually(() => harness.gate.outcomes.length === 1, "the outcome");
});

withHarness("transport denies a WebSocket like any other call", async (harness, upstream) => {
  harness.gate.decideWith = () => harness.gate.deny();
  await using raw = await openTlsTunnel(harness, "api.test");
  await raw.write(UPGRADE);
  assert.equal((await raw.response()).status, 403);
  harness.gate.decideWith = () => undefined;
  await raw.write("GET /status/200 HTTP/1.1\r\nHost: api.test\r\n\r\n");
  assert.equal((await raw.response()).status, 200);
  assert.deepEqual(upstream.seen.map(({ path }) => path), ["/status/200"]);
});

withHarness("transport hands on a refusal to switch to WebSocket", async (harness) => {
  harness.gate.decideWith = (input) => {
    const verdict = harness.gate.allow(input);
    if (verdict.kind !== "forward") return verdict;
    return { ...verdict, call: { ...verdict.call, path: "/status/426" } };
  };
  await using raw = await openTlsTunnel(harness, "api.test");
  // The test server answers each upgrade with 101, so this one does not look like one to it.
  await raw.write(UPGRADE.replace("Upgrade: websocket", "Upgrade: other"));
  assert.equal((await raw.response()).status, 426);
});

/** Has CONNECT answered with a blind tunnel to the TLS server. */
function bypass(harness: Harness, upstream: TestUpstream): void {
  harness.gate.connectWith = (host, port) => ({
    kind: "tunnel",
    eventId: "tunnel",
    route: {
      host,
      port,
      tls: true,
      connectAddr: { hostname: "127.0.0.1", port: upstream.tlsPort },
    },
    signal: harness.gate.revoke.signal,
  });
}

async function curlThrough(harness: Harness, upstream: TestUpstream, ...args: string[]) {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, upstream.caPem);
  try {
    return await harness.curl("--cacert", file, ...args);
  } finally {
    await Deno.remove(file);
  }
}

withHarness("transport tunnels blindly what the gate says", async (harness, upstream) => {
  bypass(harness, upstream);
  const output = await curlThrough(harness, upstream, "https://api.test/status/200");
  assert.equal(output.stdout, "status 200");
  assert.equal(harness.gate.calls.length, 0, "nobody looked into it");
  await eventually(() => harness.gate.outcomes.length === 1, "the outcome");
  const [outcome] = harness.gate.outcomes;
  assert.equal(outcome?.eventId, "tunnel");
  assert.equal(outcome?.status, 200);
  assert.ok(outcome.requestBytes > 100 && outcome.responseBytes > 100);
});

withHarness("transport carries large bodies through a blind tunnel", async (harness, upstream) => {
  bypass(harness, upstream);
  const output = await curlThrough(
    harness,
    upstream,
    ...["-w", "%{size_download}", "-o", "/dev/null", "https://api.test/bytes/30000000"],
  );
  assert.equal(output.stdout, "30000000");
});

const NOT_TUNNELLED: Readonly<Record<string, Uint8Array>> = {
  "plain HTTP": Buffer.from("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n"),
  "another protocol": Buffer.from([0, 1, 2, 3]),
  "nothing at all": Buffer.alloc(0),
};

for (const [what, bytes] of Object.entries(NOT_TUNNELLED)) {
  withHarness(`transport does not tunnel ${what} blindly`, async (harness, upstream) => {
    bypass(harness, upstream);
    await using raw = await openRaw(harness);
    await raw.write("CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n");
    await raw.until("\r\n\r\n");
    if (bytes.length > 0) await raw.write(bytes);
    assert.equal(await raw.rest(), "");
    assert.equal(harness.gate.refusals.length, 1);
    await eventually(() => harness.gate.outcomes.length === 1, "the outcome");
    assert.equal(harness.gate.outcomes[0]!.requestBytes, 0);
    assert.equal(upstream.seen.length, 0);
  });
}

withHarness(
  "transport does not tunnel to another server name than the one decided on",
  async (harness, upstream) => {
    bypass(harness, upstream);
    await assert.rejects(openTlsTunnel(harness, "api.test", { sni: "evil.test" }));
    assert.match(harness.gate.refusals[0]!.detail, /server name "evil.test"/);
    await eventually(() => harness.gate.outcomes.length === 1, "the outcome");
  },
);

withHarness(
  "transport breaks a tunnel off that a later decision closes",
  async (harness, upstream) => {
    bypass(harness, upstream);
    const running = curlThrough(harness, upstream, "-N", "https://api.test/sse");
    await eventually(() => upstream.seen.length === 1, "the request");
    harness.gate.revoke.abort();
    assert.notEqual((await running).code, 0);
    await eventually(() => harness.gate.outcomes.length === 1, "the outcome");
    assert.equal(harness.gate.outcomes[0]!.detail, "closed by a later decision");
  },
);

withHarness("transport answers 502 to a tunnel that cannot be made", async (harness) => {
  const route = { host: "api.test", port: 443, tls: true };
  harness.gate.connectWith = () => ({
    kind: "tunnel",
    eventId: "tunnel",
    route: { ...route, connectAddr: { hostname: "127.0.0.1", port: 1 } },
    signal: harness.gate.revoke.signal,
  });
  await using raw = await openRaw(harness);
  await raw.write("CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n");
  assert.equal((await raw.response()).status, 502);
  await eventually(() => harness.gate.outcomes.length === 1, "the outcome");
  assert.equal(harness.gate.outcomes[0]!.abortReason, "CONNECTOR_FAILURE");
});
