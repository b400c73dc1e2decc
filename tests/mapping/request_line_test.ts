import assert from "node:assert/strict";
import fc from "fast-check";
import { parseRequestLine } from "../../src/mapping/request_line.ts";

Deno.test("parseRequestLine() takes a call apart and changes nothing in it", () => {
  const table: Record<string, string[]> = {
    "DELETE https://api.code.test/a": ["DELETE", "https", "api.code.test", "/a"],
    "https://api.code.test": ["GET", "https", "api.code.test", "/"],
    "api.code.test/a?b=c": ["GET", "https", "api.code.test", "/a?b=c"],
    "  POST   HTTP://Api.Code.test:8080?x ": ["POST", "http", "Api.Code.test:8080", "/?x"],
    "GET https://api.code.test/a/../b%2e%2E#fragment": [
      "GET",
      "https",
      "api.code.test",
      "/a/../b%2e%2E",
    ],
    "CONNECT https://api.code.test": ["CONNECT", "https", "api.code.test", "/"],
  };
  for (const [line, expected] of Object.entries(table)) {
    const parsed = parseRequestLine(line);
    if (!parsed.ok) assert.fail(parsed.error.message);
    const { method, scheme, authority, target } = parsed.value;
    assert.deepEqual([method, scheme, authority, target], expected);
  }
});

Deno.test("parseRequestLine() says what is wrong", () => {
  const table: Record<string, RegExp> = {
    "": /names no host/,
    "GET https://a.test/ b": /more than a method and a URL/,
    "GTE https://a.test": /"GTE" is not a method.*mean "GET"/s,
    "get https://a.test": /"get" is not a method/,
    "GET ftp://a.test": /neither http nor https/,
    "GET https:///a": /names no host/,
    "GET https://user:secret@a.test": /user name has no place/,
  };
  for (const [line, expected] of Object.entries(table)) {
    const parsed = parseRequestLine(line);
    assert.match(parsed.ok ? "" : `${parsed.error.message}\n${parsed.error.cure}`, expected, line);
  }
});

Deno.test("parseRequestLine() never throws, and reads again what it read", () => {
  fc.assert(fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), (url) => {
    const first = parseRequestLine(`PUT ${url}`);
    if (!first.ok) return;
    const { scheme, authority, target } = first.value;
    assert.deepEqual(parseRequestLine(`PUT ${scheme}://${authority}${target}`), first);
  }));
  fc.assert(fc.property(fc.string(), (text) => void parseRequestLine(text)));
});
