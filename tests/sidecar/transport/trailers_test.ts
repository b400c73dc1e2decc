import assert from "node:assert/strict";
import type { FieldList } from "../../../src/net/http/exchange.ts";
import { startUpstream } from "../../fixtures/upstream.ts";
import { startHarness } from "./_harness.ts";
import { Http2Client } from "./_http2_client.ts";
import { openTlsTunnel } from "./_raw.ts";

for (const http1Upstream of [true, false]) {
  const kind = http1Upstream ? "HTTP/1.1" : "HTTP/2";

  Deno.test(`transport hands trailers on both ways, HTTP/2 to ${kind}`, async () => {
    const upstream = await startUpstream("api.test");
    try {
      await using harness = await startHarness(upstream, { http1Upstream });
      await using client = await Http2Client.open(harness, "api.test");
      const post = [[":method", "POST"], [":path", "/echo"], ["te", "trailers"]] as const;
      const trailers = [["x-sum", "1"], ["authorization", "x"]] as const;
      const echo = await client.request(post, { body: "body", trailers });
      const seen = JSON.parse(echo.body.toString());
      assert.equal(seen.body.size, 4);
      assert.deepEqual(seen.trailers, { "x-sum": "1" });
      assert.ok(seen.rawHeaders.includes("trailers"), "te: trailers reaches the upstream");
      const answer = await client.request([[":path", "/trailers"]]);
      assert.equal(answer.body.toString(), "body with trailers");
      assert.deepEqual(answer.trailers, [["x-checksum", "abc"]]);
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
    await using client = await Http2Client.open(harness, "api.test");
    const call = [
      [":method", "POST"],
      [":path", "/grpc/firma.v1.Test/Do"],
      ["content-type", "application/grpc"],
      ["te", "trailers"],
    ] as const;
    const answer = await client.request(call, { body: "\0\0\0\0\x01x" });
    assert.equal(valueOf(answer.fields, "content-type"), "application/grpc");
    assert.equal(valueOf(answer.trailers, "grpc-status"), "0");
    assert.equal(valueOf(answer.trailers, "grpc-message"), "got 6");
    harness.gate.decideWith = () => harness.gate.deny();
    const denied = await client.request(call, { body: "\0\0\0\0\x01x" });
    assert.equal(denied.status, 200);
    assert.equal(valueOf(denied.fields, "grpc-status"), "7");
    assert.equal(denied.body.length, 0);
  } finally {
    await upstream.close();
  }
});

const REFUSED: Readonly<Record<string, FieldList>> = {
  "a scheme that is not https": [[":scheme", "http"], [":path", "/echo"]],
  "no scheme": [[":method", "GET"], [":path", "/echo"], [":scheme", ""]],
  "an absolute path": [[":path", "http://evil.test/"]],
  "a path without a slash": [[":path", "echo"]],
  "an empty path": [[":path", ""]],
  "no path": [],
  "an asterisk and another method": [[":path", "*"]],
  "Host unlike :authority": [[":path", "/echo"], ["host", "evil.test"]],
  "Host twice": [[":path", "/echo"], ["host", "api.test"], ["host", "api.test"]],
  "a pseudo-header twice": [[":path", "/echo"], [":path", "/other"]],
  "an unknown pseudo-header": [[":path", "/echo"], [":protocol", "websocket"]],
  "a pseudo-header of responses": [[":path", "/echo"], [":status", "200"]],
  "a name in upper case": [[":path", "/echo"], ["X-Name", "1"]],
  "an empty name": [[":path", "/echo"], ["", "1"]],
  "a name with a colon": [[":path", "/echo"], ["x:y", "1"]],
  "a line break in a value": [[":path", "/echo"], ["x-a", "1\r\nhost: evil.test"]],
  "a NUL in a value": [[":path", "/echo"], ["x-a", "1\0"]],
  "white space around a value": [[":path", "/echo"], ["x-a", " 1"]],
  "Connection": [[":path", "/echo"], ["connection", "close"]],
  "Transfer-Encoding": [[":path", "/echo"], ["transfer-encoding", "chunked"]],
  "Upgrade": [[":path", "/echo"], ["upgrade", "h2c"]],
  "TE other than trailers": [[":path", "/echo"], ["te", "gzip"]],
  "Content-Length twice": [[":path", "/echo"], ["content-length", "0"], ["content-length", "0"]],
  "a signed Content-Length": [[":path", "/echo"], ["content-length", "+0"]],
  "Content-Length and no body": [[":path", "/echo"], ["content-length", "5"]],
  "a line break in the path": [[":path", "/echo HTTP/1.1\r\nx: y"]],
  "a space in the method": [[":method", "GET /x"], [":path", "/echo"]],
  "a head that is too large": [
    [":path", "/echo"],
    ...Array<[string, string]>(1_500).fill(["accept-encoding", "gzip, deflate"]),
  ],
};

for (const [what, fields] of Object.entries(REFUSED)) {
  Deno.test(`transport refuses an HTTP/2 request with ${what}`, async () => {
    const upstream = await startUpstream("api.test");
    try {
      await using harness = await startHarness(upstream);
      await using client = await Http2Client.open(harness, "api.test");
      const { status, body } = await client.request(fields);
      assert.equal(status, 403);
      assert.equal(JSON.parse(body.toString()).denied, true);
      assert.equal(harness.gate.calls.length, 0);
      const good = await client.request([[":path", "/echo"]]);
      assert.equal(good.status, 200, "the connection serves other streams");
      assert.equal(upstream.seen.length, 1);
    } finally {
      await upstream.close();
    }
  });
}

Deno.test("transport refuses CONNECT over HTTP/2", async () => {
  await using harness = await startHarness(undefined);
  await using client = await Http2Client.open(harness, "api.test");
  const connect = [[":method", "CONNECT"], [":authority", "evil.test:443"]] as const;
  assert.equal((await client.request(connect)).status, 403);
  assert.equal(harness.gate.refusals[0]?.detail, "CONNECT within a tunnel");
});

Deno.test("transport joins the crumbs of a cookie for HTTP/1.1 and shows them so to the gate", async () => {
  const upstream = await startUpstream("api.test");
  try {
    await using harness = await startHarness(upstream, { http1Upstream: true });
    await using client = await Http2Client.open(harness, "api.test");
    const crumbs = [["cookie", "a=1"], ["cookie", "b=2"]] as const;
    const { body } = await client.request([[":path", "/echo"], ...crumbs]);
    assert.ok(JSON.parse(body.toString()).rawHeaders.includes("a=1; b=2"));
    const cookies = harness.gate.calls[0]!.headers.filter(([name]) => name === "cookie");
    assert.deepEqual(cookies, [["cookie", "a=1; b=2"]]);
  } finally {
    await upstream.close();
  }
});

function valueOf(fields: FieldList, wanted: string): string | undefined {
  return fields.find(([name]) => name === wanted)?.[1];
}
