import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { startUpstream, type TestUpstream } from "../../fixtures/upstream.ts";
import { eventually, type Harness, proxyHeader, startHarness } from "./_harness.ts";
import { openPlainTunnel, openRaw, openTlsTunnel, RawConnection } from "./_raw.ts";

const FAST = { headMs: 300 };

/** Runs a test with a fresh upstream and transport. */
function withHarness(
  name: string,
  run: (harness: Harness, upstream: TestUpstream) => Promise<void>,
): void {
  Deno.test(name, async () => {
    const upstream = await startUpstream("api.test");
    try {
      await using harness = await startHarness(upstream, { timeouts: FAST });
      await run(harness, upstream);
    } finally {
      await upstream.close();
    }
  });
}

function connectRequest(authority: string, more = ""): string {
  return `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${more}\r\n`;
}

/** The first bytes that a TLS client would send, with any server name. */
async function clientHello(serverName: string): Promise<Buffer> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const server = await accepted;
  const tls = await Deno.startTls(conn, { hostname: serverName });
  const handshake = tls.handshake().catch(() => {});
  const space = Buffer.alloc(16_384);
  const size = await server.read(space);
  server.close();
  await handshake;
  tls.close();
  listener.close();
  return space.subarray(0, size ?? 0);
}

const NOT_A_HEADER: Readonly<Record<string, Uint8Array>> = {
  "an HTTP request": Buffer.from("GET / HTTP/1.1\r\nHost: api.test\r\n\r\n"),
  "a PROXY header of version 1": Buffer.from("PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"),
  "the LOCAL command": (() => {
    const header = proxyHeader();
    header[12] = 0x20;
    return header;
  })(),
  "an unknown way of capture": proxyHeader({ via: "magic" }),
  "a process id that is no number": proxyHeader({ pid: "1; rm" }),
  "random bytes": crypto.getRandomValues(new Uint8Array(1_000)),
};

for (const [what, bytes] of Object.entries(NOT_A_HEADER)) {
  withHarness(`front refuses a connection that begins with ${what}`, async (harness) => {
    await using raw = new RawConnection(await harness.connect());
    await raw.write(bytes);
    assert.equal(await raw.rest(), "");
    assert.equal(harness.gate.refusals.length, 1);
    assert.match(harness.gate.refusals[0]!.detail, /^PROXY header: /);
  });
}

withHarness("front refuses a PROXY header that does not come to its end", async (harness) => {
  await using raw = new RawConnection(await harness.connect());
  await raw.write(proxyHeader().subarray(0, 20));
  assert.equal(await raw.rest(), "");
  assert.match(harness.gate.refusals[0]!.detail, /did not come in time/);
});

// Attack: an agent that says behind the bridge's header what only the bridge may say.
withHarness("front takes no second PROXY header, and attributes by the first", async (harness) => {
  const forged = proxyHeader({ pid: "1", executable: "/usr/bin/trusted", name: "other.test" });
  for (const rest of ["", "GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n"]) {
    await using raw = await openRaw(harness, { pid: "4242", executable: "/usr/bin/agent" });
    await raw.write(Buffer.concat([forged, Buffer.from(rest)]));
    assert.doesNotMatch(await raw.rest(), /HTTP\/1\.1 200/);
  }
  assert.equal(harness.gate.calls.length, 0);
  await using raw = await openRaw(harness, { pid: "4242", executable: "/usr/bin/agent" });
  await raw.write("GET http://api.test/echo HTTP/1.1\r\nHost: api.test\r\n\r\n");
  assert.equal((await raw.response()).status, 200);
  const { provenance } = harness.gate.calls[0]!.peer;
  assert.deepEqual(provenance, { pid: 4242, executable: "/usr/bin/agent", via: "proxy" });
});

// Attack: the name and password of another session, or a claim to be somebody.
withHarness(
  "front goes by the socket, whatever an agent claims of itself",
  async (harness, upstream) => {
    const claims = "Proxy-Authorization: Basic c2VzX290aGVyOnNlY3JldA==\r\n" +
      "X-Firma-Session-Id: ses_other\r\nX-Firma-Agent-Id: agt_other\r\n";
    await using raw = await openRaw(harness);
    await raw.write(`GET http://api.test/one HTTP/1.1\r\nHost: api.test\r\n${claims}\r\n`);
    assert.equal((await raw.response()).status, 200);
    await raw.write(connectRequest("api.test:80", claims));
    await raw.until("\r\n\r\n");
    await raw.write(`GET /two HTTP/1.1\r\nHost: api.test\r\n${claims}\r\n`);
    assert.equal((await raw.response()).status, 200);
    assert.deepEqual(harness.gate.calls.map(({ peer }) => peer.sessionId), [
      "ses_test",
      "ses_test",
    ]);
    assert.doesNotMatch(JSON.stringify(upstream.seen), /x-firma|proxy-auth|ses_other/i);
  },
);

withHarness("front tells the gate who made a connection", async (harness) => {
  const port = harness.bridge({ pid: "4242", executable: "/usr/bin/curl" });
  const output = await new Deno.Command("curl", {
    args: [
      "-sS",
      "--proxy",
      `http://127.0.0.1:${port}`,
      "--cacert",
      harness.caFile,
      "https://api.test/echo",
    ],
  }).output();
  assert.equal(output.code, 0);
  const provenance = { via: "proxy", pid: 4242, executable: "/usr/bin/curl" };
  assert.deepEqual(harness.gate.connects, [{
    peer: { sessionId: "ses_test", provenance },
    host: "api.test",
    port: 443,
  }]);
  const [call] = harness.gate.calls;
  assert.deepEqual(call?.peer, { sessionId: "ses_test", provenance });
  assert.deepEqual(call?.tunnel, { connectHost: "api.test", connectPort: 443, sni: "api.test" });
});

withHarness("front serves a client that sends one byte at a time", async (harness, upstream) => {
  await using raw = new RawConnection(await harness.connect());
  const request =
    "GET http://api.test/echo HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n";
  for (const byte of Buffer.concat([proxyHeader(), Buffer.from(request)])) {
    await raw.write(Buffer.from([byte]));
  }
  assert.match(await raw.rest(), /^HTTP\/1.1 200 /);
  assert.equal(upstream.seen.length, 1);
});

withHarness(
  "front reads a ClientHello that is split over records and segments",
  async (harness) => {
    const hello = await clientHello("api.test");
    const body = hello.subarray(5);
    const cut = 20;
    const record = (part: Buffer) =>
      Buffer.concat([Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part]);
    const split = Buffer.concat([record(body.subarray(0, cut)), record(body.subarray(cut))]);
    await using raw = await openRaw(harness);
    await raw.write(connectRequest("api.test:443"));
    await raw.until("\r\n\r\n");
    for (let at = 0; at < split.length; at += 7) await raw.write(split.subarray(at, at + 7));
    // A ServerHello: the handshake went on.
    assert.equal((await raw.take(1)).charCodeAt(0), 22);
    assert.equal(harness.gate.refusals.length, 0);
  },
);

withHarness("front refuses a server name unlike the CONNECT host", async (harness, upstream) => {
  await assert.rejects(openTlsTunnel(harness, "api.test", { sni: "evil.test" }));
  assert.match(harness.gate.refusals[0]!.detail, /server name "evil.test" is not the host/);
  assert.equal(upstream.seen.length, 0);
  await using raw = await openTlsTunnel(harness, "api.test", { sni: "API.test" });
  await raw.write("GET /echo HTTP/1.1\r\nHost: api.test\r\n\r\n");
  assert.equal((await raw.response()).status, 200);
});

const BAD_CONNECTS: Readonly<Record<string, string>> = {
  "without a port": connectRequest("api.test"),
  "with port 0": connectRequest("api.test:0"),
  "with a port beyond 65535": connectRequest("api.test:65536"),
  "with user information": connectRequest("user@api.test:443"),
  "with a path": connectRequest("api.test:443/x"),
  "with a whole URL": connectRequest("https://api.test:443"),
  "with an empty host": connectRequest(":443"),
  "with a body": connectRequest("api.test:443", "Content-Length: 3\r\n") + "abc",
  "with chunks": connectRequest("api.test:443", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n",
  "with a head of 9 KiB": connectRequest("api.test:443", `X-Fill: ${"a".repeat(9_000)}\r\n`),
};

for (const [what, bytes] of Object.entries(BAD_CONNECTS)) {
  withHarness(`front refuses a CONNECT ${what}`, async (harness) => {
    await using raw = await openRaw(harness);
    await raw.write(bytes);
    assert.match(await raw.rest(), /^HTTP\/1.1 403 /);
    assert.equal(harness.gate.refusals.length, 1);
    assert.equal(harness.gate.connects.length, 0);
  });
}

const NOT_CARRIED: Readonly<Record<string, string | Uint8Array>> = {
  "an SSH greeting with a NUL": "\0SSH-2.0-x\r\n",
  "random bytes": Buffer.from([0x80, 0x01, 0x02, 0x03]),
  "a TLS record that is no handshake": Buffer.from([23, 3, 3, 0, 5, 1, 2, 3, 4, 5]),
  "a TLS record of SSL 2": Buffer.from([22, 2, 0, 0, 5, 1, 2, 3, 4, 5]),
  "a ServerHello": Buffer.from([22, 3, 3, 0, 5, 2, 0, 0, 1, 0]),
  "a ClientHello that is cut short": Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 0]),
  "a ClientHello of 16 MiB": Buffer.from([22, 3, 1, 0, 5, 1, 255, 255, 255, 0]),
};

for (const [what, bytes] of Object.entries(NOT_CARRIED)) {
  withHarness(`front refuses a tunnel that carries ${what}`, async (harness) => {
    await using raw = await openPlainTunnel(harness, "api.test:443");
    await raw.write(bytes);
    await raw.rest();
    assert.equal(harness.gate.refusals.length, 1);
    assert.equal(harness.gate.calls.length, 0);
  });
}

withHarness("front gives up on heads that never end", async (harness) => {
  for (const begin of ["GET http://api.test/ HTTP/1.1\r\nX-A: ", "CONN"]) {
    await using raw = await openRaw(harness);
    await raw.write(begin);
    await raw.rest();
  }
  assert.deepEqual(
    harness.gate.refusals.map(({ detail }) => detail),
    Array(2).fill("request head did not come in time"),
  );
  await using hello = await openPlainTunnel(harness, "api.test:443");
  await hello.write(Buffer.from([22, 3, 1]));
  await hello.rest();
  assert.equal(harness.gate.refusals[2]!.detail, "ClientHello did not come in time");
});

withHarness("front refuses heads larger than 64 KiB", async (harness) => {
  await using raw = await openRaw(harness);
  const fill = `X-Fill: ${"a".repeat(1_000)}\r\n`.repeat(70);
  await raw.write(`GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\n${fill}\r\n`).catch(() => {});
  assert.match(await raw.rest(), /^HTTP\/1.1 403 /);
  assert.match(harness.gate.refusals[0]!.detail, /larger than 65536 bytes/);
});

withHarness("front refuses an endless first word at once", async (harness) => {
  await using raw = await openRaw(harness);
  await raw.write("A".repeat(200));
  assert.match(await raw.rest(), /^HTTP\/1.1 403 /);
  assert.equal(harness.gate.refusals[0]!.detail, "request line is malformed");
});

withHarness("front serves plain HTTP inside a CONNECT tunnel", async (harness) => {
  await using raw = await openPlainTunnel(harness, "api.test:80");
  await raw.write("GET /echo HTTP/1.1\r\nHost: api.test\r\n\r\n");
  assert.equal((await raw.response()).status, 200);
  const [call] = harness.gate.calls;
  assert.equal(call?.scheme, "http");
  assert.deepEqual(call?.tunnel, { connectHost: "api.test", connectPort: 80 });
});

withHarness("front splits absolute targets on the proxy port", async (harness) => {
  const curl = await harness.curl("http://api.test:8080/echo?q=1#fragment");
  assert.equal(JSON.parse(curl.stdout).path, "/echo?q=1");
  const [call] = harness.gate.calls;
  assert.equal(call?.authority, "api.test:8080");
  assert.equal(call?.target, "/echo?q=1");
  assert.equal(call?.tunnel, undefined);
});

const BAD_TARGETS: Readonly<Record<string, string>> = {
  "in origin form": "GET /echo HTTP/1.1\r\nHost: api.test\r\n\r\n",
  "of another host than Host": "GET http://api.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n",
  "of another port than Host": "GET http://api.test:81/ HTTP/1.1\r\nHost: api.test\r\n\r\n",
  "with user information": "GET http://u@api.test/ HTTP/1.1\r\nHost: u@api.test\r\n\r\n",
  "with a backslash": "GET http://api.test\\@evil.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n",
  "of scheme https": "GET https://api.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n",
  "of scheme ftp": "GET ftp://api.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n",
};

for (const [what, bytes] of Object.entries(BAD_TARGETS)) {
  withHarness(`front refuses a target ${what} on the proxy port`, async (harness) => {
    await using raw = await openRaw(harness);
    await raw.write(bytes);
    assert.match(await raw.rest(), /^HTTP\/1.1 403 /);
    assert.equal(harness.gate.calls.length, 0);
  });
}

withHarness(
  "front serves captured connections under the name that was looked up",
  async (harness) => {
    const port = harness.bridge({
      via: "transparent",
      name: "api.test",
      address: "198.18.0.5",
      port: 443,
    });
    const output = await new Deno.Command("curl", {
      args: [
        "-sS",
        "--resolve",
        `api.test:${port}:127.0.0.1`,
        "--cacert",
        harness.caFile,
        `https://api.test:${port}/echo`,
      ],
    }).output();
    assert.equal(new TextDecoder().decode(output.stderr), "");
    const [call] = harness.gate.calls;
    assert.deepEqual(call?.tunnel, { connectHost: "api.test", connectPort: 443, sni: "api.test" });
    await using plain = await openRaw(harness, { via: "transparent", name: "api.test", port: 80 });
    await plain.write("GET /echo HTTP/1.1\r\nHost: api.test\r\n\r\n");
    assert.equal((await plain.response()).status, 200);
  },
);

withHarness(
  "front lets a captured server name differ from the looked-up one in nothing",
  async (harness) => {
    await using raw = await openRaw(harness, { via: "transparent", name: "api.test", port: 443 });
    await raw.write(await clientHello("evil.test"));
    assert.equal(await raw.rest(), "");
    assert.match(harness.gate.refusals[0]!.detail, /server name "evil.test"/);
    assert.equal(harness.gate.calls.length, 0);
  },
);

withHarness(
  "front takes the server name for a captured literal address, never the address",
  async (harness) => {
    const claim = { via: "transparent", address: "203.0.113.7", port: 443 };
    await using tls = await openRaw(harness, claim);
    await tls.write(await clientHello("api.test"));
    await eventually(() => harness.gate.connects.length === 1, "the connect");
    assert.equal(harness.gate.connects[0]!.host, "api.test");
    await using plain = await openRaw(harness, { ...claim, port: 80 });
    await plain.write("GET /echo HTTP/1.1\r\nHost: api.test\r\n\r\n");
    await plain.response();
    assert.deepEqual(harness.gate.calls[0]!.tunnel, {
      connectHost: "203.0.113.7",
      connectPort: 80,
    });
  },
);

withHarness("front refuses to be used as a proxy by a captured connection", async (harness) => {
  await using raw = await openRaw(harness, { via: "transparent", name: "api.test", port: 80 });
  await raw.write(connectRequest("evil.test:443"));
  assert.match(await raw.rest(), /^HTTP\/1.1 400 /);
  await using tls = await openRaw(harness);
  await tls.write(await clientHello("api.test"));
  assert.equal(await tls.rest(), "");
  assert.equal(harness.gate.refusals.length, 2);
  assert.equal(harness.gate.connects.length, 0);
});

withHarness("front answers a denied CONNECT with the problem", async (harness) => {
  const problem = harness.gate.deny();
  harness.gate.connectWith = () => problem.kind === "deny" ? problem : undefined;
  await using raw = await openRaw(harness);
  await raw.write(connectRequest("api.test:443"));
  const { status, head, body } = await raw.response();
  assert.equal(status, 403);
  assert.match(head, /application\/problem\+json/);
  assert.equal(JSON.parse(body).denied, true);
});

withHarness("front survives connections that open and leave", async (harness) => {
  for (const bytes of [Buffer.alloc(0), proxyHeader(), proxyHeader().subarray(0, 3)]) {
    const conn = await harness.connect();
    if (bytes.length > 0) await conn.write(bytes);
    conn.close();
  }
  assert.equal((await harness.curl("https://api.test/status/200")).stdout, "status 200");
});

Deno.test("closeSession() breaks off what the session has open and removes its socket", async () => {
  const upstream = await startUpstream("api.test");
  try {
    await using harness = await startHarness(upstream);
    const second = `${harness.frontPath}.second`;
    await harness.transport.openSession("ses_second", second);
    await using raw = await openTlsTunnel(harness, "api.test");
    await raw.write("GET /hang HTTP/1.1\r\nHost: api.test\r\n\r\n");
    await eventually(() => upstream.seen.length === 1, "the request");
    await harness.transport.closeSession("ses_test");
    assert.equal(await raw.rest(), "");
    await assert.rejects(harness.connect());
    await eventually(() => harness.gate.outcomes.length === 1, "the outcome");
    const other = await Deno.connect({ transport: "unix", path: second });
    other.close();
  } finally {
    await upstream.close();
  }
});

Deno.test("front closes connections beyond the limit of a session", async () => {
  await using harness = await startHarness(undefined, { limits: { connectionsPerSession: 2 } });
  await using _first = await openRaw(harness);
  await using _second = await openRaw(harness);
  const third = new RawConnection(await harness.connect());
  assert.equal(await third.rest(), "");
  third.conn.close();
});
