import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  type ByteSource,
  ConnectionEnded,
  ProtocolViolation,
} from "../../../src/net/byte_source.ts";
import { readBody } from "../../../src/net/http1/body.ts";
import type { Framing } from "../../../src/net/http1/framing.ts";

/** Bytes that arrive in pieces of the given sizes, one at each fill. */
class Pieces implements ByteSource {
  buffered: Buffer = Buffer.alloc(0);
  #left: Buffer;
  #turn = 0;

  constructor(bytes: Buffer, readonly sizes: readonly number[]) {
    this.#left = bytes;
  }

  /** What nobody has consumed. */
  get rest(): string {
    return Buffer.concat([this.buffered, this.#left]).toString("latin1");
  }

  consume(count: number): void {
    assert.ok(count <= this.buffered.length, "more is consumed than there is");
    this.buffered = this.buffered.subarray(count);
  }

  fill(): Promise<boolean> {
    if (this.#left.length === 0) return Promise.resolve(false);
    const size = this.sizes[this.#turn++ % this.sizes.length]!;
    this.buffered = Buffer.concat([this.buffered, this.#left.subarray(0, size)]);
    this.#left = this.#left.subarray(size);
    return Promise.resolve(true);
  }
}

type Readable = Exclude<Framing, { kind: "bad" }>;

async function read(text: string, framing: Readable, sizes: readonly number[] = [1_000_000]) {
  const source = new Pieces(Buffer.from(text, "latin1"), sizes);
  const body = readBody(source, framing);
  const pieces: Buffer[] = [];
  if (body !== undefined) {
    for (;;) {
      const piece = body.take();
      if (piece === null) break;
      if (piece === undefined) await body.wait();
      else pieces.push(Buffer.from(piece));
    }
    assert.equal(body.take(), null, "the end stays the end");
  }
  const { trailers = [] } = body ?? {};
  return { text: Buffer.concat(pieces).toString("latin1"), trailers, rest: source.rest };
}

const SIZES = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
const LATIN1 = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const TEXT = fc.string({ unit: LATIN1, maxLength: 60 });
const CHUNKED = { kind: "chunked" } as const;

Deno.test("readBody() reads chunks however they are cut, and leaves what follows", async () => {
  const chunk = fc.record({
    text: fc.string({ unit: LATIN1, minLength: 1, maxLength: 60 }),
    zeros: fc.integer({ min: 0, max: 5 }),
    upper: fc.boolean(),
    extension: fc.constantFrom("", ";a", ";a=b", ' ; a="b c"', ";", "\t;x=\xff"),
  });
  const trailer = fc.tuple(fc.constantFrom("X-Sum", "x-b"), fc.constantFrom("1", "", "a b"));
  await fc.assert(fc.asyncProperty(
    fc.array(chunk, { maxLength: 8 }),
    fc.array(trailer, { maxLength: 3 }),
    TEXT,
    SIZES,
    async (chunks, trailers, rest, sizes) => {
      const coded = chunks.map(({ text, zeros, upper, extension }) => {
        const size = text.length.toString(16);
        return `${"0".repeat(zeros)}${
          upper ? size.toUpperCase() : size
        }${extension}\r\n${text}\r\n`;
      });
      const end = trailers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
      const seen = await read(`${coded.join("")}0\r\n${end}\r\n${rest}`, CHUNKED, sizes);
      assert.deepEqual(seen, {
        text: chunks.map(({ text }) => text).join(""),
        trailers: trailers.map(([name, value]) => [name.toLowerCase(), value]),
        rest,
      });
    },
  ));
});

Deno.test("readBody() reads as many bytes as the length says, and leaves what follows", async () => {
  await fc.assert(fc.asyncProperty(TEXT, TEXT, SIZES, async (text, rest, sizes) => {
    const seen = await read(text + rest, { kind: "length", length: text.length }, sizes);
    assert.deepEqual(seen, { text, trailers: [], rest });
  }));
});

Deno.test("readBody() reads to the end of the connection where nothing else says the end", async () => {
  await fc.assert(fc.asyncProperty(TEXT, SIZES, async (text, sizes) => {
    const seen = await read(text, { kind: "close" }, sizes);
    assert.deepEqual(seen, { text, trailers: [], rest: "" });
  }));
});

Deno.test("readBody() gives no body where there is none", async () => {
  assert.deepEqual(await read("rest", { kind: "none" }), { text: "", trailers: [], rest: "rest" });
});

Deno.test("readBody() takes no beginning of a body for the whole", async () => {
  const whole = "5\r\nhello\r\n3;x\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n";
  for (let size = 0; size < whole.length; size++) {
    await assert.rejects(read(whole.slice(0, size), CHUNKED, [3]), ConnectionEnded, `${size}`);
  }
  await assert.rejects(read("hell", { kind: "length", length: 5 }), ConnectionEnded);
});

Deno.test("readBody() answers any bytes with a body or one of two errors", async () => {
  const parts = fc.constantFrom(
    "5",
    "0",
    "\r\n",
    "\n",
    "\r",
    "hello",
    ";x",
    "a",
    " ",
    "x: y",
    "\0",
  );
  const bytes = fc.oneof(TEXT, fc.array(parts, { maxLength: 12 }).map((all) => all.join("")));
  await fc.assert(
    fc.asyncProperty(bytes, SIZES, async (bytes, sizes) => {
      // Wherever it is cut, it comes to the same.
      const outcome = (sizes: readonly number[]) =>
        read(bytes, CHUNKED, sizes).catch((error) => {
          const known = error instanceof ProtocolViolation || error instanceof ConnectionEnded;
          assert.ok(known, String(error));
          return error.message as string;
        });
      assert.deepEqual(await outcome(sizes), await outcome([1_000_000]));
    }),
    { numRuns: 2_000 },
  );
});

const REFUSED: Readonly<Record<string, string>> = {
  "no size": "\r\nhello\r\n0\r\n\r\n",
  "a size with a sign": "+5\r\nhello\r\n0\r\n\r\n",
  "a size with a prefix": "0x5\r\nhello\r\n0\r\n\r\n",
  "a size with a space before it": " 5\r\nhello\r\n0\r\n\r\n",
  "a size with an underscore": "1_0\r\n",
  "a size of 13 digits": "0000000000005\r\nhello\r\n0\r\n\r\n",
  "a size with a space and no extension": "5 \r\nhello\r\n0\r\n\r\n",
  "a control character in an extension": "5;a\x01\r\nhello\r\n0\r\n\r\n",
  "a carriage return in an extension": "5;a\rb\r\nhello\r\n0\r\n\r\n",
  "a size line without a carriage return": "5\nhello\r\n0\r\n\r\n",
  "a chunk that is longer than its size": "4\r\nhello\r\n0\r\n\r\n",
  "a chunk that ends with a line feed alone": "5\r\nhello\n0\r\n\r\n",
  "a size line that is too long": `5;${"a".repeat(256)}\r\nhello\r\n0\r\n\r\n`,
  "a size line without end": `5;${"a".repeat(300)}`,
  "a folded trailer": "0\r\nx-a: 1\r\n b\r\n\r\n",
  "a trailer without a colon": "0\r\nx-a\r\n\r\n",
  "a bare line feed in the trailers": "0\r\nx-a: 1\nx-b: 2\r\n\r\n",
  "trailers that are too large": `0\r\nx-a: ${"a".repeat(16_400)}\r\n\r\n`,
  "trailers without end": `0\r\nx-a: ${"a".repeat(16_400)}`,
};

for (const [what, text] of Object.entries(REFUSED)) {
  Deno.test(`readBody() refuses ${what}`, async () => {
    await assert.rejects(read(text, CHUNKED), ProtocolViolation);
    await assert.rejects(read(text, CHUNKED, [7]), ProtocolViolation);
  });
}
