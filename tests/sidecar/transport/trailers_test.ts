import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as http2 from "node:http2";
import { connect as connectTls } from "node:tls";
import { connect as connectTcp, type Socket } from "node:net";
import { startUpstream } from "../../fixtures/upstream.ts";
import { type Harness, startHarness } from "./_harness.ts";
import { openTlsTunnel } from "./_raw.ts";

/** An HTTP/2 session through a CONNECT tunnel. */
async function openHttp2(harness: Harness, host: string): Promise<http2.ClientHttp2Session> {
  const socket: Socket = connectTcp(harness.bridge(), "127.0.0.1");
  socket.write(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`);
  await new Promise((resolve) => socket.once("data", resolve));
  const secure = connectTls({ socket, servername: host, ca: harness.caPem, ALPNProtocols: ["h2"] });
  await new Promise((resolve) => secure.once("secureConnect", resolve));
  const session = http2.connect(`https://${host}`, { createConnection: () => secure });
  session.on("error", () => {});
  return session;
}

interface Answer {
  readonly headers: http2.IncomingHttpHeaders;
  readonly trailers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends a request with trailers and reads the response with its trailers. */
async function send(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body?: string,
  trailers: http2.OutgoingHttpHeaders = {},
): Promise<Answer> {
  const stream = session.request(headers, { endStream: body === undefined, waitForTrailers: true });
  const answer = new Promise<Answer>((resolve, reject) => {
    let head: http2.IncomingHttpHeaders = {};
    let tail: http2.IncomingHttpHeaders = {};
    const pieces: Buffer[] = [];
    stream.on("response", (received) => head = received);
    stream.on("trailers", (received) => tail = received);
    stream.on("data", (piece: Buffer) => pieces.push(piece));
    stream.on("error", reject);
    stream.on(
      "close",
      () => resolve({ headers: head, trailers: tail, body: Buffer.concat(pieces) }),
    );
  });
  if (body !== undefined) {
    stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    stream.end(body);
  }
  return await answer;
}

for (const http1Upstream of [true, false]) {
  const kind = http1Upstream ? "HTTP/1.1" : "HTTP/2";

  Deno.test(`transport hands trailers on both ways, HTTP/2 to ${kind}`, async () => {
    const upstream = await startUpstream("api.test");
    try {
      await using harness = await startHarness(upstream, { http1Upstream });
      const session = await openHttp2(harness, "api.test");
      const post = { ":method": "POST", ":path": "/echo", te: "trailers" };
      const echo = await send(session, post, "body", { "x-sum": "1", authorization: "x" });
      const seen = JSON.parse(echo.body.toString());
      assert.equal(seen.body.size, 4);
      assert.deepEqual(seen.trailers, { "x-sum": "1" });
      assert.ok(seen.rawHeaders.includes("trailers"), "te: trailers reaches the upstream");
      const trailers = await send(session, { ":path": "/trailers" });
      assert.equal(trailers.body.toString(), "body with trailers");
      assert.equal(trailers.trailers["x-checksum"], "abc");
      session.destroy();
    } finally {
      await upstream.close();
    }
  });

  Deno.test(`transport hands trailers on both ways, HTTP/1.1 to ${kind}`, async () => {
    const upstream = await startUpstream("api.test");
    try {
      await using harness = await startHarness(upstream, { http1Upstream });
      await using raw = await openTlsTunnel(harness, "api.test");
      await raw.write(
        "POST /echo HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n" +
          "4\r\nbody\r\n0\r\nX-Sum: 1\r\nHost: evil.test\r\n\r\n",
      );
      const seen = JSON.parse((await raw.response()).body);
      assert.equal(seen.body.size, 4);
      assert.deepEqual(seen.trailers, { "x-sum": "1" });
      await raw.write("GET /trailers HTTP/1.1\r\nHost: api.test\r\nTE: trailers\r\n\r\n");
      await raw.until("body with trailers\r\n0\r\n");
      assert.match(await raw.until("\r\n\r\n"), /^x-checksum: abc\r\n/i);
    } finally {
      await upstream.close();
    }
  });
}

Deno.test("transport carries gRPC with its status in the trailers", async () => {
  const upstream = await startUpstream("api.test");
  try {
    await using harness = await startHarness(upstream, { http1Upstream: false });
    const session = await openHttp2(harness, "api.test");
    const call = {
      ":method": "POST",
      ":path": "/grpc/firma.v1.Test/Do",
      "content-type": "application/grpc",
      te: "trailers",
    };
    const answer = await send(session, call, "\0\0\0\0\x01x");
    assert.equal(answer.headers["content-type"], "application/grpc");
    assert.equal(answer.trailers["grpc-status"], "0");
    assert.equal(answer.trailers["grpc-message"], "got 6");
    harness.gate.decideWith = () => harness.gate.deny();
    const denied = await send(session, call, "\0\0\0\0\x01x");
    assert.equal(denied.headers[":status"], 200);
    assert.equal(denied.headers["grpc-status"], "7");
    assert.equal(denied.body.length, 0);
    session.destroy();
  } finally {
    await upstream.close();
  }
});

const REFUSED: Readonly<Record<string, http2.OutgoingHttpHeaders>> = {
  "a scheme that is not https": { ":scheme": "http", ":path": "/echo" },
  "an absolute path": { ":path": "http://evil.test/" },
  "a path without a slash": { ":path": "echo" },
  "an empty path": { ":path": "" },
  "an asterisk and another method": { ":path": "*" },
  "Host unlike :authority": { ":path": "/echo", ":authority": "api.test", host: "evil.test" },
};

for (const [what, headers] of Object.entries(REFUSED)) {
  Deno.test(`transport refuses an HTTP/2 request with ${what}`, async () => {
    const upstream = await startUpstream("api.test");
    try {
      await using harness = await startHarness(upstream);
      const session = await openHttp2(harness, "api.test");
      const { headers: answer, body } = await send(session, headers);
      assert.equal(answer[":status"], 403);
      assert.equal(JSON.parse(body.toString()).denied, true);
      assert.equal(harness.gate.calls.length, 0);
      const good = await send(session, { ":path": "/echo" });
      assert.equal(good.headers[":status"], 200, "the connection serves other streams");
      assert.equal(upstream.seen.length, 1);
      session.destroy();
    } finally {
      await upstream.close();
    }
  });
}

Deno.test("transport refuses CONNECT over HTTP/2", async () => {
  await using harness = await startHarness(undefined);
  const session = await openHttp2(harness, "api.test");
  const stream = session.request({ ":method": "CONNECT", ":authority": "evil.test:443" });
  const status = await new Promise((resolve) => {
    stream.on("response", (headers) => resolve(headers[":status"]));
    stream.on("error", () => resolve("error"));
  });
  assert.equal(status, 403);
  assert.equal(harness.gate.refusals[0]?.detail, "CONNECT within a tunnel");
  session.destroy();
});

Deno.test("transport joins the crumbs of a cookie for HTTP/1.1 and shows them so to the gate", async () => {
  const upstream = await startUpstream("api.test");
  try {
    await using harness = await startHarness(upstream, { http1Upstream: true });
    const session = await openHttp2(harness, "api.test");
    const { body } = await send(session, { ":path": "/echo", cookie: ["a=1", "b=2"] });
    assert.ok(JSON.parse(body.toString()).rawHeaders.includes("a=1; b=2"));
    const cookies = harness.gate.calls[0]!.headers.filter(([name]) => name === "cookie");
    assert.deepEqual(cookies, [["cookie", "a=1; b=2"]]);
    session.destroy();
  } finally {
    await upstream.close();
  }
});
