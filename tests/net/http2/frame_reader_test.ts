import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import * as h2 from "../../../src/net/http2/frame.ts";
import { type Frame, FrameReader } from "../../../src/net/http2/frame_reader.ts";

const HEAD_BYTES = 4_096;
const SETTINGS = h2.settingsFrame([]);
const NOTHING = Buffer.alloc(0);

/** Reads pieces one after another; the frames, and the code that it ended with, if it did. */
function read(pieces: readonly Buffer[], awaitsPreface = false) {
  const reader = new FrameReader(awaitsPreface, HEAD_BYTES);
  const frames: Frame[] = [];
  let code: number | undefined;
  try {
    for (const piece of pieces) {
      for (const frame of reader.read(Buffer.from(piece))) {
        frames.push({ ...frame, payload: Buffer.from(frame.payload) });
      }
    }
  } catch (error) {
    assert.ok(error instanceof h2.ConnectionError, String(error));
    code = error.code;
  }
  return { frames, code, midway: reader.midway };
}

/** A block of `size` bytes as HEADERS and continuations of at most `max` bytes. */
function block(streamId: number, size: number, max: number, end: boolean): Buffer {
  return Buffer.concat(h2.headersFrames(streamId, Buffer.alloc(size, 0x82), end, max));
}

const SANE_FRAME = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 9 }), fc.uint8Array({ maxLength: 300 }), fc.boolean())
    .map(([id, bytes, end]) => h2.frame(h2.DATA, end ? h2.END_STREAM : 0, id, bytes)),
  fc.tuple(
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 0, max: 400 }),
    fc.integer({ min: 10, max: 500 }),
    fc.boolean(),
  ).map((of) => block(...of)),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => h2.frame(h2.PING, 0, 0, bytes)),
  fc.integer({ min: 0, max: 9 }).map((id) => h2.numbersFrame(h2.WINDOW_UPDATE, id, 1)),
  fc.constant(h2.settingsFrame([[h2.INITIAL_WINDOW_SIZE, 5]])),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => h2.frame(0x42, 0xff, 3, bytes)),
);

Deno.test("read() gives the same frames wherever the bytes are cut", () => {
  fc.assert(fc.property(
    fc.array(SANE_FRAME, { maxLength: 6 }),
    fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 30 }),
    (frames, sizes) => {
      const bytes = Buffer.concat([h2.PREFACE, SETTINGS, ...frames]);
      const whole = read([bytes], true);
      assert.equal(whole.code, undefined);
      const cut: Buffer[] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = sizes[i % sizes.length]!;
        cut.push(bytes.subarray(at, at + size));
        at += size;
      }
      assert.deepEqual(read(cut, true), whole);
    },
  ));
});

Deno.test("read() gives the same frames one byte at a time", () => {
  const bytes = Buffer.concat([
    h2.PREFACE,
    SETTINGS,
    block(1, 300, 100, true),
    h2.frame(h2.DATA, h2.END_STREAM, 3, Buffer.from("hello")),
  ]);
  const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
  const { frames } = read(single, true);
  assert.deepEqual(frames, read([bytes], true).frames);
  assert.deepEqual(frames.map(({ type }) => type), [h2.SETTINGS, h2.HEADERS, h2.DATA]);
  assert.equal(frames[1]!.payload.length, 300);
});

Deno.test("read() answers anything else with ConnectionError", () => {
  const anything = fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes));
  const nearly = fc.tuple(
    fc.integer({ min: 0, max: 11 }),
    fc.integer({ min: 0, max: 255 }),
    fc.integer({ min: 0, max: 5 }),
    fc.uint8Array({ maxLength: 40 }),
  ).map((of) => h2.frame(...of));
  fc.assert(
    fc.property(
      fc.array(fc.oneof(anything, nearly), { maxLength: 6 }),
      fc.boolean(),
      (rest, hello) => {
        read(hello ? [SETTINGS, ...rest] : rest);
        read(hello ? [h2.PREFACE, SETTINGS, ...rest] : rest, true);
      },
    ),
    { numRuns: 2_000 },
  );
});

const REFUSED: Readonly<Record<string, readonly [code: number, ...frames: Buffer[]]>> = {
  "a frame that is too large": [
    h2.FRAME_SIZE_ERROR,
    h2.frame(h2.DATA, 0, 1, Buffer.alloc(16_385)).subarray(0, 9),
  ],
  "DATA on stream 0": [h2.PROTOCOL_ERROR, h2.frame(h2.DATA, 0, 0, NOTHING)],
  "HEADERS on stream 0": [h2.PROTOCOL_ERROR, block(0, 1, 10, true)],
  "PRIORITY on stream 0": [h2.PROTOCOL_ERROR, h2.frame(h2.PRIORITY, 0, 0, Buffer.alloc(5))],
  "RST_STREAM on stream 0": [h2.PROTOCOL_ERROR, h2.numbersFrame(h2.RST_STREAM, 0, 0)],
  "SETTINGS on a stream": [h2.PROTOCOL_ERROR, h2.frame(h2.SETTINGS, 0, 1, NOTHING)],
  "PING on a stream": [h2.PROTOCOL_ERROR, h2.frame(h2.PING, 0, 1, Buffer.alloc(8))],
  "GOAWAY on a stream": [h2.PROTOCOL_ERROR, h2.frame(h2.GOAWAY, 0, 1, Buffer.alloc(8))],
  "PUSH_PROMISE": [h2.PROTOCOL_ERROR, h2.frame(h2.PUSH_PROMISE, 0, 1, Buffer.alloc(4))],
  "CONTINUATION without HEADERS": [
    h2.PROTOCOL_ERROR,
    h2.frame(h2.CONTINUATION, h2.END_HEADERS, 1, NOTHING),
  ],
  "CONTINUATION after the end of the block": [
    h2.PROTOCOL_ERROR,
    block(1, 1, 10, false),
    h2.frame(h2.CONTINUATION, h2.END_HEADERS, 1, NOTHING),
  ],
  "CONTINUATION of another stream": [
    h2.PROTOCOL_ERROR,
    h2.frame(h2.HEADERS, 0, 1, NOTHING),
    h2.frame(h2.CONTINUATION, h2.END_HEADERS, 3, NOTHING),
  ],
  "DATA within a header block": [
    h2.PROTOCOL_ERROR,
    h2.frame(h2.HEADERS, 0, 1, NOTHING),
    h2.frame(h2.DATA, 0, 1, NOTHING),
  ],
  "an unknown frame within a header block": [
    h2.PROTOCOL_ERROR,
    h2.frame(h2.HEADERS, 0, 1, NOTHING),
    h2.frame(0x42, 0, 1, NOTHING),
  ],
  "RST_STREAM of a wrong size": [
    h2.FRAME_SIZE_ERROR,
    h2.frame(h2.RST_STREAM, 0, 1, Buffer.alloc(5)),
  ],
  "WINDOW_UPDATE of a wrong size": [
    h2.FRAME_SIZE_ERROR,
    h2.frame(h2.WINDOW_UPDATE, 0, 1, Buffer.alloc(3)),
  ],
  "PING of a wrong size": [h2.FRAME_SIZE_ERROR, h2.frame(h2.PING, 0, 0, Buffer.alloc(7))],
  "PRIORITY of a wrong size": [h2.FRAME_SIZE_ERROR, h2.frame(h2.PRIORITY, 0, 1, Buffer.alloc(4))],
  "GOAWAY that is too short": [h2.FRAME_SIZE_ERROR, h2.frame(h2.GOAWAY, 0, 0, Buffer.alloc(7))],
  "SETTINGS of a wrong size": [h2.FRAME_SIZE_ERROR, h2.frame(h2.SETTINGS, 0, 0, Buffer.alloc(5))],
  "an acknowledgement with settings": [
    h2.FRAME_SIZE_ERROR,
    h2.frame(h2.SETTINGS, h2.ACK, 0, Buffer.alloc(6)),
  ],
  "HEADERS with more padding than there is room": [
    h2.PROTOCOL_ERROR,
    h2.frame(h2.HEADERS, h2.PADDED | h2.END_HEADERS, 1, Buffer.from([3, 0x82, 0])),
  ],
  "HEADERS without the length of their padding": [
    h2.FRAME_SIZE_ERROR,
    h2.frame(h2.HEADERS, h2.PADDED | h2.END_HEADERS, 1, NOTHING),
  ],
  "HEADERS without the priority that they announce": [
    h2.PROTOCOL_ERROR,
    h2.frame(h2.HEADERS, h2.WITH_PRIORITY | h2.END_HEADERS, 1, Buffer.alloc(4)),
  ],
  // CVE-2024-27316 and its kin: a block that never ends, in many or in empty continuations.
  "a header block that is too large": [
    h2.ENHANCE_YOUR_CALM,
    block(1, HEAD_BYTES + 1, 16_384, true),
  ],
  "a header block that is too large in pieces": [h2.ENHANCE_YOUR_CALM, block(1, 9_000, 500, true)],
  "a header block of empty continuations": [
    h2.ENHANCE_YOUR_CALM,
    h2.frame(h2.HEADERS, 0, 1, NOTHING),
    ...Array<Buffer>(64).fill(h2.frame(h2.CONTINUATION, 0, 1, NOTHING)),
  ],
};

for (const [what, [code, ...frames]] of Object.entries(REFUSED)) {
  Deno.test(`read() refuses ${what}`, () => {
    assert.equal(read([SETTINGS, ...frames]).code, code);
  });
}

Deno.test("read() refuses a first frame that is not SETTINGS", () => {
  assert.equal(read([h2.frame(h2.PING, 0, 0, Buffer.alloc(8))]).code, h2.PROTOCOL_ERROR);
  assert.equal(read([h2.frame(h2.SETTINGS, h2.ACK, 0, NOTHING)]).code, h2.PROTOCOL_ERROR);
  assert.equal(read([SETTINGS]).code, undefined);
});

Deno.test("read() refuses a wrong preface at its first wrong byte", () => {
  assert.equal(read([Buffer.from("GET /")], true).code, h2.PROTOCOL_ERROR);
  assert.equal(read([Buffer.from("PRI * HTTP/1")], true).code, h2.PROTOCOL_ERROR);
  assert.equal(read([Buffer.from("PRI * HTTP/2")], true).code, undefined);
});

Deno.test("read() takes what is at the limit", () => {
  const frames = [
    h2.frame(h2.DATA, 0, 1, Buffer.alloc(16_384)),
    block(1, HEAD_BYTES, 64, true),
    h2.frame(h2.HEADERS, h2.PADDED | h2.END_HEADERS, 1, Buffer.from([2, 0x82, 0, 0])),
    h2.frame(
      h2.HEADERS,
      h2.PADDED | h2.WITH_PRIORITY | h2.END_HEADERS,
      1,
      Buffer.from([1, 0, 0, 0, 0, 16, 0x82, 0]),
    ),
    h2.frame(h2.GOAWAY, 0, 0, Buffer.alloc(300)),
    h2.frame(h2.PRIORITY, 0, 7, Buffer.alloc(5)),
  ];
  const seen = read([SETTINGS, ...frames]);
  assert.equal(seen.code, undefined);
  assert.deepEqual(seen.frames.slice(1).map(({ payload }) => payload.length), [
    16_384,
    HEAD_BYTES,
    1,
    1,
    300,
    5,
  ]);
});

Deno.test("midway says that a preface or a header block has begun", () => {
  assert.equal(read([], true).midway, false);
  assert.equal(read([Buffer.from("PRI")], true).midway, true);
  assert.equal(read([h2.PREFACE, SETTINGS], true).midway, false);
  assert.equal(read([SETTINGS, h2.frame(h2.HEADERS, 0, 1, NOTHING)]).midway, true);
  assert.equal(read([SETTINGS, block(1, 10, 4, true)]).midway, false);
});
