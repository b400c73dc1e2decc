import assert from "node:assert/strict";
import fc from "fast-check";
import { checkQuery, normalisePath } from "../../src/mapping/path.ts";

const SAME: Readonly<Record<string, string>> = {
  "/": "/",
  "/a": "/a",
  "/a/": "/a/",
  "/a/b.c-d_e~f": "/a/b.c-d_e~f",
  "/%61%2D%2e%5f%7Eb": "/a-._~b",
  "/a%3ab": "/a%3Ab",
  "/@scope%2fname": "/@scope%2Fname",
  "/models/m:generate": "/models/m:generate",
  "/a+b,c;d=e!$&'()*": "/a+b,c;d=e!$&'()*",
  "/caf%c3%a9": "/caf%C3%A9",
  "/a%20b": "/a%20b",
  "/100%25": "/100%25",
  "/%2541": "/%2541",
  "/.well-known/x": "/.well-known/x",
  "/...": "/...",
  "/..a": "/..a",
  "/a..b": "/a..b",
  "/a[0]|b": "/a[0]|b",
  "/o/folder%2F": "/o/folder%2F",
  "/-/x": "/-/x",
};

const REFUSED: Readonly<Record<string, string>> = {
  "nothing": "",
  "no leading slash": "a/b",
  "an asterisk": "*",
  "an absolute URL": "http://evil.test/",
  "a path that names a host": "//evil.test/a",
  "an empty segment": "/a//b",
  "two slashes at the end": "/a//",
  "a dot segment": "/a/./b",
  "a dot at the end": "/a/.",
  "two dots": "/a/../b",
  "two dots at the end": "/a/..",
  "an encoded dot": "/a/%2e/b",
  "encoded dots": "/a/%2e%2e/b",
  "encoded dots in upper case": "/a/%2E%2E/b",
  "half encoded dots": "/a/.%2e/b",
  "dots with a path parameter": "/a/..;/b",
  "dots with a named path parameter": "/a/..;x=1/b",
  "dots with an encoded path parameter": "/a/%2e.;/b",
  "dots behind an encoded slash": "/a/x%2f../b",
  "dots before an encoded slash": "/a/..%2fb",
  "dots, slash and all encoded": "/a/%2e%2e%2fb",
  "an empty segment of encoded slashes": "/a/x%2f%2fy",
  "an encoded slash that leads": "/a/%2fetc",
  "dots encoded twice": "/a/%252e%252e/b",
  "a slash encoded twice": "/a%252fb",
  "a slash encoded three times": "/a%25252fb",
  "NUL encoded twice": "/a%2500",
  "a backslash": "/a\\..\\b",
  "an encoded backslash": "/a%5c..%5cb",
  "a backslash encoded twice": "/a%255cb",
  "NUL": "/a\0",
  "encoded NUL": "/a%00.png",
  "overlong NUL": "/a%c0%80",
  "an overlong slash": "/a%c0%afb",
  "an overlong dot": "/%c0%ae%c0%ae/b",
  "an overlong slash of three bytes": "/a%e0%80%afb",
  "an encoded surrogate": "/%ed%a0%80",
  "a byte that is not UTF-8": "/%ff",
  "a truncated character": "/%c3",
  "a bare line feed": "/a\nb",
  "a bare carriage return": "/a\rb",
  "a request within the path": "/a HTTP/1.1\r\nHost: evil.test\r\n\r\n",
  "an encoded line feed": "/a%0ab",
  "encoded CR LF": "/a%0d%0aX:1",
  "an encoded tab": "/a%09b",
  "encoded DEL": "/a%7f",
  "a space": "/a b",
  "a tab": "/a\tb",
  "a percent sign alone": "/a%",
  "half an escape": "/a%2",
  "an escape that is not hexadecimal": "/a%zz",
  "an escape in the old Unicode form": "/a%u002e",
  "a fragment": "/a#b",
  "a query": "/a?b",
  "raw UTF-8": "/café",
  "a fullwidth slash": "/a\uff0fb",
  "a quotation mark": '/a"b',
  "an angle bracket": "/a<b",
  "a brace": "/a{b}",
  "8193 characters": `/${"a".repeat(8192)}`,
};

for (const [raw, expected] of Object.entries(SAME)) {
  Deno.test(`normalisePath() turns "${raw}" into "${expected}"`, () => {
    assert.deepEqual(normalisePath(raw), { ok: true, value: expected });
  });
}

for (const [what, raw] of Object.entries(REFUSED)) {
  Deno.test(`normalisePath() refuses ${what}`, () => {
    const result = normalisePath(raw);
    assert.ok(!result.ok, `took ${JSON.stringify(raw)} for ${result.ok && result.value}`);
    assert.equal(result.error.code, "MALFORMED_REQUEST");
    // deno-lint-ignore no-control-regex -- controls must not reach a terminal
    assert.doesNotMatch(result.error.message, /[\x00-\x1f]/);
  });
}

/** Paths made of the pieces that attacks are made of. */
const attack = fc.array(
  fc.constantFrom(
    ..."/.aZ-_~;@:%2fe+\\",
    "..",
    "%2e",
    "%2E",
    "%2f",
    "%2F",
    "%25",
    "%41",
    "%3a",
    "%c3%a9",
    "%00",
    "%5C",
  ),
  { maxLength: 20 },
).map((parts) => `/${parts.join("")}`);

Deno.test("normalisePath() is idempotent", () => {
  fc.assert(
    fc.property(fc.oneof(attack, fc.webPath(), fc.string()), (raw) => {
      const once = normalisePath(raw);
      if (once.ok) assert.deepEqual(normalisePath(once.value), once);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("normalisePath() yields a path that URL leaves as it is", () => {
  fc.assert(
    fc.property(attack, (raw) => {
      const path = normalisePath(raw);
      if (path.ok) assert.equal(new URL(`http://host.test${path.value}`).pathname, path.value);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("normalisePath() yields no path that decoding, once or twice, leads elsewhere", () => {
  fc.assert(
    fc.property(attack, (raw) => {
      const path = normalisePath(raw);
      if (!path.ok) return;
      let decoded = path.value;
      for (let i = 0; i < 2; i++) {
        try {
          decoded = decodeURIComponent(decoded);
        } catch {
          break;
        }
        assert.doesNotMatch(decoded, /(?:^|[/\\])\.\.?(?:[/\\;]|$)|[\\\0\r\n]/);
      }
    }),
    { numRuns: 5000 },
  );
});

Deno.test("checkQuery() takes what clients send and leaves it as it is", () => {
  for (const query of ["", "?", "?a=b&c", "?a[]=1|2&b=%2e%2E{}", "?q=is:open+a'\"b\\"]) {
    assert.deepEqual(checkQuery(query), { ok: true, value: query });
  }
});

Deno.test("checkQuery() refuses what could end the request line, and fragments", () => {
  for (const query of ["?a b", "?a\r\nX: 1", "?a\0", "?a#b", "?ä", `?${"a".repeat(32768)}`]) {
    const result = checkQuery(query);
    assert.ok(!result.ok);
    assert.equal(result.error.code, "MALFORMED_REQUEST");
  }
});

Deno.test("checkQuery() does not show a query, which may hold a secret", () => {
  const result = checkQuery("?token=sesame oops");
  assert.ok(!result.ok);
  assert.doesNotMatch(result.error.message, /sesame/);
});
