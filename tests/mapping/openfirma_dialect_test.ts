import assert from "node:assert/strict";
import fc from "fast-check";
import { connectCall } from "../../src/mapping/call.ts";
import { matchesGlob } from "../../src/mapping/openfirma_dialect.ts";
import { classOf, faults, table, tableOf } from "./support.ts";
import { takesAtMost } from "../fixtures/pace.ts";

/** Rules in the dialect, one a line: `METHOD|* HOST [PATH] CLASS`. */
function rules(...lines: readonly string[]): string {
  const tables = lines.map((line) => {
    const [method, host, ...rest] = line.split(" ") as [string, string, ...string[]];
    const actionClass = rest.at(-1)!;
    const path = rest.length > 1 ? rest[0] : undefined;
    return [
      "[[rules]]",
      ...(method === "*" ? [] : [`method = "${method}"`]),
      `host = "${host}"`,
      ...(path === undefined ? [] : [`path = "${path}"`]),
      `action_class = "${actionClass}"`,
    ].join("\n");
  });
  return `dialect = "openfirma"\n\n${tables.join("\n\n")}`;
}

const MATCHES: Readonly<Record<string, readonly [readonly string[], string, string]>> = {
  "* crosses slashes": [["GET a.test /r/* code.read"], "GET https://a.test/r/a/b/c", "code.read"],
  "* may be empty": [["GET a.test /r/* code.read"], "GET https://a.test/r/x", "code.read"],
  "* in the middle crosses slashes": [
    ["GET a.test /r/*/z code.read"],
    "GET https://a.test/r/a/b/z",
    "code.read",
  ],
  "a path is matched whole": [["GET a.test /r code.read"], "GET https://a.test/r/a", "-"],
  "* in a host crosses dots": [
    ["* api.*.test code.read"],
    "GET https://api.x.y.test/",
    "code.read",
  ],
  "* at the start of a host": [["* *.a.test code.read"], "GET https://b.a.test/", "code.read"],
  "* alone is every host": [["* * code.read"], "GET https://b.a.test/", "code.read"],
  "no path is every path": [["GET a.test code.read"], "GET https://a.test/x/y", "code.read"],
  "a slash at the end does not count": [
    ["GET a.test /r/ code.read"],
    "GET https://a.test/r",
    "code.read",
  ],
  "a slash at the end of the request neither": [
    ["GET a.test /r code.read"],
    "GET https://a.test/r/",
    "code.read",
  ],
  "GET does not cover HEAD": [["GET a.test code.read"], "HEAD https://a.test/", "-"],
  "the default port is dropped": [["* A.test.:443 code.read"], "GET https://a.test/", "code.read"],
  "another port is kept": [["* a.test:8443 code.read"], "GET https://a.test:8443/", "code.read"],
  "another port does not match without it": [["* a.test code.read"], "GET https://a.test:1/", "-"],
  "a host goes before a pattern": [
    ["GET *.test /x/y/z code.read", "* a.test issue.read"],
    "GET https://a.test/x/y/z",
    "issue.read",
  ],
  "a method goes before none": [
    ["* a.test /x code.read", "GET a.test /x issue.read"],
    "GET https://a.test/x",
    "issue.read",
  ],
  "more segments go first": [
    ["GET a.test /x/* code.read", "GET a.test /x/*/z issue.read"],
    "GET https://a.test/x/y/z",
    "issue.read",
  ],
  "no * goes before *": [
    ["GET a.test /x/* code.read", "GET a.test /x/y issue.read"],
    "GET https://a.test/x/y",
    "issue.read",
  ],
};

for (const [what, [lines, request, expected]] of Object.entries(MATCHES)) {
  Deno.test(`match() in the openfirma dialect when ${what}`, () => {
    const [method, url] = request.split(" ") as [string, string];
    for (const order of [lines, lines.toReversed()]) {
      assert.equal(classOf(table(rules(...order)), method, url), expected);
    }
  });
}

Deno.test("match() in the openfirma dialect opens a tunnel only for a rule that names CONNECT", () => {
  assert.equal(table(rules("* a.test code.read")).match(connectCall("a.test", 443)), undefined);
  const named = table(rules("CONNECT a.test code.read"));
  assert.equal(named.match(connectCall("a.test", 443))?.actionClass, "code.read");
});

Deno.test("match() asks rules of firma's own first", () => {
  const files = [
    { file: "a.toml", text: rules("GET a.test /x code.read", "GET a.test /y code.read") },
    {
      file: "b.toml",
      text: '[[rules]]\nhost = "*.test"\npath = "/x"\naction_class = "code.write"',
    },
  ];
  for (const order of [files, files.toReversed()]) {
    const parsed = tableOf(Object.fromEntries(order.map(({ file, text }) => [file, text])));
    assert.equal(classOf(parsed, "GET", "https://a.test/x"), "code.write");
    assert.equal(classOf(parsed, "GET", "https://a.test/y"), "code.read");
  }
});

Deno.test("hosts names patterns as a network permission can, or everything", () => {
  assert.deepEqual(table(rules("* a.test code.read", "* *.b.test code.read")).hosts, [
    "*.b.test",
    "a.test",
  ]);
  assert.deepEqual(table(rules("* api.*.test code.read")).hosts, ["*"]);
});

Deno.test("MappingTable.parse() refuses keys that the openfirma dialect has not", () => {
  const [error] = faults(`${rules("* a.test code.read")}\ndecoder = "x"`);
  assert.equal(error!.code, "MAPPING_KEY_UNKNOWN");
});

Deno.test("MappingTable.parse() refuses hosts that collapse into every host", () => {
  for (const host of ["*.", "*.:443", "*:443", "*:80", ".", "a b"]) {
    const [error] = faults(
      `dialect = "openfirma"\n[[rules]]\nhost = "${host}"\naction_class = "code.read"`,
    );
    assert.equal(error?.code, "MAPPING_RULE_INVALID", host);
    assert.equal(error?.at?.line, 3);
  }
});

Deno.test("MappingTable.parse() refuses an openfirma rule that is written twice", () => {
  const [error] = faults(rules("GET a.test /x code.read", "GET A.test. /x/ code.write"));
  assert.equal(error!.code, "MAPPING_RULES_TIE");
  assert.match(error!.message, /rules\.toml:3 .*rules\.toml:9/);
});

Deno.test("MappingTable.parse() refuses an openfirma rule whose methods are all taken", () => {
  const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
  const lines = methods.map((method) => `${method} a.test /x code.read`);
  const [error] = faults(rules("* a.test /x code.write", ...lines));
  assert.equal(error!.code, "MAPPING_RULE_SHADOWED");
});

Deno.test("matchesGlob() agrees with a regular expression", () => {
  const text = fc.string({ unit: fc.constantFrom(..."ab/."), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom(..."ab/.**"), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (glob, subject) => {
      const source = glob.replace(/[./]/g, "\\$&").replaceAll("*", "[^]*");
      assert.equal(matchesGlob(glob, subject), new RegExp(`^${source}$`).test(subject));
    }),
    { numRuns: 5000 },
  );
});

Deno.test("matchesGlob() takes no more than quadratic time", () =>
  takesAtMost(
    10_000,
    () => assert.ok(!matchesGlob(`${"*a".repeat(20)}b`, "a".repeat(8000))),
  ));
