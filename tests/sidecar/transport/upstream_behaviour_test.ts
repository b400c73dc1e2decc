import assert from "node:assert/strict";
import type { TransportOptions } from "../../../src/sidecar/transport/transport_options.ts";
import { eventually, type Harness, startHarness } from "./_harness.ts";
import { openPlainTunnel, type RawConnection } from "./_raw.ts";
import { ScriptedUpstream } from "./_scripted_upstream.ts";

const GET = "GET / HTTP/1.1\r\nHost: api.test\r\n\r\n";

interface Scene {
  readonly harness: Harness;
  readonly upstream: ScriptedUpstream;
  /** A connection of an agent through a tunnel. */
  readonly agent: RawConnection;
}

/** Runs a test whose upstream speaks HTTP/1.1 in the clear as the script says. */
function withScript(
  name: string,
  script: (connection: RawConnection, number: number) => Promise<void>,
  run: (scene: Scene) => Promise<void>,
  timeouts: TransportOptions["timeouts"] = {},
): void {
  Deno.test(name, async () => {
    await using upstream = new ScriptedUpstream(script);
    await using harness = await startHarness(undefined, { timeouts });
    harness.gate.routeOf = (host, port, tls) => {
      return { host, port, tls, connectAddr: { hostname: "127.0.0.1", port: upstream.port } };
    };
    await using agent = await openPlainTunnel(harness, "api.test:80");
    await run({ harness, upstream, agent });
  });
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

withScript(
  "transport sends a request again when its pooled connection had been closed",
  async (raw) => {
    await raw.until("\r\n\r\n");
    await raw.write(OK);
    // Takes the second request and hangs up on it, as a server does that was about to close.
    await raw.until("\r\n\r\n");
    raw.conn.close();
  },
  async ({ agent, upstream, harness }) => {
    await agent.write(GET);
    assert.equal((await agent.response()).status, 200);
    await agent.write(GET);
    assert.equal((await agent.response()).status, 200);
    assert.equal(upstream.accepted, 2);
    assert.equal(harness.gate.outcomes.length, 2, "one outcome for each call, sent twice or not");
  },
);

withScript("transport never sends a request with a body twice", async (raw) => {
  await raw.until("\r\n\r\n");
  await raw.write(OK);
  await raw.until("\r\n\r\n");
  raw.conn.close();
}, async ({ agent, upstream, harness }) => {
  await agent.write(GET);
  await agent.response();
  await agent.write("POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 1\r\n\r\nx");
  assert.equal((await agent.response()).status, 502);
  assert.equal(upstream.accepted, 1);
  assert.equal(harness.gate.outcomes[1]!.abortReason, "CONNECTOR_FAILURE");
});

withScript("transport does not send a request again over a fresh connection", (raw) => {
  raw.conn.close();
  return Promise.resolve();
}, async ({ agent, upstream }) => {
  await agent.write(GET);
  assert.equal((await agent.response()).status, 502);
  assert.equal(upstream.accepted, 1);
});

withScript("transport does not reuse a connection that spoke unasked", async (raw, number) => {
  await raw.until("\r\n\r\n");
  await raw.write(OK + (number === 1 ? "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged" : ""));
  await raw.rest();
}, async ({ agent, upstream }) => {
  await agent.write(GET);
  assert.equal((await agent.response()).body, "ok");
  await agent.write(GET);
  assert.equal((await agent.response()).body, "ok");
  assert.equal(upstream.accepted, 2);
});

withScript("transport aborts when the head of a response does not come in time", async (raw) => {
  await raw.rest();
}, async ({ agent, harness }) => {
  await agent.write(GET);
  const { status, body } = await agent.response();
  assert.equal(status, 504);
  assert.equal(JSON.parse(body).reason, "CONNECTOR_TIMEOUT");
  assert.equal(harness.gate.outcomes[0]!.abortReason, "CONNECTOR_TIMEOUT");
}, { headersMs: 200 });

withScript("transport aborts a response that stalls", async (raw) => {
  await raw.until("\r\n\r\n");
  await raw.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\ny\r\n");
  await raw.rest();
}, async ({ agent, harness }) => {
  await agent.write(GET);
  assert.doesNotMatch(await agent.rest(), /\r\n0\r\n\r\n$/);
  await eventually(() => harness.gate.outcomes.length === 1, "the outcome");
  assert.equal(harness.gate.outcomes[0]!.abortReason, "CONNECTOR_TIMEOUT");
  assert.equal(harness.gate.outcomes[0]!.detail, "idle time-out");
}, { idleMs: 200 });

withScript("transport lets a response take its time as long as it moves", async (raw) => {
  await raw.until("\r\n\r\n");
  await raw.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (let i = 0; i < 6; i++) {
    await raw.write("1\r\nx\r\n");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await raw.write("0\r\n\r\n");
  await raw.rest();
}, async ({ agent }) => {
  await agent.write(GET);
  assert.equal((await agent.response()).body, "xxxxxx");
}, { idleMs: 400 });

const BAD_RESPONSES: Readonly<Record<string, string>> = {
  "no status line": "hello\r\n\r\n",
  "a status of two digits": "HTTP/1.1 20 OK\r\n\r\n",
  "an unknown version": "HTTP/3.0 200 OK\r\n\r\n",
  "a folded field": "HTTP/1.1 200 OK\r\nX-A: 1\r\n b\r\n\r\n",
  "bare line feeds": "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
  "both Content-Length and Transfer-Encoding":
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "two Content-Lengths": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
  "an unasked switch of protocols": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
  "a head without end": `HTTP/1.1 200 OK\r\n${"X-Fill: aaaaaaaaaaaaaaaa\r\n".repeat(4_000)}`,
  "an early end": "HTTP/1.1 200",
};

for (const [what, bytes] of Object.entries(BAD_RESPONSES)) {
  withScript(`transport answers 502 to a response with ${what}`, async (raw) => {
    await raw.until("\r\n\r\n");
    await raw.write(bytes);
    if (what === "an early end") raw.conn.close();
    else await raw.rest();
  }, async ({ agent, harness }) => {
    await agent.write(GET);
    assert.equal((await agent.response()).status, 502);
    assert.equal(harness.gate.outcomes.length, 1);
    assert.equal(harness.gate.outcomes[0]!.abortReason, "CONNECTOR_FAILURE");
  });
}

withScript("transport drops fields of a response that belong to its connection", async (raw) => {
  await raw.until("\r\n\r\n");
  await raw.write(
    "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Named\r\nX-Named: 1\r\nKeep-Alive: timeout=5\r\n" +
      "Proxy-Authenticate: Basic\r\nX-Firma-Event: forged\r\nX-Kept: yes\r\nContent-Length: 2\r\n\r\nok",
  );
  await raw.rest();
}, async ({ agent }) => {
  await agent.write(GET);
  const { head } = await agent.response();
  assert.match(head, /X-Kept: yes/);
  assert.doesNotMatch(head, /connection|keep-alive|x-named|proxy-|x-firma/i);
});

withScript("transport sends hop-by-hop fields of a request no further", async (raw) => {
  const head = await raw.until("\r\n\r\n");
  await raw.write(`HTTP/1.1 200 OK\r\nContent-Length: ${head.length}\r\n\r\n${head}`);
  await raw.rest();
}, async ({ agent }) => {
  await agent.write(
    "GET /x HTTP/1.1\r\nhOST: api.test\r\nConnection: keep-alive, X-Named, TE\r\nX-Named: 1\r\n" +
      "Keep-Alive: 5\r\nProxy-Connection: keep-alive\r\nTE: trailers, deflate\r\nUpgrade: h2c\r\n" +
      "HTTP2-Settings: AAMAAABkAAQAAP__\r\nX-Case: Kept\r\nx-lower: a\r\n\r\n",
  );
  assert.equal(
    (await agent.response()).body,
    "GET /x HTTP/1.1\r\nHost: api.test\r\nX-Case: Kept\r\nx-lower: a\r\n" +
      "Connection: TE\r\nTE: trailers\r\n\r\n",
  );
});

withScript(
  "transport serves HTTP/1.0 and ends a response without length with the connection",
  async (raw) => {
    await raw.until("\r\n\r\n");
    await raw.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
    await raw.rest();
  },
  async ({ agent }) => {
    await agent.write("GET / HTTP/1.0\r\nHost: api.test\r\n\r\n");
    const answer = await agent.rest();
    assert.match(answer, /^HTTP\/1.1 200 OK\r\n/);
    assert.doesNotMatch(answer, /transfer-encoding/i);
    assert.match(answer, /\r\n\r\nok$/);
  },
);

withScript(
  "transport takes the end of the connection for the end of a body without length",
  async (raw) => {
    await raw.until("\r\n\r\n");
    await raw.write("HTTP/1.0 200 OK\r\n\r\nall there is");
    raw.conn.close();
  },
  async ({ agent, harness }) => {
    await agent.write(GET);
    assert.equal((await agent.response()).body, "all there is");
    assert.equal(harness.gate.outcomes[0]!.abortReason, "");
  },
);

withScript("transport does not send a truncated upload as a whole one", async (raw) => {
  await raw.rest();
}, async ({ agent, upstream, harness }) => {
  await agent.write("POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 100\r\n\r\nonly this");
  await eventually(() => upstream.accepted === 1, "the request");
  agent.conn.close();
  await eventually(() => harness.gate.outcomes.length === 1, "the outcome");
  assert.equal(harness.gate.outcomes[0]!.requestBytes, "only this".length);
  assert.equal(harness.gate.outcomes[0]!.status, 0);
});

Deno.test("transport gives a connection up that is not made in time", async () => {
  await using harness = await startHarness(undefined, { timeouts: { connectMs: 200 } });
  // Accepts and never answers the ClientHello.
  await using silent = new ScriptedUpstream(async (raw) => void await raw.rest());
  harness.gate.routeOf = (host, port) => {
    return { host, port, tls: true, connectAddr: { hostname: "127.0.0.1", port: silent.port } };
  };
  const output = await harness.curl("-i", "https://api.test/");
  assert.match(output.stdout, /^HTTP\/2 504/);
  assert.equal(harness.gate.outcomes[0]!.abortReason, "CONNECTOR_TIMEOUT");
});

Deno.test("transport ends a call that is revoked while it still connects", async () => {
  await using harness = await startHarness(undefined);
  await using silent = new ScriptedUpstream(async (raw) => void await raw.rest());
  harness.gate.routeOf = (host, port) => {
    return { host, port, tls: true, connectAddr: { hostname: "127.0.0.1", port: silent.port } };
  };
  await using agent = await openPlainTunnel(harness, "api.test:80");
  harness.gate.decideWith = (input) => {
    const verdict = harness.gate.allow(input);
    return verdict.kind === "forward"
      ? { ...verdict, route: harness.gate.routeOf("x", 1, true) }
      : verdict;
  };
  await agent.write(GET);
  await eventually(() => silent.accepted === 1, "the connection");
  harness.gate.revoke.abort();
  assert.equal(await agent.rest(), "");
  assert.equal(harness.gate.outcomes[0]!.detail, "closed by a later decision");
});
