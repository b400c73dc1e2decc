import assert from "node:assert/strict";
import { startUpstream, type TestUpstream } from "../../fixtures/upstream.ts";
import { eventually, type Harness, startHarness } from "./_harness.ts";
import { openPlainTunnel, openTlsTunnel } from "./_raw.ts";

/** Runs a test with a fresh upstream and transport. */
function withHarness(
  name: string,
  run: (harness: Harness, upstream: TestUpstream) => Promise<void>,
): void {
  Deno.test(name, async () => {
    const upstream = await startUpstream("api.test");
    try {
      await using harness = await startHarness(upstream, { http1Upstream: true });
      await run(harness, upstream);
    } finally {
      await upstream.close();
    }
  });
}

const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: api.test\r\n\r\n";

/** Requests that two parsers could read in two ways. Nothing of them may reach an upstream. */
const AMBIGUOUS: Readonly<Record<string, string>> = {
  "both Content-Length and Transfer-Encoding":
    `POST /echo HTTP/1.1\r\nHost: api.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  "Transfer-Encoding before Content-Length":
    `POST /echo HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${HIDDEN}`,
  "two different Content-Lengths":
    `POST /echo HTTP/1.1\r\nHost: api.test\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n${HIDDEN}`,
  "two equal Content-Lengths":
    `POST /echo HTTP/1.1\r\nHost: api.test\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc`,
  "a list of Content-Lengths":
    `POST /echo HTTP/1.1\r\nHost: api.test\r\nContent-Length: 3, 3\r\n\r\nabc`,
  "a signed Content-Length":
    `POST /echo HTTP/1.1\r\nHost: api.test\r\nContent-Length: +3\r\n\r\nabc`,
  "a hexadecimal Content-Length":
    `POST /echo HTTP/1.1\r\nHost: api.test\r\nContent-Length: 0x3\r\n\r\nabc`,
  "an empty Content-Length": `POST /echo HTTP/1.1\r\nHost: api.test\r\nContent-Length:\r\n\r\nabc`,
  "an unknown transfer coding":
    `POST /echo HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  "a list of transfer codings":
    `POST /echo HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  "Transfer-Encoding twice":
    `POST /echo HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
  "Transfer-Encoding with a vertical tab":
    `POST /echo HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
  "Transfer-Encoding in HTTP/1.0":
    `POST /echo HTTP/1.0\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  "white space before the colon":
    `POST /echo HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  "a folded field":
    `GET /echo HTTP/1.1\r\nHost: api.test\r\nX-A: 1\r\n Transfer-Encoding: chunked\r\n\r\n`,
  "a field that is folded right after the request line":
    `GET /echo HTTP/1.1\r\n Host: evil.test\r\nHost: api.test\r\n\r\n`,
  "a bare line feed": `GET /echo HTTP/1.1\nHost: api.test\n\n`,
  "a bare line feed between fields":
    `GET /echo HTTP/1.1\r\nHost: api.test\r\nX-A: 1\nX-B: 2\r\n\r\n`,
  "a bare carriage return": `GET /echo HTTP/1.1\r\nHost: api.test\r\nX-A: 1\rX-B: 2\r\n\r\n`,
  "a NUL in a field": `GET /echo HTTP/1.1\r\nHost: api.test\r\nX-A: a\0b\r\n\r\n`,
  "a field without a name": `GET /echo HTTP/1.1\r\nHost: api.test\r\n: value\r\n\r\n`,
  "Host twice": `GET /echo HTTP/1.1\r\nHost: api.test\r\nHost: evil.test\r\n\r\n`,
  "Host twice, equal": `GET /echo HTTP/1.1\r\nHost: api.test\r\nHost: api.test\r\n\r\n`,
  "no Host": `GET /echo HTTP/1.1\r\nX-A: 1\r\n\r\n`,
  "an absolute target within the tunnel":
    `GET http://evil.test/echo HTTP/1.1\r\nHost: api.test\r\n\r\n`,
  "an authority target within the tunnel": `GET api.test:443 HTTP/1.1\r\nHost: api.test\r\n\r\n`,
  "a target without a slash": `GET echo HTTP/1.1\r\nHost: api.test\r\n\r\n`,
  "an asterisk with another method": `GET * HTTP/1.1\r\nHost: api.test\r\n\r\n`,
  "two spaces in the request line": `GET  /echo HTTP/1.1\r\nHost: api.test\r\n\r\n`,
  "a tab in the request line": `GET\t/echo HTTP/1.1\r\nHost: api.test\r\n\r\n`,
  "a target with bytes beyond ASCII": `GET /\xc3\xa9 HTTP/1.1\r\nHost: api.test\r\n\r\n`,
  "an unknown version": `GET /echo HTTP/1.2\r\nHost: api.test\r\n\r\n`,
  "no version": `GET /echo\r\nHost: api.test\r\n\r\n`,
  "the preface of HTTP/2 in the clear": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "CONNECT within the tunnel": "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n",
};

for (const [what, bytes] of Object.entries(AMBIGUOUS)) {
  withHarness(`transport refuses a request with ${what}`, async (harness, upstream) => {
    for (const open of [openTlsTunnel, openPlainTunnel]) {
      await using raw = await open(harness, open === openTlsTunnel ? "api.test" : "api.test:80");
      await raw.write(bytes);
      const answer = await raw.rest();
      const status = what === "CONNECT within the tunnel" ? 400 : 403;
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
      assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1, "one answer, then the end");
    }
    assert.equal(upstream.seen.length, 0);
    assert.equal(harness.gate.calls.length, 0);
    assert.equal(harness.gate.refusals.length, 2);
  });
}

withHarness("transport forwards the plain form of what it refuses elsewhere", async (harness) => {
  await using raw = await openTlsTunnel(harness, "api.test");
  await raw.write("POST /echo HTTP/1.1\r\nHost: api.test\r\nContent-Length: 3\r\n\r\nabc");
  assert.equal((await raw.response()).status, 200);
  await raw.write(
    "POST /echo HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "3;name=value\r\nabc\r\n0\r\n\r\n",
  );
  const chunked = await raw.response();
  assert.equal(chunked.status, 200);
  assert.equal(JSON.parse(chunked.body).body.size, 3);
  await raw.write("OPTIONS * HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n");
  assert.match(await raw.rest(), /^HTTP\/1.1 200 /);
});

/** Chunked bodies that are not chunked. The head was fine, so the call was allowed and begun. */
const BAD_CHUNKS: Readonly<Record<string, string>> = {
  "a size that is no number": "x\r\nabc\r\n0\r\n\r\n",
  "a negative size": "-1\r\nabc\r\n0\r\n\r\n",
  "a size with a prefix": "0x3\r\nabc\r\n0\r\n\r\n",
  "a size beyond all bounds": "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
  "a chunk longer than its size": "2\r\nabc\r\n0\r\n\r\n",
  "a chunk that ends with a bare line feed": "3\r\nabc\n0\r\n\r\n",
  "a size line that ends with a bare line feed": "3\nabc\r\n0\r\n\r\n",
  "an endless extension": `3;${"a".repeat(1_000)}\r\nabc\r\n0\r\n\r\n`,
  "a folded trailer": "3\r\nabc\r\n0\r\nX-A: 1\r\n b\r\n\r\n",
};

for (const [what, chunks] of Object.entries(BAD_CHUNKS)) {
  withHarness(`transport breaks off a body with ${what}`, async (harness, upstream) => {
    await using raw = await openTlsTunnel(harness, "api.test");
    const head = "POST /upload HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    await raw.write(head + chunks + HIDDEN);
    const answer = await raw.rest();
    assert.match(answer, /^HTTP\/1.1 403 /);
    assert.doesNotMatch(answer, /HTTP\/1.1 200/);
    await eventually(() => harness.gate.outcomes.length === 1, "the outcome");
    assert.equal(harness.gate.refusals.length, 1);
    assert.ok(upstream.seen.every(({ path }) => path === "/upload"));
  });
}

withHarness(
  "transport never lets a body become a request of its own",
  async (harness, upstream) => {
    await using raw = await openTlsTunnel(harness, "api.test");
    const body = HIDDEN;
    await raw.write(
      `POST /upload HTTP/1.1\r\nHost: api.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await raw.until("\r\n\r\n");
    await raw.write("GET /last HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n");
    await raw.rest();
    assert.deepEqual(upstream.seen.map(({ path }) => path), ["/upload", "/last"]);
    assert.deepEqual(harness.gate.calls.map(({ target }) => target), ["/upload", "/last"]);
  },
);

withHarness("transport decides each of several requests sent at once", async (harness) => {
  harness.gate.decideWith = (input) =>
    input.target === "/denied" ? harness.gate.deny() : harness.gate.allow(input);
  await using raw = await openTlsTunnel(harness, "api.test");
  const request = (path: string, more = "") =>
    `GET ${path} HTTP/1.1\r\nHost: api.test\r\n${more}\r\n`;
  await raw.write(
    request("/status/201") + request("/denied") + request("/status/202", "Connection: close\r\n"),
  );
  const statuses = (await raw.rest()).match(/HTTP\/1.1 \d+/g);
  assert.deepEqual(statuses, ["HTTP/1.1 201", "HTTP/1.1 403", "HTTP/1.1 202"]);
});
