import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  type ClientHelloReading,
  parseClientHello,
} from "../../../src/sidecar/transport/client_hello.ts";

const LIMIT = 65_536;

function sized(size: 1 | 2 | 3, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(size);
  length.writeUIntBE(body.length, 0, size);
  return Buffer.concat([length, body]);
}

function number16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}

function extension(type: number, ...parts: Buffer[]): Buffer {
  return Buffer.concat([number16(type), sized(2, ...parts)]);
}

function serverName(...names: string[]): Buffer {
  const entries = names.map((name) =>
    Buffer.concat([Buffer.from([0]), sized(2, Buffer.from(name, "latin1"))])
  );
  return extension(0, sized(2, ...entries));
}

/** What browsers sprinkle in so that servers overlook what they do not know (RFC 8701). */
const GREASE = extension(0x7a7a, Buffer.from([0]));
const ALPN = extension(16, sized(2, sized(1, Buffer.from("h2"))));

interface Parts {
  readonly extensions?: readonly Buffer[] | undefined;
  readonly after?: Buffer;
  readonly type?: number;
}

/** A handshake message. */
function hello({ extensions, after = Buffer.alloc(0), type = 1 }: Parts = {}): Buffer {
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    sized(1, Buffer.alloc(32, 9)),
    sized(2, number16(0x1a1a), number16(0x1301)),
    sized(1, Buffer.from([0])),
    extensions === undefined ? Buffer.alloc(0) : sized(2, ...extensions),
    after,
  ]);
  return Buffer.concat([Buffer.from([type]), sized(3, body)]);
}

/** The message in records of the given sizes, the last one repeated. */
function records(message: Buffer, ...sizes: number[]): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0, i = 0; at < message.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)] ?? 16_384;
    parts.push(Buffer.from([22, 3, 1]), sized(2, message.subarray(at, at + size)));
    at += size;
  }
  return Buffer.concat(parts);
}

function named(reading: ClientHelloReading): string | undefined {
  assert.equal(reading.kind, "hello", JSON.stringify(reading));
  return reading.kind === "hello" ? reading.serverName : undefined;
}

const USUAL = hello({ extensions: [GREASE, serverName("api.test"), ALPN] });

Deno.test("parseClientHello() reads the name among other extensions", () => {
  assert.equal(named(parseClientHello(records(USUAL), LIMIT)), "api.test");
});

Deno.test("parseClientHello() takes a hello without a name, and one without extensions", () => {
  for (const extensions of [[ALPN], [], undefined]) {
    assert.equal(named(parseClientHello(records(hello({ extensions })), LIMIT)), undefined);
  }
});

Deno.test("parseClientHello() overlooks what follows the message", () => {
  const more = Buffer.concat([records(USUAL), Buffer.from("anything")]);
  assert.equal(named(parseClientHello(more, LIMIT)), "api.test");
});

Deno.test("parseClientHello() reads the name however the message is cut into records", () => {
  const sizes = fc.array(fc.integer({ min: 5, max: 200 }), { minLength: 1, maxLength: 10 });
  fc.assert(fc.property(sizes, (sizes) => {
    assert.equal(named(parseClientHello(records(USUAL, ...sizes), LIMIT)), "api.test");
  }));
  assert.equal(named(parseClientHello(records(USUAL, 1, 1, 1, 1, 1, 200), LIMIT)), "api.test");
});

Deno.test("parseClientHello() waits for the rest of every beginning", () => {
  for (const bytes of [records(USUAL), records(USUAL, 3, 50)]) {
    for (let size = 0; size < bytes.length; size++) {
      assert.deepEqual(parseClientHello(bytes.subarray(0, size), LIMIT), { kind: "more" });
    }
  }
});

Deno.test("parseClientHello() takes any name that is a host name, and no other", () => {
  for (const name of ["a", "xn--nxasmq6b.test", "a_b.test", "A.TEST", `${"a".repeat(63)}.test`]) {
    const bytes = records(hello({ extensions: [serverName(name)] }));
    assert.equal(named(parseClientHello(bytes, LIMIT)), name);
  }
  const bad = ["", ".", "a.", "a..b", "a b", "a\0.test", "a/b", "\u00e9.test", "[::1]", "a\n"];
  for (const name of [...bad, "a".repeat(64), `${"a.".repeat(127)}aa`]) {
    const bytes = records(hello({ extensions: [serverName(name)] }));
    assert.equal(parseClientHello(bytes, LIMIT).kind, "bad", JSON.stringify(name));
  }
});

const MALFORMED: Readonly<Record<string, Buffer>> = {
  "two names": records(hello({ extensions: [serverName("a.test", "b.test")] })),
  "the extension twice": records(
    hello({ extensions: [serverName("a.test"), serverName("a.test")] }),
  ),
  "an empty list of names": records(hello({ extensions: [serverName()] })),
  "an empty extension": records(hello({ extensions: [extension(0)] })),
  "a name of another type": records(
    hello({ extensions: [extension(0, sized(2, Buffer.from([1]), sized(2, Buffer.from("a"))))] }),
  ),
  "bytes after the list": records(
    hello({
      extensions: [
        extension(0, sized(2, Buffer.from([0]), sized(2, Buffer.from("a"))), Buffer.from([0])),
      ],
    }),
  ),
  "a name longer than its list": records(
    hello({ extensions: [extension(0, sized(2, Buffer.from([0, 0, 9, 97])))] }),
  ),
  "an extension longer than all of them": records(
    hello({ extensions: [Buffer.from([0, 16, 0, 9, 0])] }),
  ),
  "bytes after the extensions": records(hello({ extensions: [], after: Buffer.from([0]) })),
  "a message that is cut short": records(Buffer.from([1, 0, 0, 4, 3, 3, 0, 0])),
  "another handshake message": records(hello({ type: 2 })),
  "another record": Buffer.from([23, 3, 1, 0, 1, 0]),
  "another record after the first": Buffer.concat([
    records(USUAL.subarray(0, 9)),
    Buffer.from([21, 3, 1, 0, 2, 1, 0]),
  ]),
  "another version of the record": Buffer.from([22, 2, 0, 0, 1, 1]),
  "an empty record": Buffer.from([22, 3, 1, 0, 0]),
  "a record that is too large": Buffer.from([22, 3, 1, 0x40, 1]),
  "a message that is too large": records(Buffer.from([1, 1, 0, 0])),
  "an early sign of a wrong record": Buffer.from([23]),
};

for (const [what, bytes] of Object.entries(MALFORMED)) {
  Deno.test(`parseClientHello() refuses ${what}`, () => {
    assert.equal(parseClientHello(bytes, LIMIT).kind, "bad");
  });
}

Deno.test("parseClientHello() refuses a message in very many records, and soon", () => {
  const large = hello({ extensions: [extension(21, Buffer.alloc(60_000))] });
  assert.equal(parseClientHello(records(large), LIMIT).kind, "hello");
  const many = records(large, 1);
  assert.equal(parseClientHello(many.subarray(0, 6 * 63), LIMIT).kind, "more");
  assert.equal(parseClientHello(many.subarray(0, 6 * 64), LIMIT).kind, "bad");
});

Deno.test("parseClientHello() answers anything with a reading", () => {
  const mangled = fc.tuple(fc.nat(USUAL.length - 1), fc.nat(255)).map(([at, byte]) => {
    const bytes = Buffer.from(USUAL);
    bytes[at] = byte;
    return records(bytes);
  });
  const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  const framed = noise.map((bytes) => records(Buffer.concat([Buffer.from([1]), sized(3, bytes)])));
  fc.assert(
    fc.property(fc.oneof(mangled, noise, framed), (bytes) => {
      const reading = parseClientHello(bytes, LIMIT);
      if (reading.kind !== "hello" || reading.serverName === undefined) return;
      assert.match(reading.serverName, /^[A-Za-z0-9_.-]{1,253}$/);
    }),
    { numRuns: 2_000 },
  );
});
