import assert from "node:assert/strict";
import type { FieldList } from "../../../src/net/http/exchange.ts";
import type { Http2Stream } from "../../../src/net/http2/stream.ts";
import { startUpstream, type TestUpstream } from "../../fixtures/upstream.ts";
import { Bridge, eventually, type Harness, startHarness } from "./_harness.ts";
import { Http2Client } from "./_http2_client.ts";

const HIDDEN = "GET /hidden HTTP/1.1\r\nhost: api.test\r\n\r\n";

interface Situation {
  readonly harness: Harness;
  readonly upstream: TestUpstream;
  readonly client: Http2Client;
}

/** Runs a test with an HTTP/2 client and an upstream of each version of HTTP. */
function withEach(name: string, run: (situation: Situation) => Promise<void>): void {
  for (const http1Upstream of [true, false]) {
    Deno.test(`${name}, HTTP/2 to ${http1Upstream ? "HTTP/1.1" : "HTTP/2"}`, async () => {
      const upstream = await startUpstream("api.test");
      try {
        await using harness = await startHarness(upstream, { http1Upstream });
        await using client = await Http2Client.open(harness, "api.test");
        await run({ harness, upstream, client });
      } finally {
        await upstream.close();
      }
    });
  }
}

function post(path: string, ...fields: FieldList): FieldList {
  return [[":method", "POST"], [":path", path], ...fields];
}

withEach(
  "transport lets nothing of a body through that is beyond its Content-Length",
  async ({ harness, upstream, client }) => {
    const good = await client.request(post("/upload", ["content-length", "5"]), { body: "hello" });
    assert.equal(JSON.parse(good.body.toString()).size, 5);
    // To an HTTP/1.1 upstream the rest would be a request of its own, which nobody decided.
    const body = `hello${HIDDEN}`;
    const bad = await client.request(post("/upload", ["content-length", "5"]), { body });
    assert.equal(bad.status, 403);
    const { stream, answer } = client.start({
      fields: post("/upload", ["content-length", "5"]),
      body: "hello",
      unfinished: true,
    });
    await eventually(() => harness.gate.calls.length === 3, "the call");
    await stream.send(new TextEncoder().encode(HIDDEN), true);
    // What came before was whole: an upstream may have answered it by then.
    assert.ok([200, 403].includes((await answer).status));
    assert.ok(upstream.seen.every(({ path }) => path === "/upload"), "a hidden request got out");
    assert.match(harness.gate.refusals[0]!.detail, /longer than Content-Length/);
    const after = await client.request([[":path", "/echo"]]);
    assert.equal(after.status, 200, "the connection serves other streams");
    assert.equal(JSON.parse(after.body.toString()).path, "/echo");
  },
);

withEach("transport breaks off a body that is too short", async ({ harness, client }) => {
  const fields = post("/upload", ["content-length", "50"]);
  const bad = await client.request(fields, { body: "hello" });
  assert.equal(bad.status, 403);
  assert.equal(harness.gate.refusals.length, 1);
  assert.equal((await client.request([[":path", "/echo"]])).status, 200);
});

const BAD_TRAILERS: Readonly<Record<string, FieldList>> = {
  "a pseudo-header": [[":path", "/hidden"]],
  "a name in upper case": [["X-Sum", "1"]],
  "a line break": [["x-sum", "1\r\n\r\nGET /hidden HTTP/1.1"]],
  "Transfer-Encoding": [["transfer-encoding", "chunked"]],
};

for (const [what, trailers] of Object.entries(BAD_TRAILERS)) {
  withEach(`transport breaks off a body whose trailers hold ${what}`, async (situation) => {
    const { harness, upstream, client } = situation;
    const bad = await client.request(post("/echo"), { body: "hello", trailers });
    assert.equal(bad.status, 403);
    assert.match(harness.gate.refusals[0]?.detail ?? "", /^request: trailers: /);
    const good = await client.request(post("/echo"), { body: "x", trailers: [["x-sum", "1"]] });
    assert.deepEqual(JSON.parse(good.body.toString()).trailers, { "x-sum": "1" });
    assert.ok(upstream.seen.every(({ path }) => path === "/echo"));
  });
}

withEach(
  "transport keeps a connection going whose denied bodies are larger than its window",
  async ({ harness, client }) => {
    harness.gate.decideWith = (input) =>
      input.target === "/denied" ? harness.gate.deny() : harness.gate.allow(input);
    // More than the window of a connection: what was dropped must be credited all the same.
    const body = new Uint8Array(300_000);
    for (let i = 0; i < 20; i++) {
      const { status } = await client.request(post("/denied"), { body });
      assert.equal(status, 403);
    }
    const good = await client.request(post("/upload"), { body });
    assert.equal(JSON.parse(good.body.toString()).size, body.length);
    assert.deepEqual(harness.gate.refusals, []);
  },
);

withEach(
  "transport does not stall an upstream whose responses were given up",
  async ({ harness, client }) => {
    for (let i = 1; i <= 12; i++) {
      const { stream } = client.start({ fields: [[":path", "/bytes/1500000"]] });
      await eventually(() => harness.gate.calls.length === i, "the call");
      await stream.wait();
      stream.reset(8);
      await eventually(() => harness.gate.outcomes.length === i, "the outcome");
    }
    const { body } = await client.request([[":path", "/bytes/3000000"]]);
    assert.equal(body.length, 3_000_000);
  },
);

/** Asks for `count` large responses and leaves them unread. */
async function leaveUnread(harness: Harness, client: Http2Client, count: number): Promise<void> {
  const before = harness.gate.calls.length;
  for (let i = 0; i < count; i++) void client.request([[":path", "/bytes/30000000"]]);
  await eventually(() => harness.gate.calls.length === before + count, "the calls");
}

Deno.test("transport answers an agent that leaves a dozen large responses unread", async () => {
  const upstream = await startUpstream("api.test");
  try {
    await using harness = await startHarness(upstream, { http1Upstream: false });
    await using stalled = await Http2Client.open(harness, "api.test", 0);
    await leaveUnread(harness, stalled, 12);
    await using client = await Http2Client.open(harness, "api.test");
    assert.equal((await client.request([[":path", "/bytes/1000000"]])).body.length, 1_000_000);
    assert.equal(upstream.connections(), 1, "all of them share a connection");
  } finally {
    await upstream.close();
  }
});

Deno.test("transport holds up no session because another one reads nothing", async () => {
  const upstream = await startUpstream("api.test");
  try {
    await using harness = await startHarness(upstream, { http1Upstream: false });
    await using stalled = await Http2Client.open(harness, "api.test", 0);
    await leaveUnread(harness, stalled, 40);
    const path = `${harness.frontPath}.other`;
    await harness.transport.openSession("ses_other", path);
    const bridge = new Bridge(path, {});
    try {
      const other = { ...harness, bridge: () => bridge.port };
      await using client = await Http2Client.open(other, "api.test");
      const { body } = await client.request([[":path", "/bytes/1000000"]]);
      assert.equal(body.length, 1_000_000);
      assert.equal(upstream.connections(), 2, "each session has its own");
    } finally {
      await harness.transport.closeSession("ses_other");
      await bridge.close();
    }
  } finally {
    await upstream.close();
  }
});

const PARTINGS: Readonly<Record<string, (client: Http2Client) => void>> = {
  "says good-bye": (client) => client.connection.close(),
  "closes its connection without a word": (client) => client.conn.close(),
};

const AFTERTHOUGHTS: Readonly<Record<string, (stream: Http2Stream) => unknown>> = {
  "sends the rest of its body": (stream) => stream.send(new Uint8Array(100_000), true),
  "ends its body": (stream) => stream.send(new Uint8Array(), true),
  "sends trailers": (stream) => stream.sendHead([["x-sum", "1"]], true),
  "gives its stream up": (stream) => stream.reset(8),
  "stops": () => {},
};

for (const [parting, part] of Object.entries(PARTINGS)) {
  for (const [what, go] of Object.entries(AFTERTHOUGHTS)) {
    Deno.test(`transport blames no client that ${what} after an early answer, then ${parting}`, async () => {
      await using harness = await startHarness(undefined);
      harness.gate.decideWith = () => harness.gate.deny();
      await using client = await Http2Client.open(harness, "api.test");
      const { stream, answer } = client.start({
        fields: post("/denied"),
        body: "x",
        unfinished: true,
      });
      assert.equal((await answer).status, 403);
      if (!stream.over) await go(stream);
      // The connection serves on, which also tells that what was sent has arrived.
      assert.equal((await client.request([[":path", "/denied"]])).status, 403);
      part(client);
      await client.done;
      await harness.transport.closeSession("ses_test");
      assert.deepEqual(harness.gate.refusals, []);
    });
  }
}

Deno.test("transport blames a client that does break the rules", async () => {
  await using harness = await startHarness(undefined);
  harness.gate.decideWith = () => harness.gate.deny();
  await using client = await Http2Client.open(harness, "api.test");
  assert.equal((await client.request([[":path", "/denied"]])).status, 403);
  await client.conn.write(new Uint8Array([0, 0, 0, 1, 4, 0, 0, 0, 2]));
  await client.done;
  await eventually(() => harness.gate.refusals.length === 1, "the refusal");
  assert.match(harness.gate.refusals[0]!.detail, /^HTTP\/2: /);
});
