import { Code, ConnectError, createConnectRouter } from "@connectrpc/connect";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Exchange } from "../../../src/net/http/exchange.ts";
import type { HttpServer } from "../../../src/net/http/http_server.ts";
import { type RpcContext, serveRpc } from "../../../src/net/http/serve_rpc.ts";
import type { Http2Stream } from "../../../src/net/http2/stream.ts";
import { writeAll } from "../../../src/net/write_all.ts";
import { AuthorityService } from "../../../src/proto/firma/v1/authority_pb.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { LONG_MS, readToEnd, startServer } from "./_server.ts";

const SERVICE = "/firma.v1.AuthorityService";
const GRPC = [["content-type", "application/grpc"], ["te", "trailers"]] as const;
const EMPTY_MESSAGE = new Uint8Array(5);
const call = (method: string) =>
  [[":method", "POST"], [":path", `${SERVICE}/${method}`], ...GRPC] as const;

/** A service whose stream has no end, and says what becomes of it. */
function service(special: Partial<RpcContext> = {}) {
  const stream = { made: 0, ended: false, aborted: false };
  const router = createConnectRouter({ acceptCompression: [] });
  router.service(AuthorityService, {
    issueCapability: () => ({ granted: true }),
    async *watchRevocations(_request, { signal }) {
      try {
        for (;;) {
          stream.made++;
          yield { reason: "x".repeat(65_536) };
        }
      } finally {
        stream.ended = true;
        stream.aborted = signal.aborted;
      }
    },
    async *watchPolicyBundle(_request, { signal }) {
      yield {};
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      stream.aborted = true;
    },
  });
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const answer = async (exchange: Exchange, { watchdog }: HttpServer) => {
    const context = { watchdog, requestMs: LONG_MS, unreadMs: LONG_MS, ...special };
    await serveRpc(handlers.get(exchange.target)!, exchange, context).catch(() => exchange.abort());
  };
  return { stream, here: startServer(answer) };
}

/** Takes the head of an answer, and nothing of its body. */
function leaveUnread(stream: Http2Stream, closed: (code: number | undefined) => void): void {
  stream.handler = { head: (_, ended) => void (stream.receiving = !ended), closed };
}

/** Waits until a number stays what it is for a while. */
async function settled(number: () => number): Promise<number> {
  for (let last = -1;;) {
    if (number() === last) return last;
    last = number();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

Deno.test("serveRpc() makes of a stream no more than its client reads", async (t) => {
  for (const version of ["HTTP/2", "HTTP/1.1"]) {
    await t.step(version, async () => {
      const { stream, here } = service();
      await using server = here;
      await using client = await server.http2();
      using slow = await server.connect();
      if (version === "HTTP/2") {
        const { stream } = client.start({ fields: call("WatchRevocations"), body: EMPTY_MESSAGE });
        leaveUnread(stream, () => {});
      } else {
        const head = `POST ${SERVICE}/WatchRevocations HTTP/1.1\r\nhost: x\r\n` +
          "content-type: application/connect+proto\r\ncontent-length: 5\r\n\r\n";
        await writeAll(slow, Buffer.concat([Buffer.from(head), EMPTY_MESSAGE]));
      }
      await eventually("the stream", () => stream.made > 0 || undefined);
      const made = await settled(() => stream.made);
      assert.ok(made < 200, `${made} pieces of 64 KiB were made that nobody reads`);
      // Whoever reads gets more.
      if (version === "HTTP/2") return;
      const space = new Uint8Array(65_536);
      for (let read = 0; read < 32 * 1_048_576;) read += (await slow.read(space))!;
      assert.ok(stream.made > made);
    });
  }
});

Deno.test("serveRpc() ends a stream whose client goes, and tells who makes it", async (t) => {
  for (const method of ["WatchRevocations", "WatchPolicyBundle"]) {
    for (const parting of ["a reset", "the end of the connection"]) {
      await t.step(`${method}, ${parting}`, async () => {
        const { stream, here } = service();
        await using server = here;
        const client = await server.http2();
        const started = client.start({ fields: call(method), body: EMPTY_MESSAGE }).stream;
        await eventually("the beginning", () => started.receiving || undefined);
        if (parting === "a reset") started.reset(8);
        else client.conn.close();
        await eventually("its end", () => stream.aborted || undefined);
        if (parting === "a reset") await client[Symbol.asyncDispose]();
        else await client.done;
      });
    }
  }
});

Deno.test("serveRpc() breaks off a stream whose client does not read for too long", async () => {
  const { stream, here } = service({ unreadMs: 20 });
  await using server = here;
  await using client = await server.http2();
  const started = client.start({ fields: call("WatchRevocations"), body: EMPTY_MESSAGE }).stream;
  let code: number | undefined;
  leaveUnread(started, (why) => code = why);
  await eventually("its end", () => stream.ended || undefined);
  assert.equal(await eventually("the reset", () => code), 8);
});

Deno.test("serveRpc() answers a request that does not come in time", async (t) => {
  const { here } = service({ requestMs: 50 });
  await using server = here;
  await t.step("gRPC", async () => {
    await using client = await server.http2();
    const { trailers } = await client.request(call("IssueCapability"), {
      body: EMPTY_MESSAGE.subarray(0, 3),
      unfinished: true,
    });
    assert.ok(trailers.some(([name, value]) => name === "grpc-status" && value === "4"));
  });
  await t.step("Connect over HTTP/1.1", async () => {
    using conn = await server.connect();
    const head = `POST ${SERVICE}/IssueCapability HTTP/1.1\r\nhost: x\r\n` +
      "content-type: application/json\r\ncontent-length: 99999\r\n\r\n{";
    await writeAll(conn, Buffer.from(head));
    assert.match(await readToEnd(conn), /deadline_exceeded/);
  });
});

Deno.test("serveRpc() answers what is thrown at a piece of the request", async () => {
  let held = 0;
  const received = (bytes: number) => {
    held += bytes;
    if (held > 100) throw new ConnectError("too much", Code.ResourceExhausted);
  };
  const { here } = service({ received });
  await using server = here;
  await using client = await server.http2();
  const ask = async (size: number) => {
    const body = Buffer.alloc(5 + size);
    body.writeUInt32BE(size, 1);
    const { trailers } = await client.request(call("IssueCapability"), { body });
    return trailers.find(([name]) => name === "grpc-status")?.[1];
  };
  assert.equal(await ask(0), "0");
  assert.equal(await ask(200), "8");
});
