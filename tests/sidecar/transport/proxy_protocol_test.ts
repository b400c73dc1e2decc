import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { parseProxyHeader } from "../../../src/sidecar/transport/proxy_protocol.ts";
import { proxyHeader } from "./_harness.ts";

interface HeaderParts {
  readonly verb?: number;
  readonly family?: number;
  readonly body?: Buffer;
  readonly length?: number;
}

/** A header with the parts that a test gives. */
function header({ verb = 0x21, family = 0x11, body = Buffer.alloc(12), length }: HeaderParts = {}) {
  const head = Buffer.from("0d0a0d0a000d0a515549540a00000000", "hex");
  head[12] = verb;
  head[13] = family;
  head.writeUInt16BE(length ?? body.length, 14);
  return Buffer.concat([head, body]);
}

function extension(type: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([type, bytes.length >> 8, bytes.length & 255]), bytes]);
}

const VIA = extension(0xe2, "proxy");
const ADDRESSES = Buffer.from("7f00000101020304ffff01bb", "hex");

Deno.test("parseProxyHeader() reads what the bridge writes", () => {
  const text = fc.string({ minLength: 1, maxLength: 40 });
  fc.assert(fc.property(
    fc.record({
      via: fc.constantFrom("proxy", "transparent"),
      address: fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((all) =>
        all.join(".")
      ),
      port: fc.nat(65_535),
      name: fc.option(text, { nil: undefined }),
      pid: fc.option(fc.nat().map(String), { nil: undefined }),
      executable: fc.option(text, { nil: undefined }),
    }),
    fc.uint8Array({ maxLength: 20 }),
    (claim, rest) => {
      const { via, address, port, name, pid, executable } = claim;
      const given = Object.fromEntries(
        Object.entries(claim).filter(([, value]) => value !== undefined),
      );
      const bytes = proxyHeader(given);
      assert.deepEqual(parseProxyHeader(Buffer.concat([bytes, rest])), {
        kind: "header",
        size: bytes.length,
        header: {
          address,
          port,
          ...(name === undefined ? {} : { name }),
          provenance: {
            via,
            ...(pid === undefined ? {} : { pid: Number(pid) }),
            ...(executable === undefined ? {} : { executable }),
          },
        },
      });
      for (let size = 0; size < bytes.length; size++) {
        assert.equal(parseProxyHeader(bytes.subarray(0, size)).kind, "more");
      }
    },
  ));
});

Deno.test("parseProxyHeader() reads an IPv6 address", () => {
  const addresses = Buffer.concat([
    Buffer.alloc(16),
    Buffer.from("20010db8000000000000000000000001", "hex"),
    Buffer.from("ffff01bb", "hex"),
  ]);
  const reading = parseProxyHeader(header({ family: 0x21, body: Buffer.concat([addresses, VIA]) }));
  assert.ok(reading.kind === "header");
  assert.equal(reading.header.address, "2001:db8:0:0:0:0:0:1");
  assert.equal(reading.header.port, 443);
});

const REFUSED: Readonly<Record<string, Buffer>> = {
  "a request without a header": Buffer.from("GET / HTTP/1.1\r\n"),
  "version 1": Buffer.from("PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"),
  "a wrong byte early in the signature": Buffer.from([13, 10, 13, 11]),
  "another version": header({ verb: 0x11 }),
  "LOCAL, which says nothing of where it comes from": header({ verb: 0x20 }),
  "no addresses": header({ family: 0x00 }),
  "UDP": header({ family: 0x12 }),
  "a unix socket": header({ family: 0x31 }),
  "addresses that are cut short": header({ body: Buffer.alloc(11) }),
  "a length beyond all bounds": header({ length: 8_193 }),
  "no way of capture": header(),
  "an unknown way of capture": header({
    body: Buffer.concat([ADDRESSES, extension(0xe2, "other")]),
  }),
  "an extension that is cut short": header({
    body: Buffer.concat([ADDRESSES, VIA, Buffer.from([1, 0])]),
  }),
  "an extension longer than the header": header({
    body: Buffer.concat([ADDRESSES, VIA, Buffer.from([1, 0, 9, 0])]),
  }),
  "an extension twice": header({ body: Buffer.concat([ADDRESSES, VIA, VIA]) }),
  "a process id that is no number": header({
    body: Buffer.concat([ADDRESSES, VIA, extension(0xe0, "-1")]),
  }),
  "a process id of eleven digits": header({
    body: Buffer.concat([ADDRESSES, VIA, extension(0xe0, "12345678901")]),
  }),
};

for (const [what, bytes] of Object.entries(REFUSED)) {
  Deno.test(`parseProxyHeader() refuses ${what}`, () => {
    assert.equal(parseProxyHeader(bytes).kind, "bad");
  });
}

Deno.test("parseProxyHeader() overlooks an extension that it does not know", () => {
  const body = Buffer.concat([ADDRESSES, extension(0x04, "x"), VIA, extension(0x30, "y")]);
  assert.equal(parseProxyHeader(header({ body })).kind, "header");
});

Deno.test("parseProxyHeader() answers any bytes", () => {
  const noise = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
  const framed = fc.tuple(fc.constantFrom(0x21, 0x20), fc.constantFrom(0x11, 0x21), noise)
    .map(([verb, family, body]) =>
      header({ verb, family, body: Buffer.concat([ADDRESSES, body]) })
    );
  fc.assert(
    fc.property(fc.oneof(noise, framed), (bytes) => {
      const reading = parseProxyHeader(bytes);
      if (reading.kind === "header") assert.ok(reading.size <= bytes.length);
    }),
    { numRuns: 2_000 },
  );
});
