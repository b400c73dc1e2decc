/** Two connections, joined in memory, under schedules that nobody would think of. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { Http2Connection } from "../../../src/net/http2/connection.ts";
import * as h2 from "../../../src/net/http2/frame.ts";
import type { Http2Stream } from "../../../src/net/http2/stream.ts";
import { data, flushed, GET, headers, takeAll, widen, Wire } from "./_wire.ts";

const STREAM_WINDOW = 65_535;
const CONNECTION_WINDOW = 100_000;

/** Keeps account of what a side may send, from nothing but the bytes on the wire. */
class Ledger {
  connection = h2.DEFAULT_WINDOW;
  initial = h2.DEFAULT_WINDOW;
  readonly streams = new Map<number, number>();

  sent(bytes: Buffer): void {
    for (const { type, id, payload } of framesOf(bytes)) {
      if (type === h2.HEADERS && !this.streams.has(id)) this.streams.set(id, this.initial);
      if (type !== h2.DATA) continue;
      this.connection -= payload.length;
      const left = (this.streams.get(id) ?? this.initial) - payload.length;
      this.streams.set(id, left);
      assert.ok(payload.length === 0 || left >= 0, `stream ${id} overdraws by ${-left}`);
      assert.ok(this.connection >= 0, `connection overdraws by ${-this.connection}`);
    }
  }

  /** The other side has said this, and it has arrived. */
  heard(bytes: Buffer): void {
    for (const { type, flags, id, payload } of framesOf(bytes)) {
      if (type === h2.HEADERS && !this.streams.has(id)) this.streams.set(id, this.initial);
      if (type === h2.WINDOW_UPDATE) {
        const by = payload.readUInt32BE(0);
        if (id === 0) this.connection += by;
        else this.streams.set(id, (this.streams.get(id) ?? this.initial) + by);
      }
      if (type !== h2.SETTINGS || (flags & h2.ACK) !== 0) continue;
      for (let at = 0; at < payload.length; at += 6) {
        if (payload.readUInt16BE(at) !== h2.INITIAL_WINDOW_SIZE) continue;
        const by = payload.readUInt32BE(at + 2) - this.initial;
        this.initial += by;
        for (const [id, left] of this.streams) this.streams.set(id, left + by);
      }
    }
  }
}

function* framesOf(bytes: Buffer) {
  const preface = bytes.subarray(0, h2.PREFACE.length).equals(h2.PREFACE);
  for (let at = preface ? h2.PREFACE.length : 0; at < bytes.length;) {
    const end = at + h2.FRAME_HEADER + bytes.readUIntBE(at, 3);
    yield {
      type: bytes[at + 3]!,
      flags: bytes[at + 4]!,
      id: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + h2.FRAME_HEADER, end),
    };
    at = end;
  }
}

/** One side, with what it has written and the other has not received yet. */
class Side {
  readonly connection: Http2Connection;
  readonly ledger = new Ledger();
  readonly onTheWay: Buffer[] = [];
  readonly opened: Http2Stream[] = [];
  error: Error | undefined;
  peer!: Side;
  #writes: (() => void)[] = [];

  constructor(role: "client" | "server") {
    const windows = { streamWindow: STREAM_WINDOW, connectionWindow: CONNECTION_WINDOW };
    this.connection = new Http2Connection(
      {
        write: (bytes) => {
          this.ledger.sent(bytes);
          this.onTheWay.push(bytes);
          return new Promise((resolve) => this.#writes.push(resolve));
        },
        end: () => {},
      },
      { role, ...windows, maxStreams: 100, headBytes: 16_384 },
      {
        opened: (stream) => this.opened.push(stream),
        goingAway: () => {},
        room: () => {},
        closed: (error) => void (this.error = error ?? this.error),
      },
    );
  }

  /** Delivers up to `size` bytes of what was written. */
  async deliver(size: number): Promise<void> {
    const all = Buffer.concat(this.onTheWay.splice(0));
    if (size < all.length) this.onTheWay.push(all.subarray(size));
    this.#arrived(all.subarray(0, size));
    this.peer.connection.receive(Buffer.from(all.subarray(0, size)));
    for (const written of this.#writes.splice(0)) written();
    await flushed();
  }

  /** The ledger of the peer counts whole frames: what came of one is kept until the rest has. */
  #arrived(bytes: Buffer): void {
    let rest = Buffer.concat([this.#part, bytes]);
    const preface = this.#first && this.connection.active >= 0 &&
      rest.subarray(0, 3).equals(h2.PREFACE.subarray(0, 3));
    if (preface) {
      if (rest.length < h2.PREFACE.length) return void (this.#part = rest);
      rest = rest.subarray(h2.PREFACE.length);
    }
    this.#first = false;
    let at = 0;
    while (at + 9 <= rest.length && at + 9 + rest.readUIntBE(at, 3) <= rest.length) {
      at += 9 + rest.readUIntBE(at, 3);
    }
    this.peer.ledger.heard(rest.subarray(0, at));
    this.#part = Buffer.from(rest.subarray(at));
  }
  #part = Buffer.alloc(0);
  #first = true;
}

const STEP = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ send: fc.integer({ min: 1, max: 90_000 }), stream: fc.nat(5) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ deliver: fc.integer({ min: 1, max: 70_000 }), up: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ take: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({ resize: fc.constantFrom(0, 1, 100, 16_384, 50_000, 65_535) }),
  },
  { weight: 1, arbitrary: fc.record({ give: fc.nat(5) }) },
);

Deno.test("no schedule makes a side send more than its peer allows, and nothing is lost", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(STEP, { minLength: 10, maxLength: 50, size: "max" }),
      async (steps) => {
        const client = new Side("client");
        const server = new Side("server");
        client.peer = server;
        server.peer = client;
        await flushed();
        const streams = Array.from({ length: 6 }, () => client.connection.open(GET, false));
        const bodies = streams.map(() => ({ wanted: 0, taken: 0, ended: false, over: false }));
        const sending = streams.map(() => Promise.resolve());
        const take = (i: number) => {
          const stream = server.opened.find(({ id }) => id === i * 2 + 1);
          if (stream === undefined || bodies[i]!.over) return;
          for (let piece = stream.take(); piece; piece = stream.take()) {
            bodies[i]!.taken += piece.length;
          }
        };
        const send = (i: number, size: number, end: boolean) => {
          if (bodies[i]!.ended || bodies[i]!.over) return;
          bodies[i]!.wanted += size;
          bodies[i]!.ended = end;
          sending[i] = sending[i]!.then(async () => {
            await streams[i]!.send(Buffer.alloc(size), end);
          }).catch(() => {});
        };
        for (const step of steps) {
          if ("send" in step) send(step.stream, step.send, false);
          else if ("deliver" in step) await (step.up ? client : server).deliver(step.deliver);
          else if ("take" in step) take(step.take);
          else if ("resize" in step) {
            server.onTheWay.push(h2.settingsFrame([[h2.INITIAL_WINDOW_SIZE, step.resize]]));
          } else {
            bodies[step.give]!.over = true;
            streams[step.give]!.reset(h2.CANCEL);
          }
          await flushed();
        }
        // The rest goes through with nothing in its way.
        server.onTheWay.push(h2.settingsFrame([[h2.INITIAL_WINDOW_SIZE, STREAM_WINDOW]]));
        streams.forEach((_, i) => send(i, 0, true));
        for (
          let round = 0;
          round < 400 && bodies.some(({ over, wanted, taken }) => !over && taken < wanted);
          round++
        ) {
          await client.deliver(1_000_000);
          streams.forEach((_, i) => take(i));
          await server.deliver(1_000_000);
        }
        for (const { over, wanted, taken } of bodies) if (!over) assert.equal(taken, wanted);
        assert.deepEqual([client.error, server.error], [undefined, undefined]);
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("a side sends nothing into a window that was withdrawn, and goes on when it is back", async () => {
  const wire = Wire.open("server", [h2.INITIAL_WINDOW_SIZE, 1_000]);
  wire.send(headers(1));
  const [stream] = wire.streams;
  stream!.sendHead([[":status", "200"]], false);
  const sending = stream!.send(Buffer.alloc(3_000), true);
  const sizes = async () =>
    (await wire.frames()).filter(({ type }) => type === h2.DATA).map(({ payload }) =>
      payload.length
    );
  assert.deepEqual(await sizes(), [1_000]);
  wire.send(h2.settingsFrame([[h2.INITIAL_WINDOW_SIZE, 0]]));
  wire.send(widen(1, 1_000));
  assert.deepEqual(await sizes(), [], "the window is at nothing, 1,000 below what was sent");
  wire.send(widen(1, 500));
  assert.deepEqual(await sizes(), [500]);
  wire.send(h2.settingsFrame([[h2.INITIAL_WINDOW_SIZE, 5_000]]));
  assert.deepEqual(await sizes(), [1_500]);
  await sending;
});

Deno.test("a side waits for the window of the connection as well", async () => {
  const wire = Wire.open("server", [h2.INITIAL_WINDOW_SIZE, h2.MAX_WINDOW]);
  wire.send(headers(1));
  const [stream] = wire.streams;
  stream!.sendHead([[":status", "200"]], false);
  const sending = stream!.send(Buffer.alloc(70_000), true);
  const size = async () =>
    (await wire.frames()).filter(({ type }) => type === h2.DATA)
      .reduce((sum, { payload }) => sum + payload.length, 0);
  assert.equal(await size(), 65_535);
  wire.send(widen(0, 10_000));
  assert.equal(await size(), 70_000 - 65_535);
  await sending;
});

Deno.test("a peer may send again as much as was taken, and no more", () => {
  const wire = Wire.open();
  wire.send(headers(1, GET, false));
  const [stream] = wire.streams;
  for (let i = 0; i < 20; i++) {
    wire.send(data(1, 60_000));
    assert.equal(takeAll(stream!).length, 60_000);
  }
  assert.equal(wire.closed, undefined);
  wire.send(data(1, 60_000), data(1, 60_000));
  assert.equal(stream!.resetCode, h2.FLOW_CONTROL_ERROR);
});

Deno.test("what waits for the end of a write goes on when it ends", async () => {
  const wire = Wire.open("server", [h2.INITIAL_WINDOW_SIZE, h2.MAX_WINDOW]);
  wire.send(headers(1), widen(0, h2.MAX_WINDOW - h2.DEFAULT_WINDOW));
  const [stream] = wire.streams;
  const size = 3_000_000;
  stream!.sendHead([[":status", "200"]], false);
  // The sink takes everything at once: nobody tells the stream that there is room again.
  await stream!.send(Buffer.alloc(size), true);
  const sent = (await wire.frames()).filter(({ type }) => type === h2.DATA);
  assert.equal(sent.reduce((sum, { payload }) => sum + payload.length, 0), size);
});
