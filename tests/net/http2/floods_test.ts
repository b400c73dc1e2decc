/** What a peer may ask of a connection for nothing, and how much memory it may make it hold. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as h2 from "../../../src/net/http2/frame.ts";
import { data, flushed, GET, headers, ping, reset, takeAll, widen, Wire } from "./_wire.ts";

const NOTHING = Buffer.alloc(0);

/** Frames that cost the peer next to nothing: ten thousand at once are too many. */
const FLOODS: Readonly<Record<string, (i: number) => Buffer>> = {
  "PING (CVE-2019-9512)": ping,
  "SETTINGS (CVE-2019-9515)": () => h2.settingsFrame([]),
  "acknowledgements": () => h2.frame(h2.SETTINGS, h2.ACK, 0, NOTHING),
  "empty DATA (CVE-2019-9518)": () => data(1, 0),
  "WINDOW_UPDATE (CVE-2019-9511)": () => widen(0, 1),
  "PRIORITY (CVE-2019-9513)": () => h2.frame(h2.PRIORITY, 0, 1, Buffer.alloc(5)),
  "unknown frames": () => h2.frame(0x42, 0, 0, NOTHING),
  "GOAWAY": () => h2.numbersFrame(h2.GOAWAY, 0, 0, 0),
};

for (const [what, frame] of Object.entries(FLOODS)) {
  Deno.test(`receive() ends a flood of ${what}`, async () => {
    const wire = Wire.open();
    wire.send(headers(1, GET, false));
    // As much as any client sends in good faith.
    for (let i = 0; i < 100; i++) {
      wire.send(...Array.from({ length: 90 }, (_, j) => frame(i * 90 + j)));
    }
    assert.equal(wire.closed, undefined);
    const since = performance.now();
    let sent = 9_000;
    while (wire.closed === undefined && sent < 1_000_000) {
      wire.send(...Array.from({ length: 1_000 }, (_, j) => frame(j)));
      sent += 1_000;
    }
    const allowed = 10_000 + (performance.now() - since + 1_000) * 2;
    assert.ok(sent <= allowed + 1_000, `${sent} frames`);
    assert.equal(await wire.goodbye(), h2.ENHANCE_YOUR_CALM);
  });
}

/** Streams that are opened in vain: a thousand at once are too many. */
const RESETS: Readonly<Record<string, (id: number) => Buffer[]>> = {
  "by the client (CVE-2023-44487)": (id) => [headers(id), reset(id)],
  "by the server, for its window (CVE-2025-8671)": (id) => [headers(id), widen(id, 0)],
  "by the server, for DATA after the end": (id) => [headers(id), data(id, 1)],
  "by the server, for HEADERS after the end": (id) => [headers(id), headers(id)],
  "by the server, for a window beyond all bounds": (id) => [headers(id), widen(id, h2.MAX_WINDOW)],
};

for (const [what, frames] of Object.entries(RESETS)) {
  Deno.test(`receive() ends a flood of streams that are reset ${what}`, async () => {
    const wire = Wire.open();
    const since = performance.now();
    let id = 1;
    for (let i = 0; i < 900; i++, id += 2) wire.send(...frames(id));
    assert.equal(wire.closed, undefined);
    for (; wire.closed === undefined && id < 100_000; id += 2) wire.send(...frames(id));
    const allowed = 1_000 + (performance.now() - since) / 10;
    assert.ok(wire.streams.length <= allowed + 10, `${wire.streams.length} streams`);
    assert.equal(await wire.goodbye(), h2.ENHANCE_YOUR_CALM);
  });
}

Deno.test("receive() ends a flood of streams beyond the limit", async () => {
  const wire = Wire.open();
  for (let id = 1; wire.closed === undefined && id < 100_000; id += 2) wire.send(headers(id));
  assert.equal(wire.streams.length, 8);
  assert.equal(await wire.goodbye(), h2.ENHANCE_YOUR_CALM);
});

Deno.test("receive() takes a ping with each frame of a body, as clients that measure send them", async () => {
  const wire = Wire.open();
  wire.send(headers(1, GET, false));
  const [stream] = wire.streams;
  for (let i = 0; i < 30_000; i++) {
    wire.send(data(1, 100), ping());
    takeAll(stream!);
    if (i % 100 === 0) await flushed();
  }
  assert.equal(wire.closed, undefined);
});

Deno.test("a peer that does not read what it asks for is cut off", async () => {
  const wire = Wire.open();
  wire.blocked = new Promise(() => {});
  wire.send(headers(1, GET, false));
  await flushed();
  for (let i = 0; wire.closed === undefined && i < 100_000; i++) {
    wire.send(data(1, 50), ping());
    takeAll(wire.streams[0]!);
    if (i % 100 === 0) await flushed();
  }
  assert.match(wire.closed?.error?.message ?? "", /does not read/);
});

Deno.test("what waits for a reader holds memory in proportion, however it is cut", async () => {
  const wire = Wire.open();
  wire.send(headers(1, GET, false));
  // One byte a frame, each within something large that was read at once.
  for (let i = 0; i < 500; i++) {
    const large = Buffer.alloc(60_000);
    const frames = Buffer.concat([data(1, 1), h2.frame(0x42, 0, 0, NOTHING)]);
    frames.copy(large);
    wire.connection.receive(large.subarray(0, frames.length));
  }
  const [stream] = wire.streams;
  const pieces: Uint8Array[] = [];
  for (let piece = stream!.take(); piece; piece = stream!.take()) pieces.push(piece);
  assert.equal(pieces.reduce((sum, { length }) => sum + length, 0), 500);
  const held = pieces.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  assert.ok(held <= 20_000, `${held} bytes are held for 500`);
  await flushed();
});
