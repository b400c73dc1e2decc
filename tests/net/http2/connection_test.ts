/** The life of streams, and what a peer may not do to them (RFC 9113, sections 5 and 6). */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { FieldList } from "../../../src/net/http/exchange.ts";
import * as h2 from "../../../src/net/http2/frame.ts";
import {
  data,
  flushed,
  GET,
  headers,
  reset,
  STREAM_WINDOW,
  takeAll,
  widen,
  Wire,
} from "./_wire.ts";

const OK: FieldList = [[":status", "200"]];
const NOTHING = Buffer.alloc(0);

Deno.test("receive() opens a stream, and the answer ends it", async () => {
  const wire = Wire.open();
  wire.send(headers(1));
  assert.deepEqual(wire.opened, [{ fields: GET, ended: true }]);
  const [stream] = wire.streams;
  stream!.sendHead(OK, false);
  assert.equal(stream!.send(Buffer.from("hello"), true), undefined);
  assert.equal(wire.connection.active, 0);
  const frames = await wire.frames();
  assert.deepEqual(frames.map(({ type }) => type), [h2.SETTINGS, h2.HEADERS, h2.DATA]);
  assert.deepEqual(wire.decoder.decode(frames[1]!.payload).fields, OK);
  assert.equal(frames[2]!.flags, h2.END_STREAM);
  assert.throws(() => stream!.sendHead(OK, true), /closed/);
});

Deno.test("receive() hands a body on, with its trailers", () => {
  const wire = Wire.open();
  wire.send(headers(1, GET, false), data(1, 10), data(1, 5), headers(1, [["x-sum", "1"]]));
  const [stream] = wire.streams;
  assert.equal(takeAll(stream!).length, 15);
  assert.equal(stream!.take(), null);
  assert.deepEqual(stream!.trailers, [["x-sum", "1"]]);
});

Deno.test("receive() drops padding and credits it", async () => {
  const wire = Wire.open();
  wire.send(headers(1, GET, false));
  const padded = Buffer.concat([Buffer.from([255]), Buffer.from("x"), Buffer.alloc(255)]);
  for (let i = 0; i < 300; i++) wire.send(h2.frame(h2.DATA, h2.PADDED, 1, padded));
  assert.equal(takeAll(wire.streams[0]!).length, 300);
  const updates = (await wire.frames()).filter(({ type }) => type === h2.WINDOW_UPDATE);
  assert.ok(updates.some(({ streamId }) => streamId === 1));
  assert.equal(await wire.goodbye(), undefined);
});

Deno.test("a stream that was reset breaks off for both who read and who write", async () => {
  const wire = Wire.open("server", [h2.INITIAL_WINDOW_SIZE, 0]);
  wire.send(headers(1, GET, false), data(1, 5));
  const [stream] = wire.streams;
  let code: number | undefined;
  stream!.handler = { head: () => {}, closed: (why) => code = why };
  stream!.sendHead(OK, false);
  const sending = stream!.send(Buffer.from("hello"), true);
  takeAll(stream!);
  const waiting = stream!.wait();
  wire.send(reset(1, 5));
  assert.equal(code, 5);
  await waiting;
  assert.throws(() => stream!.take(), /reset/);
  await assert.rejects(sending!, /reset/);
  assert.throws(() => stream!.send(NOTHING, true), /closed/);
});

Deno.test("what came of a response before a reset is read before it is heard of", () => {
  const wire = Wire.open("client");
  const stream = wire.connection.open(GET, true);
  stream.handler = { head: (_, ended) => stream.receiving = !ended, closed: () => {} };
  wire.send(headers(1, OK, false), data(1, 5), reset(1));
  assert.equal(stream.take()?.length, 5);
  assert.throws(() => stream.take(), /reset/);
});

Deno.test("a response that came whole is read to its end after a reset", () => {
  const wire = Wire.open("client");
  const stream = wire.connection.open(GET, false);
  stream.handler = { head: (_, ended) => stream.receiving = !ended, closed: () => {} };
  wire.send(headers(1, OK, false), data(1, 5, true), reset(1, h2.NO_ERROR));
  assert.equal(takeAll(stream).length, 5);
  assert.equal(stream.take(), null);
});

Deno.test("what was dropped does not pass for the end of a body", () => {
  const wire = Wire.open("client");
  const stream = wire.connection.open(GET, true);
  stream.handler = { head: (_, ended) => stream.receiving = !ended, closed: () => {} };
  wire.send(headers(1, OK, false), data(1, 5, true));
  stream.reset(h2.CANCEL);
  assert.throws(() => stream.take(), /dropped/);
});

Deno.test("a body beyond its Content-Length is handed out no further", () => {
  for (const [size, fault] of [[5, undefined], [6, /longer/], [4, /not as long/]] as const) {
    const wire = Wire.open();
    wire.serve = (stream) => stream.length = 5;
    wire.send(headers(1, GET, false), data(1, size, true));
    const [stream] = wire.streams;
    if (fault === undefined) assert.equal(takeAll(stream!).length, size);
    else assert.throws(() => takeAll(stream!), fault);
  }
});

Deno.test("a faulty body is neither kept nor answered with a reset of its own", async () => {
  const wire = Wire.open();
  wire.serve = (stream) => stream.length = 5;
  wire.send(headers(1, GET, false), data(1, 6), data(1, 50_000), data(1, 10, true));
  const [stream] = wire.streams;
  assert.throws(() => stream!.take(), /longer/);
  stream!.sendHead([[":status", "403"]], true);
  assert.deepEqual(await wire.resets(), []);
  assert.equal(wire.connection.active, 0);
});

const BAD_TRAILERS: Readonly<Record<string, readonly [FieldList, boolean]>> = {
  "hold a pseudo-header": [[[":path", "/"]], true],
  "do not end the stream": [[["x-sum", "1"]], false],
  "are too large": [Array<[string, string]>(400).fill(["accept-encoding", "gzip, deflate"]), true],
};

for (const [what, [fields, end]] of Object.entries(BAD_TRAILERS)) {
  Deno.test(`a body breaks off whose trailers ${what}`, () => {
    const wire = Wire.open();
    wire.send(headers(1, GET, false), data(1, 5), headers(1, fields, end));
    assert.throws(() => wire.streams[0]!.take(), /trailers/);
  });
}

/** What makes the connection end, and with which code. Stream 1 is open, 3 has ended. */
const FATAL: Readonly<Record<string, readonly [code: number, ...frames: Buffer[]]>> = {
  "an even stream number": [h2.PROTOCOL_ERROR, headers(2)],
  "DATA for a stream that was never opened": [h2.PROTOCOL_ERROR, data(9, 1)],
  "RST_STREAM for a stream that was never opened": [h2.PROTOCOL_ERROR, reset(9)],
  "WINDOW_UPDATE for a stream that was never opened": [h2.PROTOCOL_ERROR, widen(9, 1)],
  "a reset of a stream of the server": [h2.PROTOCOL_ERROR, reset(2)],
  "a connection window that grows by nothing": [h2.PROTOCOL_ERROR, widen(0, 0)],
  "a connection window that is too large": [h2.FLOW_CONTROL_ERROR, widen(0, h2.MAX_WINDOW)],
  "an initial window that is too large": [
    h2.FLOW_CONTROL_ERROR,
    h2.settingsFrame([[h2.INITIAL_WINDOW_SIZE, 0x8000_0000]]),
  ],
  "an initial window that makes another one too large": [
    h2.FLOW_CONTROL_ERROR,
    widen(1, 100),
    h2.settingsFrame([[h2.INITIAL_WINDOW_SIZE, h2.MAX_WINDOW]]),
  ],
  "frames that are too small": [h2.PROTOCOL_ERROR, h2.settingsFrame([[h2.MAX_FRAME_SIZE, 16_383]])],
  "frames that are too large": [
    h2.PROTOCOL_ERROR,
    h2.settingsFrame([[h2.MAX_FRAME_SIZE, 16_777_216]]),
  ],
  "ENABLE_PUSH of 2": [h2.PROTOCOL_ERROR, h2.settingsFrame([[h2.ENABLE_PUSH, 2]])],
  "more than the connection may send": [
    h2.FLOW_CONTROL_ERROR,
    ...[5, 7, 9].flatMap((id) => [headers(id, GET, false), data(id, STREAM_WINDOW - 5_000)]),
  ],
  "DATA with more padding than there is room": [
    h2.PROTOCOL_ERROR,
    h2.frame(h2.DATA, h2.PADDED, 1, Buffer.from([2, 0])),
  ],
  "a header block that cannot be decoded": [
    h2.COMPRESSION_ERROR,
    h2.frame(h2.HEADERS, h2.END_HEADERS, 5, Buffer.from([0x80])),
  ],
  "a header block that cannot be decoded, for a stream that was reset": [
    h2.COMPRESSION_ERROR,
    reset(1),
    h2.frame(h2.HEADERS, h2.END_HEADERS, 1, Buffer.from([0x80])),
  ],
};

for (const [what, [code, ...frames]] of Object.entries(FATAL)) {
  Deno.test(`receive() ends the connection over ${what}`, async () => {
    const wire = Wire.open();
    wire.send(headers(1, GET, false), headers(3));
    wire.send(...frames);
    assert.equal(await wire.goodbye(), code);
    assert.ok(wire.closed?.error instanceof Error);
    assert.ok(wire.ended);
    assert.equal(wire.connection.active, 0);
    wire.send(headers(11));
    assert.ok(wire.streams.every(({ id }) => id !== 11), "it listens no more");
  });
}

/** What makes the stream end and nothing else. Stream 1 is open, 3 waits for its answer. */
const OF_STREAM: Readonly<
  Record<string, readonly [id: number, code: number, ...frames: Buffer[]]>
> = {
  "DATA after the end": [3, h2.STREAM_CLOSED, data(3, 1)],
  "HEADERS after the end": [3, h2.STREAM_CLOSED, headers(3)],
  "a window that grows by nothing": [1, h2.PROTOCOL_ERROR, widen(1, 0)],
  "a window that is too large": [1, h2.FLOW_CONTROL_ERROR, widen(1, h2.MAX_WINDOW)],
  "more than it may send": [1, h2.FLOW_CONTROL_ERROR, data(1, STREAM_WINDOW + 1)],
};

for (const [what, [id, code, ...frames]] of Object.entries(OF_STREAM)) {
  Deno.test(`receive() resets a stream over ${what}`, async () => {
    const wire = Wire.open();
    wire.send(headers(1, GET, false), headers(3));
    wire.send(...frames);
    assert.deepEqual(await wire.resets(), [[id, code]]);
    wire.send(headers(5));
    wire.streams.at(-1)!.sendHead(OK, true);
    assert.equal((await wire.frames()).at(-1)?.type, h2.HEADERS, "others go on");
    assert.equal(wire.closed, undefined);
  });
}

Deno.test("receive() refuses streams beyond the limit, and takes more once others have ended", async () => {
  const wire = Wire.open();
  for (let id = 1; id <= 19; id += 2) wire.send(headers(id));
  assert.equal(wire.streams.length, 8);
  assert.deepEqual(await wire.resets(), [[17, h2.REFUSED_STREAM], [19, h2.REFUSED_STREAM]]);
  wire.streams[0]!.sendHead(OK, true);
  wire.send(headers(21));
  assert.equal(wire.streams.length, 9);
});

Deno.test("receive() opens no stream a second time", () => {
  const wire = Wire.open();
  wire.send(headers(5));
  wire.streams[0]!.sendHead(OK, true);
  wire.send(headers(5), headers(3));
  assert.equal(wire.streams.length, 1);
  assert.equal(wire.closed, undefined);
});

Deno.test("receive() takes what crosses a reset on its way, and credits it", async () => {
  const wire = Wire.open();
  for (let id = 1; id < 60; id += 2) {
    wire.send(headers(id, GET, false), data(id, 60_000));
    wire.streams.at(-1)!.reset(h2.NO_ERROR);
    wire.send(data(id, 30_000, true), widen(id, 5), reset(id));
    await flushed();
  }
  assert.equal(wire.closed, undefined, "the window of the connection has run dry");
});

Deno.test("receive() says that a list of headers is too large", () => {
  const wire = Wire.open();
  const many = Array<[string, string]>(400).fill(["accept-encoding", "gzip, deflate"]);
  wire.send(headers(1, [...GET, ...many]));
  assert.deepEqual(wire.opened, [{ fields: undefined, ended: true }]);
});

Deno.test("GOAWAY of a client lets its streams end", async () => {
  const wire = Wire.open();
  wire.send(headers(1), h2.numbersFrame(h2.GOAWAY, 0, 0, h2.NO_ERROR));
  wire.streams[0]!.sendHead(OK, true);
  assert.equal((await wire.frames()).at(-1)?.type, h2.HEADERS);
  assert.equal(wire.closed, undefined);
});

Deno.test("GOAWAY of a server gives back the streams that it will not serve", () => {
  const wire = Wire.open("client");
  const codes: [number, number | undefined][] = [];
  for (let i = 0; i < 3; i++) {
    const stream = wire.connection.open(GET, true);
    stream.handler = { head: () => {}, closed: (code) => codes.push([stream.id, code]) };
  }
  wire.send(h2.numbersFrame(h2.GOAWAY, 0, 3, h2.NO_ERROR));
  assert.deepEqual(codes, [[5, h2.REFUSED_STREAM]]);
  assert.equal(wire.connection.active, 2);
});

Deno.test("a client takes no streams and no pushes from its server", async () => {
  for (const frame of [headers(2), h2.frame(h2.PUSH_PROMISE, h2.END_HEADERS, 1, Buffer.alloc(8))]) {
    const wire = Wire.open("client");
    wire.connection.open(GET, true);
    wire.send(frame);
    assert.equal(await wire.goodbye(), h2.PROTOCOL_ERROR);
  }
});

Deno.test("a client takes no body before its head", async () => {
  const wire = Wire.open("client");
  wire.connection.open(GET, true);
  wire.send(data(1, 1));
  assert.deepEqual(await wire.resets(), [[1, h2.STREAM_CLOSED]]);
});

Deno.test("open() goes up to what the server allows", () => {
  const wire = Wire.open("client", [h2.MAX_CONCURRENT_STREAMS, 1]);
  assert.equal(wire.connection.hasRoom, true);
  const stream = wire.connection.open(GET, true);
  assert.equal(wire.connection.hasRoom, false);
  stream.reset(h2.CANCEL);
  assert.equal(wire.connection.hasRoom, true);
});

Deno.test("receive() answers pings and settings, and overlooks what it does not know", async () => {
  const wire = Wire.open();
  const body = Buffer.from("12345678");
  wire.send(
    h2.frame(h2.PING, 0, 0, body),
    h2.frame(h2.PING, h2.ACK, 0, body),
    h2.frame(h2.PRIORITY, 0, 77, Buffer.alloc(5)),
    h2.frame(0x42, 0xff, 5, body),
    h2.settingsFrame([[0x7777, 1]]),
  );
  const frames = (await wire.frames()).map(({ type, flags }) => [type, flags]);
  assert.deepEqual(frames, [[h2.SETTINGS, h2.ACK], [h2.PING, h2.ACK], [h2.SETTINGS, h2.ACK]]);
});

Deno.test("nothing throws into whoever sends to a peer that does not read", async () => {
  const wire = Wire.open();
  wire.blocked = new Promise(() => {});
  wire.send(...[1, 3, 5, 7, 9, 11, 13, 15].map((id) => headers(id, GET, false)));
  await flushed();
  const large: FieldList = [[":status", "200"], ["x-a", "a".repeat(15_000)]];
  const heads = wire.streams.map(async (stream) => {
    for (let i = 0; i < 20; i++) {
      await stream.room();
      stream.sendHead(large, false);
    }
  });
  await flushed();
  assert.equal(wire.closed, undefined, "heads wait for room");
  wire.connection.close();
  for (const head of heads) await assert.rejects(head, /closed/);
  for (const stream of wire.streams) stream.reset(h2.CANCEL);
});

Deno.test("lost() ends everything that waits", async () => {
  const wire = Wire.open("server", [h2.INITIAL_WINDOW_SIZE, 0]);
  wire.send(headers(1, GET, false));
  const [stream] = wire.streams;
  stream!.sendHead(OK, false);
  const sending = stream!.send(Buffer.from("x"), true);
  const waiting = stream!.wait();
  wire.connection.lost();
  await waiting;
  assert.throws(() => stream!.take(), /reset/);
  await assert.rejects(sending!, /reset/);
  assert.deepEqual(wire.closed, { error: undefined });
  wire.connection.close();
});

Deno.test("close() says good-bye without an error, once", async () => {
  const wire = Wire.open();
  wire.connection.close();
  wire.connection.close();
  wire.connection.lost();
  assert.equal(await wire.goodbye(), h2.NO_ERROR);
  assert.deepEqual(wire.closed, { error: undefined });
});

Deno.test("a handler that throws ends its connection, and no other thing", async () => {
  const wire = Wire.open();
  wire.serve = () => {
    throw new Error("boom");
  };
  wire.send(headers(1));
  assert.equal(await wire.goodbye(), h2.INTERNAL_ERROR);
});
