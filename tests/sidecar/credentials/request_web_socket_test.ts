import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { PlaceholderRefusal } from "../../../src/sidecar/credentials/request_place.ts";
import { SwappedWebSocket } from "../../../src/sidecar/credentials/request_web_socket.ts";
import { FOREIGN, OWN, resolve, search, SECRET } from "./request_support.ts";

const FINAL = 0x80;
const TEXT = 1;
const BINARY = 2;
const PING = 9;
const MASK = [1, 2, 3, 4];

/** A frame as a client sends it. */
function frame(first: number, text: string, mask: readonly number[] = MASK): Buffer {
  const payload = Buffer.from(text);
  const size = payload.length;
  const length = size < 126
    ? [size]
    : size < 65_536
    ? [126, size >> 8, size & 0xff]
    : [127, 0, 0, 0, 0, size >>> 24, (size >> 16) & 0xff, (size >> 8) & 0xff, size & 0xff];
  length[0]! |= 0x80;
  return Buffer.from([first, ...length, ...mask, ...payload.map((byte, i) => byte ^ mask[i % 4]!)]);
}

interface Message {
  readonly opcode: number;
  readonly text: string;
}

/** What a server makes of the bytes that it gets; control frames stand where they came. */
function messages(bytes: Buffer): Message[] {
  const all: Message[] = [];
  let open: { opcode: number; text: string } | undefined;
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at]!;
    const short = bytes[at + 1]! & 0x7f;
    assert.ok((bytes[at + 1]! & 0x80) !== 0, "a client masks");
    at += 2;
    let size = short;
    if (short === 126) size = bytes.readUInt16BE(at);
    if (short === 127) size = Number(bytes.readBigUInt64BE(at));
    at += short === 126 ? 2 : short === 127 ? 8 : 0;
    const mask = bytes.subarray(at, at += 4);
    const text = Buffer.from(bytes.subarray(at, at += size).map((byte, i) => byte ^ mask[i % 4]!))
      .toString();
    const opcode = first & 0x0f;
    if (opcode >= 8) {
      all.push({ opcode, text });
      continue;
    }
    assert.equal(opcode === 0, open !== undefined);
    open ??= { opcode, text: "" };
    open.text += text;
    if ((first & FINAL) === 0) continue;
    all.push(open);
    open = undefined;
  }
  assert.equal(open, undefined, "the last message is whole");
  return all;
}

function through(bytes: Buffer, sizes: readonly number[] = [1e9]): Message[] {
  const socket = new SwappedWebSocket(search, resolve);
  const out: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    out.push(Buffer.from(socket.push(bytes.subarray(at, at + size))));
    at += size;
  }
  return messages(Buffer.concat(out));
}

const identify = JSON.stringify({ op: 2, d: { token: OWN, name: "x" } });
const identified = JSON.stringify({ op: 2, d: { token: SECRET, name: "x" } });

Deno.test("SwappedWebSocket swaps members for secrets in messages of text", () => {
  const sent = Buffer.concat([
    frame(FINAL | TEXT, identify),
    frame(FINAL | PING, "are you there"),
    frame(FINAL | BINARY, "\0\u0001binary"),
    frame(FINAL | TEXT, "no JSON at all"),
    frame(FINAL | TEXT, ""),
  ]);
  assert.deepEqual(through(sent), [
    { opcode: TEXT, text: identified },
    { opcode: PING, text: "are you there" },
    { opcode: BINARY, text: "\0\u0001binary" },
    { opcode: TEXT, text: "no JSON at all" },
    { opcode: TEXT, text: "" },
  ]);
});

Deno.test("SwappedWebSocket does the same however messages and bytes are cut, with pings between", () => {
  const cuts = fc.array(fc.integer({ min: 0, max: identify.length }), { maxLength: 5 });
  const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });
  fc.assert(fc.property(cuts, sizes, (cuts, sizes) => {
    const places = [0, ...cuts.sort((a, b) => a - b), identify.length];
    const frames = places.slice(1).flatMap((end, i) => {
      const last = i === places.length - 2;
      const part = frame(
        (last ? FINAL : 0) | (i === 0 ? TEXT : 0),
        identify.slice(places[i]!, end),
      );
      return last ? [part] : [part, frame(FINAL | PING, `${i}`)];
    });
    const said = through(Buffer.concat(frames), sizes);
    assert.deepEqual(said.filter(({ opcode }) => opcode === TEXT).map(({ text }) => text), [
      identified,
    ]);
    assert.equal(said.length, frames.length - (places.length - 2));
  }));
});

Deno.test("SwappedWebSocket passes long messages on as they come", () => {
  const text = JSON.stringify({ note: "x".repeat(200_000), token: OWN });
  const socket = new SwappedWebSocket(search, resolve);
  const bytes = frame(FINAL | TEXT, text);
  const first = socket.push(bytes.subarray(0, 100_000));
  assert.ok(first.length > 90_000, "nothing waits that may go");
  const rest = socket.push(bytes.subarray(100_000));
  const [message] = messages(Buffer.concat([first, rest]));
  assert.equal(message!.text, JSON.stringify({ note: "x".repeat(200_000), token: SECRET }));
});

Deno.test("SwappedWebSocket refuses placeholders wherever else they are", () => {
  const attempts: Record<string, Buffer> = {
    "text of a message": frame(FINAL | TEXT, JSON.stringify({ content: OWN })),
    "a foreign one": frame(FINAL | TEXT, JSON.stringify({ token: FOREIGN })),
    "no JSON": frame(FINAL | TEXT, OWN),
    "binary": frame(FINAL | BINARY, OWN),
    "a ping": frame(FINAL | PING, OWN),
    "in two fragments": Buffer.concat([
      frame(BINARY, OWN.slice(0, 20)),
      frame(FINAL, OWN.slice(20)),
    ]),
    "in two fragments with a ping between": Buffer.concat([
      frame(BINARY, OWN.slice(0, 20)),
      frame(FINAL | PING, "x"),
      frame(FINAL, OWN.slice(20), [9, 8, 7, 6]),
    ]),
  };
  for (const [name, bytes] of Object.entries(attempts)) {
    assert.throws(() => through(bytes), PlaceholderRefusal, name);
    assert.throws(() => through(bytes, [1]), PlaceholderRefusal, name);
  }
});

Deno.test("SwappedWebSocket refuses frames that it could not look into", () => {
  const attempts: Record<string, Buffer> = {
    "compressed": frame(FINAL | 0x40 | TEXT, "x"),
    "not masked": Buffer.from([FINAL | TEXT, 1, 0x78]),
    "a continuation of nothing": frame(FINAL, "x"),
    "a message within another": Buffer.concat([frame(TEXT, "x"), frame(FINAL | TEXT, "y")]),
    "a ping in parts": frame(PING, "x"),
    "a long ping": frame(FINAL | PING, "x".repeat(126)),
    "longer than any": Buffer.from([FINAL | TEXT, 0xff, ...Array(8).fill(0xff), ...MASK]),
  };
  for (const [name, bytes] of Object.entries(attempts)) {
    const socket = new SwappedWebSocket(search, resolve);
    assert.throws(() => socket.push(bytes), PlaceholderRefusal, name);
  }
});
