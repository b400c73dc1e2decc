import assert from "node:assert/strict";
import { connectCall } from "../../src/mapping/call.ts";
import { call, classOf, table, tableOf } from "./support.ts";
import { takesAtMost } from "../fixtures/pace.ts";

/** Rules for host a.test, one a line: `METHODS PATH[?QUERY] CLASS`; `*` for any method. */
function rules(...lines: readonly string[]): string {
  return lines.map((line) => {
    const [methods, target, actionClass] = line.split(" ") as [string, string, string];
    const [path, query] = target.split("?");
    return [
      "[[rules]]",
      'host = "a.test"',
      ...(methods === "*" ? [] : [`method = ${JSON.stringify(methods.split("|"))}`]),
      `path = "${path}"`,
      ...(query === undefined ? [] : [`query = "${query}"`]),
      actionClass === "-" ? "unmapped = true" : `action_class = "${actionClass}"`,
    ].join("\n");
  }).join("\n\n");
}

/** Each row: rules, a call, the class it has. */
const MATCHES: Readonly<Record<string, readonly [readonly string[], string, string]>> = {
  "a path matches itself": [["GET /a/b code.read"], "GET /a/b", "code.read"],
  "another path does not match": [["GET /a/b code.read"], "GET /a/c", "-"],
  "a longer path does not match": [["GET /a/b code.read"], "GET /a/b/c", "-"],
  "a shorter path does not match": [["GET /a/b code.read"], "GET /a", "-"],
  "case matters": [["GET /a code.read"], "GET /A", "-"],
  "a slash at the end matters": [["GET /a code.read"], "GET /a/", "-"],
  "a slash at the end can be asked for": [["GET /a/ code.read"], "GET /a/", "code.read"],
  // What the attack wants: the class of the rule for all else, and the service of the other one.
  "a path parameter is no way around a rule": [
    ["POST /pay payment.transfer", "POST /** code.read"],
    "POST /pay;x=1",
    "-",
  ],
  "an escaped one neither": [
    ["POST /pay/now payment.transfer", "POST /** code.read"],
    "POST /pay%3Bx/now",
    "-",
  ],
  "nor a segment that is nothing else": [["POST /** code.read"], "POST /pay/;x/now", "-"],
  "nor a slash at the end": [
    ["POST /pay payment.transfer", "POST /** code.read"],
    "POST /pay/",
    "-",
  ],
  "nor one behind a *": [
    ["DELETE /users/* code.destructive", "DELETE /users/** code.read"],
    "DELETE /users/7/",
    "-",
  ],
  "a path parameter where one rule takes both": [
    ["GET /** code.read"],
    "GET /a;x=1/b",
    "code.read",
  ],
  "a path parameter that the rule names": [
    ["GET /a;v=1 code.read", "GET /a code.write"],
    "GET /a;v=1",
    "code.read",
  ],
  "a slash at the end where one rule takes both": [["GET /** code.read"], "GET /a/b/", "code.read"],
  "a slash at the end that the rule names": [
    ["GET /**/ code.read", "GET /** code.write"],
    "GET /a/",
    "code.read",
  ],
  "the root": [["GET / code.read"], "GET /", "code.read"],
  "the root is no prefix": [["GET / code.read"], "GET /a", "-"],
  "an escape is compared decoded": [["GET /a-b code.read"], "GET /a%2Db", "code.read"],
  "a rule's escape too": [["GET /a%2db code.read"], "GET /a-b", "code.read"],
  "an escaped at sign": [["GET /@scope/* code.read"], "GET /%40scope/x", "code.read"],
  "an escaped colon": [["POST /m/*:run system.execute"], "POST /m/x%3Arun", "system.execute"],
  "* is one segment": [["GET /a/*/c code.read"], "GET /a/b/c", "code.read"],
  "* is not two segments": [["GET /a/* code.read"], "GET /a/b/c", "-"],
  "* is not none": [["GET /a/* code.read"], "GET /a", "-"],
  "* is not empty": [["GET /a/* code.read"], "GET /a/", "-"],
  "* takes a segment with dots in it": [["GET /a/* code.read"], "GET /a/...", "code.read"],
  "a part of a segment": [["GET /v*/x code.read"], "GET /v1/x", "code.read"],
  "a part is not empty": [["GET /v*/x code.read"], "GET /v/x", "-"],
  "a part does not cross a slash": [["GET /v*x code.read"], "GET /v1/x", "-"],
  "several parts": [["GET /a*b*c code.read"], "GET /a-b-b-c", "code.read"],
  "several parts in their order": [["GET /a*b*c code.read"], "GET /a-c-b", "-"],
  "several parts with nothing between": [["GET /a*b*c code.read"], "GET /abc", "-"],
  "the ends of a part do not overlap": [["GET /aa*aa code.read"], "GET /aaa", "-"],
  "** is any number of segments": [["GET /a/** code.read"], "GET /a/b/c/d", "code.read"],
  "** is none": [["GET /a/** code.read"], "GET /a", "code.read"],
  "** takes the slash at the end": [["GET /a/** code.read"], "GET /a/", "code.read"],
  "** stays below its beginning": [["GET /a/** code.read"], "GET /ab", "-"],
  "** in the middle": [["GET /a/**/z code.read"], "GET /a/b/c/z", "code.read"],
  "** in the middle is none": [["GET /a/**/z code.read"], "GET /a/z", "code.read"],
  "** in the middle needs its end": [["GET /a/**/z code.read"], "GET /a/b", "-"],
  "** at the start": [["GET /**/z code.read"], "GET /a/z", "code.read"],
  "no path is every path": [["GET /** code.read"], "GET /a/b", "code.read"],
  "another method does not match": [["GET /a code.read"], "POST /a", "-"],
  "no method is every method": [["* /a code.write"], "DELETE /a", "code.write"],
  "one of several methods": [["PUT|PATCH /a code.write"], "PATCH /a", "code.write"],
  "GET covers HEAD": [["GET /a code.read"], "HEAD /a", "code.read"],
  "HEAD does not cover GET": [["HEAD /a code.read"], "GET /a", "-"],
  "OPTIONS is covered by nothing else": [["GET|POST /a code.read"], "OPTIONS /a", "-"],

  "fixed text goes before *": [
    ["GET /a/* code.read", "GET /a/b issue.read"],
    "GET /a/b",
    "issue.read",
  ],
  "fixed text goes before a part": [
    ["GET /a/b* code.read", "GET /a/bc issue.read"],
    "GET /a/bc",
    "issue.read",
  ],
  "a part goes before *": [
    ["GET /a/* code.read", "GET /a/b* issue.read"],
    "GET /a/bc",
    "issue.read",
  ],
  "the longer part goes first": [
    ["GET /a* code.read", "GET /ab* issue.read"],
    "GET /abc",
    "issue.read",
  ],
  "of parts as long, the longer beginning": [
    ["GET /*b code.read", "GET /a* issue.read"],
    "GET /axb",
    "issue.read",
  ],
  "* goes before **": [["GET /a/** code.read", "GET /a/* issue.read"], "GET /a/b", "issue.read"],
  "the end goes before **": [["GET /a/** code.read", "GET /a issue.read"], "GET /a", "issue.read"],
  "the first difference decides": [
    ["GET /a/** code.read", "GET /*/b issue.read"],
    "GET /a/b",
    "code.read",
  ],
  "the longer end of ** goes first": [
    ["GET /a/**/z code.read", "GET /a/**/y/z issue.read"],
    "GET /a/x/y/z",
    "issue.read",
  ],
  "of ends as long, fixed text": [
    ["GET /a/**/*/z code.read", "GET /a/**/y/z issue.read"],
    "GET /a/x/y/z",
    "issue.read",
  ],
  "a more specific path for another method does not stand in the way": [
    ["DELETE /a/** code.destructive", "GET /a/b code.read"],
    "DELETE /a/b",
    "code.destructive",
  ],
  "a path is tried again when its fixed text leads nowhere": [
    ["GET /a/b/c code.read", "GET /*/b/d issue.read"],
    "GET /a/b/d",
    "issue.read",
  ],
  "a named method goes before any": [
    ["* /a code.write", "GET /a code.read"],
    "GET /a",
    "code.read",
  ],
  "HEAD by name goes before HEAD by way of GET": [
    ["GET /a code.read", "HEAD /a issue.read"],
    "HEAD /a",
    "issue.read",
  ],
  "HEAD by way of GET goes before any": [
    ["* /a code.write", "GET /a code.read"],
    "HEAD /a",
    "code.read",
  ],
  "a path goes before a method": [
    ["* /a/b code.write", "GET /a/* code.read"],
    "GET /a/b",
    "code.write",
  ],

  "a query must be there": [["GET /a?s=x code.read"], "GET /a", "-"],
  "a query matches": [["GET /a?s=x code.read"], "GET /a?b=c&s=x", "code.read"],
  "a query's value must be equal": [["GET /a?s=x code.read"], "GET /a?s=xy", "-"],
  "a query is compared decoded": [["GET /a?s=x-y code.read"], "GET /a?%73=x%2Dy", "code.read"],
  "a query goes before none": [
    ["GET /a code.read", "GET /a?s=x code.write"],
    "GET /a?s=x",
    "code.write",
  ],
  "a query goes before a method": [
    ["GET /a code.read", "* /a?s=x code.write"],
    "GET /a?s=x",
    "code.write",
  ],
  "two conditions go before one": [
    ["GET /a?s=x code.read", "GET /a?s=x&t=y code.write"],
    "GET /a?t=y&s=x",
    "code.write",
  ],

  "an unmapped rule takes what is below it away": [
    ["GET /*/* code.read", "* /-/** -"],
    "GET /-/x",
    "-",
  ],
  "an unmapped rule leaves the rest": [
    ["GET /*/* code.read", "* /-/** -"],
    "GET /a/x",
    "code.read",
  ],
  "a more specific rule goes before an unmapped one": [
    ["GET /-/ping code.read", "* /-/** -"],
    "GET /-/ping",
    "code.read",
  ],
};

for (const [what, [lines, request, expected]] of Object.entries(MATCHES)) {
  Deno.test(`match() when ${what}`, () => {
    const [method, target] = request.split(" ") as [string, string];
    for (const order of [lines, lines.toReversed()]) {
      for (const checked of [false, true]) {
        assert.equal(
          classOf(table(rules(...order), { checked }), method, `https://a.test${target}`),
          expected,
        );
      }
    }
  });
}

/** The service stands in the query alone: each of these must not pass for a fetch. */
for (
  const query of [
    "",
    "?",
    "?service",
    "?service=",
    "?service=git-receive-pack",
    "?service=git-upload-pack&service=git-receive-pack",
    "?service=git-receive-pack&service=git-upload-pack",
    "?service=git-upload-pack;service=git-receive-pack",
    "?service=git-upload-pack&%73ervice=git-receive-pack",
    "?service=git-upload-pack&SERVICE=git-receive-pack",
    "?Service=git-upload-pack",
    "?service=git-upload-pack%00",
    "?service=git-upload-pack;x",
    "?service=git-upload-pack&%ff=1",
    "?service[]=git-upload-pack",
    "?a?service=git-upload-pack",
  ]
) {
  Deno.test(`match() does not take "${query}" for service=git-upload-pack`, () => {
    const mapping = table(rules("GET /r/info/refs?service=git-upload-pack code.read"));
    const url = "https://a.test/r/info/refs";
    assert.equal(classOf(mapping, "GET", `${url}?service=git-upload-pack`), "code.read");
    assert.equal(classOf(mapping, "GET", `${url}${query}`), "-");
  });
}

/** Each row: path of a rule, path of a call, whether the rule takes its encoded slashes. */
const ENCODED_SLASHES: readonly (readonly [string, string, boolean])[] = [
  ["/*", "/x%2Fy", false],
  ["/{*}", "/x%2fy", true],
  ["/{*}", "/x", true],
  ["/{*}", "/x%2Fy%2Fz", true],
  ["/**", "/x%2Fy", false],
  ["/{**}", "/a/x%2Fy/b", true],
  ["/**/z", "/x%2Fy/z", false],
  ["/{**}/z", "/x%2Fy/z", true],
  ["/{**}/*", "/a/x%2Fy", false],
  ["/{**}/*", "/x%2Fy/a", true],
  ["/*/{**}", "/x%2Fy/a", false],
  ["/*/{*}", "/a/x%2Fy", true],
  ["/*/{*}", "/x%2Fy/a", false],
  ["/v*", "/vx%2Fy", false],
  ["/@*%2F*", "/@scope%2Fname", true],
  ["/@*%2f*", "/%40scope%2fname", true],
  ["/@*%2F*", "/@scope%2Fname%2Fmore", false],
  ["/@*%2F*", "/@scope", false],
  ["/@*%2F*", "/@%2Fname", false],
  ["/@scope%2Fname/*", "/@scope%2Fname/x", true],
  ["/@scope%2Fname/*", "/@scope%2Fname/x%2Fy", false],
];

for (const [pattern, path, expected] of ENCODED_SLASHES) {
  Deno.test(`match() ${expected ? "takes" : "refuses"} ${path} for a rule on ${pattern}`, () => {
    const mapping = table(rules(`GET ${pattern} code.read`));
    assert.equal(classOf(mapping, "GET", `https://a.test${path}`), expected ? "code.read" : "-");
  });
}

Deno.test("match() does not fall back on a wider rule when an encoded slash stops one", () => {
  const mapping = table(rules("DELETE /a/* code.destructive", "DELETE /{**} code.write"));
  assert.equal(classOf(mapping, "DELETE", "https://a.test/b%2Fc"), "code.write");
  assert.equal(classOf(mapping, "DELETE", "https://a.test/a/b%2Fc"), "-");
});

/** Each row: host of a rule, URL, whether it matches. */
const HOSTS: readonly (readonly [string, string, boolean])[] = [
  ["a.test", "https://a.test/", true],
  ["a.test", "http://a.test/", true],
  ["A.TEST.", "https://a.test/", true],
  ["a.test", "https://A.test.:443/", true],
  ["a.test", "https://b.a.test/", false],
  ["a.test", "https://ba.test/", false],
  ["a.test", "https://a.test:8443/", false],
  ["a.test", "http://a.test:443/", false],
  ["a.test:443", "https://a.test/", true],
  ["a.test:8443", "https://a.test:8443/", true],
  ["a.test:8443", "https://a.test/", false],
  ["*.a.test", "https://b.a.test/", true],
  ["*.a.test", "https://c.b.a.test/", true],
  ["*.a.test", "https://a.test/", false],
  ["*.a.test", "https://ba.test/", false],
  ["*.a.test", "https://a.test.evil.test/", false],
  ["*.a.test:8443", "https://b.a.test:8443/", true],
  ["*.a.test:8443", "https://b.a.test/", false],
  ["*.a.test", "https://b.a.test:8443/", false],
  ["bücher.test", "https://xn--bcher-kva.test/", true],
  ["127.0.0.1", "http://127.0.0.1/", true],
  ["[::1]", "http://[0:0::1]/", true],
  ["[::1]:8080", "http://[::1]:8080/", true],
];

for (const [host, url, expected] of HOSTS) {
  Deno.test(`match() ${expected ? "finds" : "does not find"} host ${host} in ${url}`, () => {
    const mapping = table(`[[rules]]\nhost = "${host}"\naction_class = "code.read"`);
    assert.equal(classOf(mapping, "GET", url), expected ? "code.read" : "-");
    if (expected) assert.ok(mapping.namesHost(call("GET", url).host));
  });
}

/** Each row: host of a rule, canonical host, whether the rule names it. */
const NAMED: readonly (readonly [string, string, boolean])[] = [
  ["a.test", "a.test", true],
  ["a.test:8443", "a.test", true],
  ["*.a.test:8443", "c.b.a.test", true],
  ["[::1]:8080", "[::1]", true],
  ["a.test", "b.a.test", false],
  ["*.a.test", "a.test", false],
  ["*.a.test", "ba.test", false],
  ["*.a.test", "a.test.evil.test", false],
];

for (const [host, other, expected] of NAMED) {
  Deno.test(`namesHost() says that ${host} ${expected ? "names" : "does not name"} ${other}`, () => {
    const rule = `[[rules]]\nhost = "${host}"\naction_class = "code.read"`;
    assert.equal(table(rule).namesHost(other), expected);
    const dialect = `dialect = "openfirma"\n${rule}`;
    if (!host.startsWith("[")) assert.equal(table(dialect).namesHost(other), expected);
  });
}

Deno.test("match() prefers a host to a domain and a longer domain to a shorter one", () => {
  const mapping = table(`
    [[rules]]
    host = "*.test"
    path = "/very/specific"
    action_class = "code.write"

    [[rules]]
    host = "*.a.test"
    action_class = "code.read"

    [[rules]]
    host = "b.a.test"
    action_class = "issue.read"
  `);
  assert.equal(classOf(mapping, "GET", "https://b.a.test/very/specific"), "issue.read");
  assert.equal(classOf(mapping, "GET", "https://c.a.test/very/specific"), "code.read");
  assert.equal(classOf(mapping, "GET", "https://c.test/very/specific"), "code.write");
});

Deno.test("match() falls back on the domain for what the host's rules do not name", () => {
  const mapping = tableOf({
    "a.toml": '[[rules]]\nhost = "*.a.test"\naction_class = "code.read"',
    "b.toml": '[[rules]]\nhost = "b.a.test"\npath = "/x"\naction_class = "code.write"',
  });
  assert.equal(classOf(mapping, "GET", "https://b.a.test/x"), "code.write");
  assert.equal(classOf(mapping, "GET", "https://b.a.test/y"), "code.read");
});

Deno.test("match() opens a tunnel only for a rule that names CONNECT", () => {
  const any = table('[[rules]]\nhost = "a.test"\naction_class = "code.read"');
  const named = table('[[rules]]\nhost = "a.test"\nmethod = "CONNECT"\naction_class = "code.read"');
  assert.equal(any.match(connectCall("a.test", 443)), undefined);
  assert.equal(named.match(connectCall("a.test", 443))?.actionClass, "code.read");
  assert.equal(named.match(connectCall("a.test", 22)), undefined);
  assert.equal(classOf(named, "GET", "https://a.test/"), "-");
});

Deno.test("match() tells where the rule stands and what it says", () => {
  const text = [
    "# two paths",
    "[[rules]]",
    'host = ["a.test", "b.test"]',
    'method = ["GET", "POST"]',
    "path = [",
    '  "/a",',
    '  "/b/*",',
    "]",
    'query = "x=y"',
    'action_class = "model.inference"',
    'finer = "agent.control"',
  ].join("\n");
  assert.deepEqual(table(text).match(call("GET", "https://b.test/b/c?x=y")), {
    actionClass: "model.inference",
    finer: "agent.control",
    ref: "rules.toml:7",
    host: "b.test",
    path: "/b/*",
    method: "GET|POST",
    query: "x=y",
  });
});

Deno.test("match() names the decoder of a rule", () => {
  const text =
    '[[rules]]\nhost = "a.test"\naction_class = "code.write"\ndecoder = "git-receive-pack"';
  const mapping = table(text, { decoders: ["git-receive-pack"] });
  assert.equal(mapping.match(call("POST", "https://a.test/x"))?.decoder, "git-receive-pack");
});

Deno.test("hosts lists every pattern once, for a network permission", () => {
  const mapping = table(`
    [[rules]]
    host = ["b.test", "*.a.test"]
    action_class = "code.read"

    [[rules]]
    host = "B.test"
    path = "/x"
    action_class = "code.write"

    [[rules]]
    host = "[::1]:8080"
    action_class = "code.write"
  `);
  assert.deepEqual(mapping.hosts, ["*.a.test", "[::1]:8080", "b.test"]);
});

Deno.test("match() finds nothing in an empty table", () => {
  const mapping = tableOf({});
  assert.equal(classOf(mapping, "GET", "https://a.test/"), "-");
  assert.deepEqual(mapping.hosts, []);
});

Deno.test("match() of a table that was checked reads each rule for each of its hosts", () => {
  const text = `
    [[rules]]
    host = ["a.test", "*.b.test"]
    method = "GET"
    path = ["/x", "/y"]
    action_class = "code.read"

    [[rules]]
    host = "a.test"
    method = "PUT"
    action_class = "code.write"`;
  const checked = table(text, { checked: true });
  assert.equal(classOf(checked, "GET", "https://a.test/y"), "code.read");
  assert.equal(classOf(checked, "GET", "https://c.b.test/x"), "code.read");
  assert.equal(classOf(checked, "PUT", "https://a.test/"), "code.write");
  assert.equal(classOf(checked, "PUT", "https://c.b.test/"), "-");
  assert.deepEqual(checked.hosts, table(text).hosts);
  assert.equal(checked.size, table(text).size);
  assert.equal(table(text, { checked: true }).size, 5);
});

// Attack: a forged note that these files are valid.
Deno.test("match() never answers by a rule that is not valid, though it was said to be", () => {
  const forged = table(
    `[[rules]]\nhost = "a.test"\naction_class = "no.such"\n
     [[rules]]\nhost = "b.test"\naction_class = "code.read"`,
    { checked: true },
  );
  assert.throws(() => forged.match(call("GET", "https://a.test/")), /no\.such/);
  assert.throws(() => forged.match(call("GET", "https://a.test/")), /no\.such/);
  assert.equal(classOf(forged, "GET", "https://b.test/"), "code.read");
});

Deno.test("match() is not slowed down by a path made to be tried often", async () => {
  const lines: string[] = [];
  for (const a of ["a", "*"]) {
    for (const b of ["a", "*"]) {
      for (const c of ["a", "*"]) lines.push(`GET /${a}/${b}/${c}/**/z code.read`);
    }
  }
  const mapping = table(rules(...lines));
  const long = call("GET", `https://a.test/${"a/".repeat(4000)}y`);
  await takesAtMost(2_000, () => assert.equal(mapping.match(long), undefined));
});
