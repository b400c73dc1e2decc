import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { SessionSecrets } from "../../../src/secrets/session_secrets.ts";
import { MaskedWebSocket } from "../../../src/sidecar/credentials/response_web_socket.ts";

const SECRET = "sk-live-7Qm2Lw9ZtK4vB";
const PLACEHOLDER = "sk-live-PLACEHOLDER_of_another_size";
const TEXT = 0x81;

function masked(...pieces: readonly Uint8Array[]): Buffer {
  const secrets = new SessionSecrets();
  secrets.learn(SECRET, PLACEHOLDER);
  const socket = new MaskedWebSocket(secrets);
  return Buffer.concat(pieces.map((piece) => socket.push(piece)));
}

function frame(first: number, text: string): Buffer {
  const { length } = text;
  const head = length < 126 ? [first, length] : [first, 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), Buffer.from(text)]);
}

/** The messages in unmasked frames, control frames by themselves. */
function messages(bytes: Buffer): string[] {
  const found: string[] = [];
  let open = "";
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at]!;
    let size = bytes[at + 1]!;
    at += 2;
    if (size === 126) {
      size = bytes.readUInt16BE(at);
      at += 2;
    }
    const text = bytes.toString("latin1", at, at + size);
    at += size;
    if ((first & 0x08) !== 0) found.push(`${first & 0x0f}:${text}`);
    else {
      open += text;
      if ((first & 0x80) !== 0) found.push(open);
      if ((first & 0x80) !== 0) open = "";
    }
  }
  return found;
}

Deno.test("MaskedWebSocket leaves frames without secrets as they are", () => {
  const bytes = Buffer.concat([
    frame(TEXT, "hello"),
    frame(0x82, "x".repeat(300)),
    frame(TEXT, ""),
  ]);
  assert.deepEqual(masked(bytes), bytes);
});

Deno.test("MaskedWebSocket masks a secret wherever frames and pieces cut it", () => {
  const text = `{"token":"${SECRET}"}`;
  const shown = `{"token":"${PLACEHOLDER}"}`;
  const whole = frame(TEXT, text);
  assert.deepEqual(masked(whole), frame(TEXT, shown));
  for (let cut = 1; cut < whole.length; cut++) {
    assert.deepEqual(messages(masked(whole.subarray(0, cut), whole.subarray(cut))), [shown]);
  }
  for (let cut = 0; cut <= text.length; cut++) {
    const fragments = Buffer.concat([
      frame(0x01, text.slice(0, cut)),
      frame(0x89, "ping"),
      frame(0x80, text.slice(cut)),
    ]);
    const bytes = [...fragments].map((byte) => Buffer.from([byte]));
    assert.deepEqual(messages(masked(...bytes)), ["9:ping", shown]);
  }
});

Deno.test("MaskedWebSocket masks what pings and closes say", () => {
  const shown = PLACEHOLDER.slice(0, SECRET.length);
  assert.deepEqual(masked(frame(0x89, SECRET)), frame(0x89, shown));
  assert.deepEqual(masked(frame(0x88, `\x03\x68${SECRET}`)), frame(0x88, `\x03\x68${shown}`));
});

Deno.test("MaskedWebSocket passes on nothing that it cannot search", () => {
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ["compressed", [0xc1, 0]],
    ["masked", [TEXT, 0x80, 0, 0, 0, 0]],
    ["continues nothing", [0x80, 0]],
    ["begins within a message", [0x01, 1, 0x61, 0x01, 1, 0x61]],
    ["control frame in fragments", [0x09, 0]],
    ["control frame too long", [0x89, 126, 1, 0]],
    ["longer than anything", [TEXT, 127, 255, 255, 255, 255, 255, 255, 255, 255]],
  ];
  for (const [name, bytes] of cases) {
    assert.throws(() => masked(Buffer.from(bytes)), { name: "UpstreamFailure" }, name);
  }
});
