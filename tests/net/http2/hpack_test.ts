import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { CompressionError, HpackDecoder } from "../../../src/net/http2/hpack_decoder.ts";
import { encodeHpack } from "../../../src/net/http2/hpack_encoder.ts";
import { decodeHuffman } from "../../../src/net/http2/huffman.ts";
import {
  bytesOfBits,
  HpackModel,
  huffman,
  HUFFMAN_CODES,
  integer,
  type Representation,
  text,
} from "./_hpack_model.ts";

const LIST_LIMIT = 65_536;

function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(" ", ""), "hex");
}

/** RFC 7541, appendix C: the blocks of one connection each, in order. */
const EXAMPLES: Readonly<
  Record<string, { readonly table?: number; readonly blocks: readonly [string, string[]][] }>
> = {
  "C.2.1, a literal with indexing": {
    blocks: [[
      "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
      ["custom-key: custom-header"],
    ]],
  },
  "C.2.2, a literal without indexing": {
    blocks: [["040c 2f73 616d 706c 652f 7061 7468", [":path: /sample/path"]]],
  },
  "C.2.3, a literal that is never indexed": {
    blocks: [["1008 7061 7373 776f 7264 0673 6563 7265 74", ["password: secret"]]],
  },
  "C.2.4, an indexed field": { blocks: [["82", [":method: GET"]]] },
  "C.3, requests without Huffman": {
    blocks: [
      [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
      ],
      [
        "8286 84be 5808 6e6f 2d63 6163 6865",
        [
          ":method: GET",
          ":scheme: http",
          ":path: /",
          ":authority: www.example.com",
          "cache-control: no-cache",
        ],
      ],
      [
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
        [
          ":method: GET",
          ":scheme: https",
          ":path: /index.html",
          ":authority: www.example.com",
          "custom-key: custom-value",
        ],
      ],
    ],
  },
  "C.4, requests with Huffman": {
    blocks: [
      [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
      ],
      [
        "8286 84be 5886 a8eb 1064 9cbf",
        [
          ":method: GET",
          ":scheme: http",
          ":path: /",
          ":authority: www.example.com",
          "cache-control: no-cache",
        ],
      ],
      [
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
        [
          ":method: GET",
          ":scheme: https",
          ":path: /index.html",
          ":authority: www.example.com",
          "custom-key: custom-value",
        ],
      ],
    ],
  },
  "C.5, responses without Huffman, with eviction": {
    table: 256,
    blocks: responses([
      "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a " +
      "3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      "4803 3330 37c1 c0bf",
      "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 " +
      "677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 " +
      "553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
    ]),
  },
  "C.6, responses with Huffman, with eviction": {
    table: 256,
    blocks: responses([
      "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e " +
      "919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
      "4883 640e ffc1 c0bf",
      "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 " +
      "821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed " +
      "4ee5 b106 3d50 07",
    ]),
  },
};

function responses(blocks: readonly string[]): [string, string[]][] {
  const location = "location: https://www.example.com";
  const at = (second: string) => `date: Mon, 21 Oct 2013 20:13:${second} GMT`;
  const lists = [
    [":status: 302", "cache-control: private", at("21"), location],
    [":status: 307", "cache-control: private", at("21"), location],
    [
      ":status: 200",
      "cache-control: private",
      at("22"),
      location,
      "content-encoding: gzip",
      "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ],
  ];
  return blocks.map((block, i) => [block, lists[i]!]);
}

for (const [what, { table = 4_096, blocks }] of Object.entries(EXAMPLES)) {
  Deno.test(`decode() reads example ${what}`, () => {
    const decoder = new HpackDecoder(table, LIST_LIMIT);
    for (const [block, list] of blocks) {
      const { fields, tooLarge } = decoder.decode(hex(block));
      assert.deepEqual(fields.map(([name, value]) => `${name}: ${value}`), list);
      assert.equal(tooLarge, false);
    }
  });
}

/**
 * Blocks that the encoder of Node.js 20 (nghttp2) made of requests on one connection: with Huffman
 * coding, a dynamic table and fields that are never indexed.
 */
const NODE_BLOCKS: readonly [string, string[]][] = [
  [
    "82048a6106a6ba0ac190b1e4934189b0b31909b3d2e92a13877a85a8f2158103538b1d75d0620d263d4c7441ea",
    [
      ":method: GET",
      ":path: /simple/is-odd",
      ":authority: registry.test",
      ":scheme: https",
      "user-agent: node/20",
      "accept: application/json",
    ],
  ],
  [
    "82048b6106a6ba0ac190b17b96afc087bfbe",
    [
      ":method: GET",
      ":path: /simple/is-even",
      ":authority: registry.test",
      ":scheme: https",
      "user-agent: node/20",
      "accept: application/json",
    ],
  ],
  [
    "83048c6283cc6abfca8be5302a2c3fc087bf1f088aba51d85b144324b194ff1f11821c011f1103623d320f0d0133",
    [
      ":method: POST",
      ":path: /login?next=%2F",
      ":authority: registry.test",
      ":scheme: https",
      "user-agent: node/20",
      "authorization: Bearer s3cr3t",
      "cookie: a=1",
      "cookie: b=2",
      "content-length: 3",
    ],
  ],
  [
    "8204886083955bccab0bffc087bf4085f2b50349aa046772fcdf4086f2b169ad3ebf00",
    [
      ":method: GET",
      ":path: /caf%C3%A9",
      ":authority: registry.test",
      ":scheme: https",
      "user-agent: node/20",
      "x-latin: gr\u00fc\u00df",
      "x-empty: ",
    ],
  ],
];

Deno.test("decode() reads what Node.js writes", () => {
  const decoder = new HpackDecoder(4_096, LIST_LIMIT);
  for (const [block, list] of NODE_BLOCKS) {
    const { fields } = decoder.decode(hex(block));
    assert.deepEqual(fields.map(([name, value]) => `${name}: ${value}`), list);
  }
});

const FIELD = fc.tuple(
  fc.oneof(
    fc.constantFrom(":path", ":status", "cookie", "authorization", "x-a", "accept-encoding"),
    fc.string({ unit: latin1(), maxLength: 20 }),
  ),
  fc.oneof(
    fc.constantFrom("", "/", "200", "gzip, deflate"),
    fc.string({ unit: latin1(), maxLength: 300 }),
  ),
);

function latin1(): fc.Arbitrary<string> {
  return fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
}

Deno.test("decode() gives back what encodeHpack() was given", () => {
  fc.assert(fc.property(fc.array(fc.array(FIELD, { maxLength: 8 }), { maxLength: 4 }), (lists) => {
    const decoder = new HpackDecoder(4_096, LIST_LIMIT);
    lists.forEach((list, i) => {
      const { fields } = decoder.decode(encodeHpack(list, i === 0));
      assert.deepEqual(fields, list);
    });
  }));
});

const STEP = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      field: FIELD,
      how: fc.constantFrom<Representation>("indexed", "incremental", "without", "never"),
      coded: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ limit: fc.integer({ min: 0, max: 4_096 }) }) },
);

Deno.test("decode() follows an encoder that uses everything that HPACK has", () => {
  fc.assert(fc.property(fc.array(fc.array(STEP, { maxLength: 12 }), { maxLength: 6 }), (blocks) => {
    const model = new HpackModel();
    const decoder = new HpackDecoder(4_096, LIST_LIMIT);
    for (const steps of blocks) {
      // Changes of the table's size come first in a block.
      const sorted = [...steps].sort((a, b) => Number("field" in a) - Number("field" in b));
      const block = sorted.map((step) =>
        "limit" in step
          ? model.resize(step.limit)
          : model.field(...step.field, step.how, step.coded)
      );
      const { fields } = decoder.decode(Buffer.concat(block));
      assert.deepEqual(fields, sorted.flatMap((step) => "field" in step ? [step.field] : []));
    }
  }));
});

Deno.test("decode() answers anything else with CompressionError", () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 5 }), (blocks) => {
      const decoder = new HpackDecoder(4_096, 1_000);
      for (const block of blocks) {
        try {
          const { fields } = decoder.decode(Buffer.from(block));
          const size = fields.reduce(
            (sum, [name, value]) => sum + name.length + value.length + 32,
            0,
          );
          assert.ok(size <= 1_000);
        } catch (error) {
          assert.ok(error instanceof CompressionError, String(error));
          return;
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

const MALFORMED: Readonly<Record<string, Buffer>> = {
  "index 0": hex("80"),
  "an index beyond both tables": hex("be"),
  "an index far beyond both tables": hex("ffffffff07"),
  "a name at an index beyond both tables": hex("7f0001 61"),
  "an integer without an end": hex("ff80808080808080808000"),
  "an integer beyond 28 bits": hex("ffffffffff7f"),
  "an integer that is cut short": hex("ff80"),
  "a text that is cut short": hex("000561"),
  "a text as long as all memory": hex("007fffffff07"),
  "a literal without its value": hex("000161"),
  "a table beyond what was allowed": integer(0x20, 5, 4_097),
  "a change of the table after a field": Buffer.concat([hex("82"), integer(0x20, 5, 0)]),
  "Huffman code with eight bits of padding": hex("0001 61 81 ff"),
  "Huffman code padded with zeros": hex("0001 61 81 18"),
  "Huffman code that holds the end of the string": hex("0001 61 84 ffffffff"),
};

for (const [what, block] of Object.entries(MALFORMED)) {
  Deno.test(`decode() refuses ${what}`, () => {
    assert.throws(() => new HpackDecoder(4_096, LIST_LIMIT).decode(block), CompressionError);
  });
}

Deno.test("decode() takes a table of the allowed size, and two changes in a row", () => {
  const decoder = new HpackDecoder(4_096, LIST_LIMIT);
  const block = Buffer.concat([integer(0x20, 5, 0), integer(0x20, 5, 4_096), hex("82")]);
  assert.deepEqual(decoder.decode(block).fields, [[":method", "GET"]]);
});

Deno.test("decode() forgets all entries when the table shrinks to nothing", () => {
  const decoder = new HpackDecoder(4_096, LIST_LIMIT);
  decoder.decode(Buffer.concat([hex("40"), text("a", false), text("b", false)]));
  assert.deepEqual(decoder.decode(hex("be")).fields, [["a", "b"]]);
  const forget = Buffer.concat([integer(0x20, 5, 0), integer(0x20, 5, 4_096), hex("be")]);
  assert.throws(() => decoder.decode(forget), CompressionError);
});

Deno.test("decode() keeps no entry that is larger than the table", () => {
  const decoder = new HpackDecoder(4_096, LIST_LIMIT);
  const large = Buffer.concat([hex("40"), text("a", false), text("b".repeat(5_000), false)]);
  assert.equal(decoder.decode(large).fields.length, 1);
  assert.throws(() => decoder.decode(hex("be")), CompressionError);
});

Deno.test("decode() does not unfold a small block into a large list", () => {
  // CVE-2016-6581: one entry of the size of the table, and a byte for each time it is wanted.
  const decoder = new HpackDecoder(4_096, LIST_LIMIT);
  const entry = Buffer.concat([hex("40"), text("a", false), text("b".repeat(4_000), false)]);
  const bomb = Buffer.concat([entry, Buffer.alloc(60_000, 0xbe)]);
  const { fields, tooLarge } = decoder.decode(bomb);
  assert.equal(tooLarge, true);
  assert.ok(fields.length <= 16, `${fields.length} fields`);
  assert.equal(decoder.decode(hex("be")).tooLarge, false, "the next block is read as ever");
});

Deno.test("decode() counts a list as RFC 9113 does, to the byte", () => {
  const block = encodeHpack([["a", "b".repeat(67)]], false);
  assert.equal(new HpackDecoder(4_096, 100).decode(block).tooLarge, false);
  assert.equal(new HpackDecoder(4_096, 99).decode(block).tooLarge, true);
});

Deno.test("encodeHpack() lets no hop index a secret", () => {
  for (const name of ["authorization", "cookie", "set-cookie"]) {
    assert.equal(encodeHpack([[name, "secret"]], false)[0]! & 0xf0, 0x10);
  }
  assert.equal(encodeHpack([["x-a", "1"]], false)[0]! & 0xf0, 0x00);
});

Deno.test("decodeHuffman() reads every symbol", () => {
  for (let code = 0; code < 256; code++) {
    const one = String.fromCharCode(code);
    assert.equal(decodeHuffman(huffman(one)), one);
    assert.equal(decodeHuffman(huffman(`a${one}z`)), `a${one}z`);
  }
});

Deno.test("decodeHuffman() reads any text, and takes no other padding", () => {
  fc.assert(fc.property(fc.string({ unit: latin1() }), (value) => {
    const bits = [...Buffer.from(value, "latin1")].map((byte) => HUFFMAN_CODES[byte]!).join("");
    const padding = (8 - bits.length % 8) % 8;
    assert.equal(decodeHuffman(bytesOfBits(bits + "1".repeat(padding))), value);
    if (padding === 0) return;
    const wrong = "1".repeat(padding - 1) + "0";
    assert.notEqual(decodeHuffman(bytesOfBits(bits + wrong)), value);
    assert.equal(decodeHuffman(bytesOfBits(bits + "1".repeat(padding + 8))), undefined);
  }));
});
