import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as h2 from "../../../../src/net/http2/frame.ts";
import { type Frame, FrameReader } from "../../../../src/net/http2/frame_reader.ts";
import { Http2UpstreamSession } from "../../../../src/sidecar/transport/http2/upstream_session.ts";
import type {
  OutgoingRequest,
  UpstreamFailure,
} from "../../../../src/sidecar/transport/upstream.ts";
import { Watchdog } from "../../../../src/net/watchdog.ts";
import { eventually } from "../_harness.ts";
import { headers } from "../../../net/http2/_wire.ts";

const REQUEST: OutgoingRequest = {
  method: "GET",
  scheme: "https",
  authority: "api.test",
  target: "/",
  fields: [],
  spellings: undefined,
  takesTrailers: false,
  webSocket: false,
  body: undefined,
};
const OBSERVER = { informed: () => {}, sent: () => {}, sentAll: () => {} };

/** A session, and bare frames as its upstream. */
class Rig implements AsyncDisposable {
  readonly frames: Frame[] = [];
  lost = 0;
  readonly session: Http2UpstreamSession;
  readonly #server: Deno.Conn;
  readonly #watchdog = new Watchdog(50);
  readonly #reading: Promise<void>;

  private constructor(client: Deno.Conn, server: Deno.Conn) {
    this.#server = server;
    this.session = new Http2UpstreamSession(client, {
      watchdog: this.#watchdog,
      idleMs: 60_000,
      headBytes: 65_536,
      lost: () => this.lost++,
    });
    this.#reading = this.#read();
  }

  static async start(...settings: [number, number][]): Promise<Rig> {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted = listener.accept();
    const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
    const rig = new Rig(client, await accepted);
    listener.close();
    await rig.send(h2.settingsFrame(settings));
    await eventually(() => rig.frames.some(({ flags }) => flags === h2.ACK), "the acknowledgement");
    return rig;
  }

  async send(...frames: Buffer[]): Promise<void> {
    const bytes = Buffer.concat(frames);
    for (let at = 0; at < bytes.length;) at += await this.#server.write(bytes.subarray(at));
  }

  /** Streams that the session has opened. */
  get opened(): number[] {
    return this.frames.filter(({ type }) => type === h2.HEADERS).map(({ streamId }) => streamId);
  }

  call() {
    const call = this.session.call(REQUEST, OBSERVER);
    const outcome = call.response.then(({ status }) => status, (error: UpstreamFailure) => error);
    return { call, outcome };
  }

  async answer(id: number): Promise<void> {
    await this.send(headers(id, [[":status", "204"]]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session.close();
    await this.#reading;
    this.#server.close();
    this.#watchdog.close();
  }

  async #read(): Promise<void> {
    const reader = new FrameReader(true, 65_536);
    const space = new Uint8Array(65_536);
    for (;;) {
      const count = await this.#server.read(space).catch(() => null);
      if (count === null) return;
      this.frames.push(...reader.read(Buffer.from(space.subarray(0, count))));
    }
  }
}

Deno.test("call() waits for its turn where the upstream takes one call at a time", async () => {
  await using rig = await Rig.start([h2.MAX_CONCURRENT_STREAMS, 1]);
  const calls = [rig.call(), rig.call(), rig.call()];
  for (const [i, { call, outcome }] of calls.entries()) {
    await eventually(() => rig.opened.length === i + 1, "the stream");
    await rig.answer(i * 2 + 1);
    assert.equal(await outcome, 204);
    call.finish();
  }
  assert.deepEqual(rig.opened, [1, 3, 5]);
});

Deno.test("call() that is given up while it waits leaves no trace and takes nobody's turn", async () => {
  await using rig = await Rig.start([h2.MAX_CONCURRENT_STREAMS, 1]);
  const [first, second, third] = [rig.call(), rig.call(), rig.call()];
  await eventually(() => rig.opened.length === 1, "the stream");
  second.call.abort();
  assert.ok(await second.outcome instanceof Error);
  await rig.answer(1);
  assert.equal(await first.outcome, 204);
  first.call.finish();
  await eventually(() => rig.opened.length === 2, "the stream");
  await rig.answer(3);
  assert.equal(await third.outcome, 204);
  third.call.finish();
  assert.deepEqual(rig.opened, [1, 3]);
  assert.ok(rig.frames.every(({ type }) => type !== h2.RST_STREAM));
});

Deno.test("call() goes on when the upstream takes more calls than it first said", async () => {
  await using rig = await Rig.start([h2.MAX_CONCURRENT_STREAMS, 0]);
  const calls = [rig.call(), rig.call(), rig.call()];
  await rig.send(h2.settingsFrame([[h2.MAX_CONCURRENT_STREAMS, 3]]));
  await eventually(() => rig.opened.length === 3, "the streams");
  for (const id of [1, 3, 5]) await rig.answer(id);
  for (const { outcome } of calls) assert.equal(await outcome, 204);
});

Deno.test("call() that waits is given back when the upstream says good-bye", async () => {
  await using rig = await Rig.start([h2.MAX_CONCURRENT_STREAMS, 1]);
  const [first, second] = [rig.call(), rig.call()];
  await eventually(() => rig.opened.length === 1, "the stream");
  await rig.send(h2.numbersFrame(h2.GOAWAY, 0, 1, h2.NO_ERROR));
  const failure = await second.outcome as UpstreamFailure;
  assert.equal(failure.unanswered, true);
  assert.ok(rig.lost > 0);
  await rig.answer(1);
  assert.equal(await first.outcome, 204);
});

Deno.test("call() takes hints, but not without end", async () => {
  await using rig = await Rig.start();
  const hint = (id: number) => headers(id, [[":status", "103"]], false);
  const good = rig.call();
  await rig.send(hint(1), hint(1), headers(1, [[":status", "204"]]));
  assert.equal(await good.outcome, 204);
  const bad = rig.call();
  await eventually(() => rig.opened.length === 2, "the stream");
  await rig.send(...Array<Buffer>(100).fill(hint(3)));
  assert.match((await bad.outcome as Error).message, /too many interim heads/);
});

const BAD_HEADS: Readonly<
  Record<string, readonly [readonly (readonly [string, string])[], RegExp]>
> = {
  "no status": [[["x-a", "1"]], /:status/],
  "a status of two digits": [[[":status", "20"]], /:status/],
  "a switch of protocols": [[[":status", "101"]], /:status/],
  "a pseudo-header of requests": [[[":status", "200"], [":path", "/"]], /pseudo-header/],
  "a field of the connection": [[[":status", "200"], ["connection", "close"]], /connection/],
  "a line break": [[[":status", "200"], ["x-a", "1\r\nx-b: 2"]], /malformed value/],
  "a length without a body": [[[":status", "200"], ["content-length", "5"]], /without its body/],
};

for (const [what, [fields, fault]] of Object.entries(BAD_HEADS)) {
  Deno.test(`call() refuses a response with ${what}`, async () => {
    await using rig = await Rig.start();
    const { outcome } = rig.call();
    await eventually(() => rig.opened.length === 1, "the stream");
    await rig.send(headers(1, fields));
    assert.match((await outcome as Error).message, fault);
  });
}

Deno.test("close() does not wait for an upstream that reads nothing", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const server = await accepted;
  listener.close();
  const watchdog = new Watchdog(50);
  const options = { watchdog, idleMs: 60_000, headBytes: 65_536, lost: () => {} };
  const session = new Http2UpstreamSession(client, options);
  const windows = [
    h2.settingsFrame([[h2.INITIAL_WINDOW_SIZE, h2.MAX_WINDOW]]),
    h2.numbersFrame(h2.WINDOW_UPDATE, 0, h2.MAX_WINDOW - h2.DEFAULT_WINDOW),
  ];
  await server.write(Buffer.concat(windows));
  let sent = 0;
  const piece = new Uint8Array(1_000_000);
  const body = {
    length: undefined,
    trailers: [],
    take: () => piece,
    wait: () => Promise.resolve(),
  };
  const observer = { ...OBSERVER, sent: (count: number) => sent += count };
  const { response } = session.call({ ...REQUEST, method: "POST", body }, observer);
  const outcome = response.catch((error) => error);
  let before = -1;
  await eventually(() => {
    const still = sent === before && sent > 1_000_000;
    before = sent;
    return still;
  }, "the connection to be full");
  await session.close();
  assert.ok(await outcome instanceof Error);
  server.close();
  watchdog.close();
});
