import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  type HeadReading,
  parseRequestHead,
  parseResponseHead,
  singleValue,
} from "../../../src/net/http1/head.ts";

const LIMIT = 8_192;

function request(text: string): HeadReading<{ readonly fields: [string, string][] }> {
  return parseRequestHead(Buffer.from(text, "latin1"), LIMIT);
}

const TOKEN = fc.string({
  unit: fc.constantFrom(..."!#$%&'*+-.^_`|~0129AZaz"),
  minLength: 1,
  maxLength: 20,
});
const VISIBLE = fc.string({
  unit: fc.constantFrom(...'\x21\x7e\x80\xffaZ0:;,="/'),
  maxLength: 10,
});
const VALUE = fc.array(VISIBLE, { maxLength: 4 }).map((words) => words.join(" \t").trim());
const SPACE = fc.string({ unit: fc.constantFrom(" ", "\t"), maxLength: 3 });
const TARGET = fc.string({ unit: fc.constantFrom(..."/?#%=&.~az"), maxLength: 40 })
  .map((rest) => `/${rest}`);

Deno.test("parseRequestHead() reads what was written, however it is spaced", () => {
  const field = fc.tuple(TOKEN, SPACE, VALUE, SPACE);
  const version = fc.constantFrom("1.0", "1.1");
  fc.assert(fc.property(
    TOKEN,
    TARGET,
    version,
    fc.array(field, { maxLength: 10 }),
    fc.string({ maxLength: 20 }),
    (method, target, version, fields, rest) => {
      const lines = fields.map(([name, before, value, after]) =>
        `${name}:${before}${value}${after}`
      );
      const head = [`${method} ${target} HTTP/${version}`, ...lines, "", ""].join("\r\n");
      const reading = parseRequestHead(Buffer.from(head + rest, "latin1"), LIMIT);
      assert.deepEqual(reading, {
        kind: "head",
        head: {
          method,
          target,
          version,
          fields: fields.map(([name, , value]) => [name.toLowerCase(), value]),
          spellings: fields.map(([name]) => name),
        },
        size: head.length,
      });
      // Every beginning of it is a beginning, and never something else.
      for (let size = 0; size < head.length; size += 7) {
        const begun = parseRequestHead(Buffer.from(head.slice(0, size), "latin1"), LIMIT);
        assert.equal(begun.kind, "more");
      }
    },
  ));
});

Deno.test("parseResponseHead() reads what was written", () => {
  const status = fc.integer({ min: 100, max: 999 });
  fc.assert(
    fc.property(status, fc.option(VALUE, { nil: undefined }), TOKEN, (status, reason, name) => {
      const line = `HTTP/1.1 ${status}${reason === undefined ? "" : ` ${reason}`}`;
      const head = `${line}\r\n${name}: x\r\n\r\n`;
      const reading = parseResponseHead(Buffer.from(head, "latin1"), LIMIT);
      assert.ok(reading.kind === "head");
      assert.equal(reading.head.status, status);
      assert.equal(reading.head.reason, reason ?? "");
      assert.deepEqual(reading.head.fields, [[name.toLowerCase(), "x"]]);
    }),
  );
});

Deno.test("parseRequestHead() answers any bytes, and keeps to what a head may hold", () => {
  const noise = fc.uint8Array({ maxLength: 200 });
  const nearly = fc.array(
    fc.constantFrom("GET / HTTP/1.1", "\r\n", "\n", "\r", ":", " ", "a", "\0"),
  );
  const bytes = fc.oneof(
    noise.map((bytes) => Buffer.from(bytes)),
    nearly.map((parts) => Buffer.from(parts.join(""))),
    nearly.map((parts) => Buffer.from(`GET / HTTP/1.1\r\n${parts.join("")}\r\n\r\n`)),
  );
  fc.assert(
    fc.property(bytes, (bytes) => {
      const reading = parseRequestHead(bytes, LIMIT);
      parseResponseHead(bytes, LIMIT);
      if (reading.kind !== "head") return;
      assert.ok(reading.size <= bytes.length);
      for (const [name, value] of reading.head.fields) {
        assert.match(name, /^[!#$%&'*+\-.^_`|~0-9a-z]+$/);
        // deno-lint-ignore no-control-regex -- these are what must not be there
        assert.doesNotMatch(value, /[\0-\x08\x0a-\x1f\x7f]|^[ \t]|[ \t]$/);
      }
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("parseRequestHead() holds heads to their limit, to the byte", () => {
  const head = `GET / HTTP/1.1\r\nx: ${"a".repeat(100)}\r\n\r\n`;
  const bytes = Buffer.from(head);
  assert.equal(parseRequestHead(bytes, head.length).kind, "head");
  assert.equal(parseRequestHead(bytes, head.length - 1).kind, "bad");
  assert.equal(parseRequestHead(bytes.subarray(0, 50), 50).kind, "bad", "no need to wait");
  assert.equal(parseRequestHead(bytes.subarray(0, 49), 50).kind, "more");
});

Deno.test("parseRequestHead() finds the end of a long head wherever it lies", () => {
  // The end is looked for in two ways, which meet at 2,048 bytes.
  for (let size = 2_030; size < 2_060; size++) {
    const start = "GET / HTTP/1.1\r\nx: ";
    const head = `${start}${"a".repeat(size - start.length - 4)}\r\n\r\n`;
    const reading = request(`${head}rest`);
    assert.ok(reading.kind === "head");
    assert.equal(reading.size, size);
  }
});

Deno.test("parseRequestHead() takes 512 fields and no more, whole or not", () => {
  const lines = (count: number) => `GET / HTTP/1.1\r\n${"a:\r\n".repeat(count)}`;
  assert.equal(request(`${lines(512)}\r\n`).kind, "head");
  assert.equal(request(`${lines(513)}\r\n`).kind, "bad");
  assert.equal(request(lines(512)).kind, "more");
  assert.equal(request(lines(513)).kind, "bad", "no need to wait for the end");
});

Deno.test("parseRequestHead() overlooks one empty line before the request, as RFC 9112 asks", () => {
  const head = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
  const reading = request(`\r\n${head}`);
  assert.ok(reading.kind === "head");
  assert.equal(reading.size, head.length + 2);
  assert.equal(request(`\r\n\r\n${head}`).kind, "bad");
});

const AT_ONCE: Readonly<Record<string, string>> = {
  "a bare line feed": "GET / HTTP/1.1\nhost: a",
  "a line feed alone": "\n",
  "a method without end": "A".repeat(70),
};

for (const [what, text] of Object.entries(AT_ONCE)) {
  Deno.test(`parseRequestHead() refuses ${what} without waiting for more`, () => {
    assert.equal(request(text).kind, "bad");
  });
}

Deno.test("singleValue() tells one value from none and from two", () => {
  const fields: [string, string][] = [["a", "1"], ["b", "2"], ["b", "2"]];
  assert.equal(singleValue(fields, "a"), "1");
  assert.equal(singleValue(fields, "b"), null);
  assert.equal(singleValue(fields, "c"), undefined);
});
