import assert from "node:assert/strict";
import fc from "fast-check";
import { isAbsoluteForm, splitAbsoluteForm } from "../../src/mapping/absolute_form.ts";
import { formatAuthority } from "../../src/mapping/authority.ts";
import { connectCall, normaliseCall, type RawCall } from "../../src/mapping/call.ts";

const PLAIN: RawCall = {
  method: "GET",
  scheme: "https",
  authority: "Example.TEST",
  target: "/a%2d/?q=%2e",
};

function refused(change: Partial<RawCall>): string {
  const result = normaliseCall({ ...PLAIN, ...change });
  assert.ok(!result.ok, `took ${JSON.stringify(change)}`);
  assert.equal(result.error.code, "MALFORMED_REQUEST");
  return result.error.message;
}

Deno.test("normaliseCall() returns the canonical call", () => {
  assert.deepEqual(normaliseCall(PLAIN), {
    ok: true,
    value: {
      method: "GET",
      scheme: "https",
      host: "example.test",
      port: 443,
      path: "/a-/",
      query: "?q=%2e",
    },
  });
});

const AUTHORITIES: readonly (readonly ["http" | "https", string, string, number])[] = [
  ["https", "a.test", "a.test", 443],
  ["http", "a.test", "a.test", 80],
  ["https", "a.test:443", "a.test", 443],
  ["https", "a.test.:443", "a.test", 443],
  ["https", "a.test:80", "a.test", 80],
  ["http", "a.test:8080", "a.test", 8080],
  ["https", "[2001:db8::1]", "[2001:db8::1]", 443],
  ["https", "[2001:db8::1]:8443", "[2001:db8::1]", 8443],
  ["https", "a.test:65535", "a.test", 65535],
];

for (const [scheme, authority, host, port] of AUTHORITIES) {
  Deno.test(`normaliseCall() reads ${scheme} authority ${authority} as ${host} port ${port}`, () => {
    const result = normaliseCall({ ...PLAIN, scheme, authority });
    assert.ok(result.ok);
    assert.equal(result.value.host, host);
    assert.equal(result.value.port, port);
  });
}

for (
  const authority of [
    undefined,
    "",
    ":443",
    "a.test:",
    "a.test:0",
    "a.test:0443",
    "a.test:65536",
    "a.test:443:443",
    "a.test:+443",
    "a.test:4 43",
    "a.test:４４３",
    "user@a.test",
    "user:443@a.test",
    "a.test, b.test",
    "a.test/",
    "a.test?x",
    "a.test#x",
    "[::1]443",
    "[::1]:",
    "::1",
    "127.1:443",
  ]
) {
  Deno.test(`normaliseCall() refuses the authority ${JSON.stringify(authority)}`, () => {
    refused({ authority });
  });
}

for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
  Deno.test(`normaliseCall() takes the method ${method} and not its other spellings`, () => {
    assert.ok(normaliseCall({ ...PLAIN, method }).ok);
    refused({ method: method.toLowerCase() });
    refused({ method: ` ${method}` });
    refused({ method: `${method}\0` });
  });
}

for (const method of ["", "CONNECT", "TRACE", "PROPFIND", "Get", "GET /", "GЕT", "__proto__"]) {
  Deno.test(`normaliseCall() refuses the method ${JSON.stringify(method)}`, () => {
    assert.match(refused({ method }), /method/);
  });
}

for (const target of ["*", "http://evil.test/", "//evil.test/", "a", "", "?x", "/a#b", "/a?b#c"]) {
  Deno.test(`normaliseCall() refuses the target ${JSON.stringify(target)}`, () => {
    refused({ target });
  });
}

Deno.test("normaliseCall() leaves a query with question marks whole", () => {
  const result = normaliseCall({ ...PLAIN, target: "/a?b?c=/../d" });
  assert.ok(result.ok);
  assert.equal(result.value.path, "/a");
  assert.equal(result.value.query, "?b?c=/../d");
});

Deno.test("normaliseCall() is idempotent", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("http" as const, "https" as const),
      fc.oneof(fc.webAuthority({ withPort: true }), fc.string()),
      fc.tuple(fc.webPath(), fc.webQueryParameters()).map(([path, query]) =>
        `${path}${query && `?${query}`}`
      ),
      (scheme, authority, target) => {
        const once = normaliseCall({ method: "GET", scheme, authority, target });
        if (!once.ok) return;
        const { host, port, path, query } = once.value;
        const again = normaliseCall({
          method: "GET",
          scheme,
          authority: formatAuthority(host, port, scheme),
          target: `${path}${query}`,
        });
        assert.deepEqual(again, once);
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("connectCall() is a call that no request can be", () => {
  assert.equal(connectCall("a.test", 443).method, "CONNECT");
  refused({ method: "CONNECT" });
});

Deno.test("splitAbsoluteForm() takes a proxy request apart", () => {
  const cases: Readonly<Record<string, readonly [string, string, string]>> = {
    "http://a.test/b?c": ["http", "a.test", "/b?c"],
    "HTTP://A.test:8080/b": ["http", "A.test:8080", "/b"],
    "https://a.test": ["https", "a.test", "/"],
    "http://a.test?b": ["http", "a.test", "/?b"],
    "http://[::1]:80/": ["http", "[::1]:80", "/"],
  };
  for (const [target, [scheme, authority, rest]] of Object.entries(cases)) {
    assert.ok(isAbsoluteForm(target));
    assert.deepEqual(splitAbsoluteForm(target), {
      ok: true,
      value: { scheme, authority, target: rest },
    });
  }
});

Deno.test("splitAbsoluteForm() refuses everything that is not a web address", () => {
  for (
    const target of [
      "/a",
      "*",
      "a.test:443",
      "ftp://a.test/",
      "file:///etc/passwd",
      "http:/a.test/",
      "http:a.test",
      "http:///a",
      "http://",
      "javascript:alert(1)",
      " http://a.test/",
    ]
  ) {
    assert.ok(!splitAbsoluteForm(target).ok, target);
  }
});

Deno.test("splitAbsoluteForm() passes on nothing that names another host than it seems to", () => {
  for (
    const target of [
      "http://user@a.test/",
      "http://a.test\\@b.test/",
      "http://a.test\\b",
      "http://a.test#@b.test/",
      "http://a.test\0/",
      "http://a.test:80:81/",
    ]
  ) {
    const split = splitAbsoluteForm(target);
    if (!split.ok) continue;
    const { scheme, authority, target: rest } = split.value;
    assert.ok(!normaliseCall({ method: "GET", scheme, authority, target: rest }).ok, target);
  }
});
