import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { json } from "../../../src/net/http/answers.ts";
import type { Exchange } from "../../../src/net/http/exchange.ts";
import * as h2 from "../../../src/net/http2/frame.ts";
import { encodeHpack } from "../../../src/net/http2/hpack_encoder.ts";
import { writeAll } from "../../../src/net/write_all.ts";
import { readToEnd, startServer } from "./_server.ts";

const GET = "GET /a HTTP/1.1\r\nhost: x\r\n";
const CLOSE = "connection: close\r\n\r\n";

const echo = ({ version, target }: Exchange) => ({ version, target });

Deno.test("an HttpServer tells HTTP/2 from HTTP/1.1 by the first bytes", async () => {
  await using here = startServer((exchange) => exchange.respond(json(200, echo(exchange))));
  const said = await here.raw(`${GET}\r\n${GET.replace("/a", "/b")}${CLOSE}`);
  assert.equal(said.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
  assert.match(said, /"version":"1\.1","target":"\/a".*"target":"\/b"/s);
  await using client = await here.http2();
  const { status, body } = await client.request([[":path", "/c"]]);
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(body.toString()), { version: "2.0", target: "/c" });
});

Deno.test("an HttpServer says what is wrong with what is no request", async (t) => {
  await using here = startServer((exchange) => exchange.respond(json(200, {})));
  const cases: Record<string, [string, RegExp]> = {
    "no HTTP": ["\x16\x03\x01\r\n\r\n", /^HTTP\/1\.1 400 .*malformed/s],
    "a request to a proxy": [
      "GET http://x/ HTTP/1.1\r\nhost: x\r\n\r\n",
      /^HTTP\/1\.1 400 .*origin/s,
    ],
    "two lengths": [`${GET}content-length: 1\r\ncontent-length: 2\r\n\r\n`, /^HTTP\/1\.1 400 /],
    "almost HTTP/2": ["PRI * HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 /],
    "as it should be": [`${GET}${CLOSE}`, /^HTTP\/1\.1 200 /],
  };
  for (const [name, [text, expected]] of Object.entries(cases)) {
    await t.step(name, async () => assert.match(await here.raw(text), expected));
  }
  await t.step("a bad stream, and then a good one", async () => {
    await using client = await here.http2();
    assert.equal((await client.request([[":path", "no path"]])).status, 400);
    assert.equal((await client.request([[":path", "/"]])).status, 200);
  });
  await t.step("a connection of HTTP/2 that breaks off in nonsense", async () => {
    await using client = await here.http2();
    await client.request([[":path", "/"]]);
    await writeAll(client.conn, h2.frame(h2.DATA, 0, 0, Buffer.from("?")));
    await client.done;
    assert.equal(here.faults.length, 1);
  });
});

Deno.test("an HttpServer waits for the first bytes, and for heads, only so long", async () => {
  const answer = (exchange: Exchange) => exchange.respond(json(200, {}));
  await using hasty = startServer(answer, { headMs: 50 });
  await using patient = startServer(answer);
  const head = `${GET}${CLOSE}`;
  const parts = ["", "G", GET, "PRI * HT", "PRI * HTTP/2.0\r\n\r\n"];
  await Promise.all(parts.map(async (part) => {
    using late = await hasty.connect();
    await writeAll(late, Buffer.from(part));
    await readToEnd(late); // ends, though this side never closes
    if (!head.startsWith(part)) return;
    using inTime = await patient.connect();
    await writeAll(inTime, Buffer.from(part));
    await writeAll(inTime, Buffer.from(head.slice(part.length)));
    assert.match(await readToEnd(inTime), /^HTTP\/1\.1 200 /);
  }));
});

Deno.test("an HttpServer drops a client of HTTP/2 that does not say that it is there", async () => {
  let isGone = false;
  await using here = startServer(
    (exchange) =>
      new Promise((resolve) =>
        exchange.onGone = () => {
          isGone = true;
          resolve();
        }
      ),
    { silenceMs: 20, headMs: 20 },
  );
  // Its machine is gone: the connection stays, with a stream on it.
  using gone = await here.connect();
  const head = encodeHpack([
    [":method", "GET"],
    [":scheme", "http"],
    [":authority", "x"],
    [":path", "/"],
  ], true);
  const frames = [h2.PREFACE, h2.settingsFrame([]), ...h2.headersFrames(1, head, true, 16_384)];
  await writeAll(gone, Buffer.concat(frames));
  await readToEnd(gone);
  assert.ok(isGone, "who answers was told");
});

Deno.test("close() lets what is being answered come to its end, and says good-bye", async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using here = startServer(async (exchange) => {
    ask();
    await released;
    await exchange.respond(json(200, echo(exchange)));
  });
  await using client = await here.http2();
  const answer = client.request([[":path", "/late"]]);
  await asked;
  const idle = await here.connect();
  await writeAll(idle, Buffer.from(GET));
  const closed = here.server.close(60_000);
  release();
  assert.equal((await answer).status, 200);
  await client.done;
  idle.close();
  await closed;
});
