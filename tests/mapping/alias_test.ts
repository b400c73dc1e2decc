import assert from "node:assert/strict";
import fc from "fast-check";
import { call, classOf, faults, table, tableOf } from "./support.ts";

/** Rules for host a.test, one a line: `METHOD PATH CLASS`; `-` for one that unmaps. */
function rules(...lines: readonly string[]): string {
  return lines.map((line) => {
    const [method, path, actionClass] = line.split(" ") as [string, string, string];
    const said = actionClass === "-" ? "unmapped = true" : `action_class = "${actionClass}"`;
    return `[[rules]]\nhost = "a.test"\nmethod = "${method}"\npath = "${path}"\n${said}\n`;
  }).join("\n");
}

function alias(path = "/numbers/{number}", standsFor = "/names/*/*", host = "a.test"): string {
  return `[[aliases]]\nhost = "${host}"\npath = "${path}"\nstands_for = "${standsFor}"\n`;
}

/** Each row: rules beside the alias of /names, a call, the class it has. */
const MATCHES: Readonly<Record<string, readonly [readonly string[], string, string]>> = {
  "the path that it stands for": [["GET /names/*/* code.read"], "GET /numbers/1", "code.read"],
  "what is below": [["GET /names/*/*/x code.read"], "GET /numbers/1/x", "code.read"],
  "HEAD as GET": [["GET /names/*/* code.read"], "HEAD /numbers/1", "code.read"],
  "another method": [["GET /names/*/* code.read"], "POST /numbers/1", "-"],
  "another path below": [["GET /names/*/*/x code.read"], "GET /numbers/1/y", "-"],
  "a path that is not below": [["GET /names/*/*/x code.read"], "GET /numbers/1", "-"],
  "something that is no number": [["GET /names/*/* code.read"], "GET /numbers/1a", "-"],
  "a number in other digits": [["GET /names/*/* code.read"], "GET /numbers/%D9%A1", "-"],
  "an escaped digit": [["GET /names/*/* code.read"], "GET /numbers/%31", "code.read"],
  "a slash at the end": [["GET /names/*/* code.read"], "GET /numbers/1/", "-"],
  "an encoded slash that the rule takes": [
    ["GET /names/*/*/{*} code.read"],
    "GET /numbers/1/a%2Fb",
    "code.read",
  ],
  "an encoded slash that no rule takes": [
    ["GET /names/*/*/* code.read"],
    "GET /numbers/1/a%2Fb",
    "-",
  ],
  "a number with an encoded slash": [["GET /names/*/{**} code.read"], "GET /numbers/1%2F2", "-"],
  "a rule with ** below": [["GET /names/*/*/x/** code.read"], "GET /numbers/1/x/y/z", "code.read"],
  "a rule of its own": [
    ["GET /names/*/* code.read", "GET /numbers/* issue.read"],
    "GET /numbers/1",
    "issue.read",
  ],
  "a rule of its own with ** behind": [
    ["GET /names/*/*/x code.read", "GET /numbers/*/** issue.read"],
    "GET /numbers/1/x",
    "issue.read",
  ],
  "a wider rule with **": [
    ["DELETE /names/*/* code.destructive", "DELETE /** code.read"],
    "DELETE /numbers/1",
    "code.destructive",
  ],
  "a wider rule that alone matches": [
    ["GET /names/*/* code.read", "GET /numbers/** issue.read"],
    "GET /numbers/1/y",
    "issue.read",
  ],
  // The number may be that of what the closer rule is for.
  "a rule for one of the names": [
    ["GET /names/*/* code.read", "GET /names/acme/vault credential.read"],
    "GET /numbers/1",
    "-",
  ],
  "a rule for one of the names with **": [
    ["GET /names/*/* code.read", "GET /names/acme/** credential.read"],
    "GET /numbers/1",
    "-",
  ],
  "a rule for some of the names": [
    ["GET /names/*/* code.read", "GET /names/*/v* credential.read"],
    "GET /numbers/1",
    "-",
  ],
  "a rule that unmaps one of the names": [
    ["GET /names/*/* code.read", "GET /names/acme/vault -"],
    "GET /numbers/1",
    "-",
  ],
  "a rule for one of the names, and no other": [
    ["GET /names/acme/vault code.read"],
    "GET /numbers/1",
    "-",
  ],
  "a rule for an end that may be a name": [
    ["GET /names/*/* code.read", "GET /names/**/vault credential.read"],
    "GET /numbers/1",
    "code.read",
  ],
  "a rule for an end that may be a name, and no other": [
    ["GET /names/**/vault credential.read"],
    "GET /numbers/1",
    "-",
  ],
  "a rule for one of the names that says the same": [
    ["GET /names/*/* code.read", "GET /names/acme/vault code.read"],
    "GET /numbers/1",
    "code.read",
  ],
  "a rule for one of the names and another path below": [
    ["GET /names/*/*/x code.read", "GET /names/acme/vault/y credential.read"],
    "GET /numbers/1/x",
    "code.read",
  ],
};

for (const [what, [lines, request, expected]] of Object.entries(MATCHES)) {
  Deno.test(`match() of an alias: ${what}`, () => {
    const [method, path] = request.split(" ") as [string, string];
    const mapping = table(rules(...lines) + alias());
    assert.equal(classOf(mapping, method, `https://a.test${path}`), expected);
  });
}

Deno.test("match() says by which alias a call came to a rule", () => {
  const mapping = table(rules("GET /names/*/* code.read") + alias());
  assert.equal(mapping.match(call("GET", "https://a.test/numbers/1"))?.alias, "/numbers/{number}");
  assert.equal(mapping.match(call("GET", "https://a.test/names/a/b"))?.alias, undefined);
  assert.equal(mapping.match(call("GET", "https://a.test/numbers/1"))?.path, "/names/*/*");
});

Deno.test("match() goes by the longest alias, and by those of the host alone", () => {
  const mapping = tableOf({
    "rules.toml": rules("GET /a/* code.read", "GET /a/*/x code.write", "GET /b/*/* issue.read"),
    "aliases.toml": alias("/n/{number}", "/a/*") + alias("/n/{number}/x/{number}", "/b/*/*") +
      alias("/other/{number}", "/a/*", "b.test"),
  });
  assert.equal(classOf(mapping, "GET", "https://a.test/n/1/x"), "code.write");
  assert.equal(classOf(mapping, "GET", "https://a.test/n/1/x/2"), "issue.read");
  assert.equal(classOf(mapping, "GET", "https://a.test/other/1"), "-");
  assert.equal(classOf(mapping, "GET", "https://b.test/other/1"), "-");
});

Deno.test("match() reads the rules that an alias stands for, though they were put off", () => {
  const mapping = table(rules("GET /names/*/* code.read") + alias(), { checked: true });
  assert.equal(classOf(mapping, "GET", "https://a.test/numbers/1"), "code.read");
});

// The attack: an operator classifies one repository apart, and the agent asks by number.
Deno.test("match() never gives an alias a class that some name does not have", () => {
  const segment = fc.constantFrom("*", "acme", "vault", "v*", "x");
  const path = fc.array(segment, { minLength: 2, maxLength: 3 });
  const line = fc.record({
    path: path.chain((start) =>
      fc.constantFrom(...["", "/**", "/**/x"].map((end) => `/names/${start.join("/")}${end}`))
    ),
    said: fc.constantFrom("code.read", "code.write", "-"),
  });
  const lines = fc.uniqueArray(line, { minLength: 1, maxLength: 5, selector: (l) => l.path });
  const names = ["acme", "vault", "v1", "x", "-", "other"];
  fc.assert(
    fc.property(lines, fc.constantFrom("", "/x", "/vault", "/x/x"), (chosen, rest) => {
      const text = rules(...chosen.map(({ path, said }) => `GET ${path} ${said}`)) + alias();
      // As if checked: rules that hide others are none of this test's business.
      const mapping = table(text, { checked: true });
      const numbered = classOf(mapping, "GET", `https://a.test/numbers/1${rest}`);
      const named = new Set(
        names.flatMap((owner) =>
          names.map((name) =>
            classOf(mapping, "GET", `https://a.test/names/${owner}/${name}${rest}`)
          )
        ),
      );
      if (numbered !== "-") assert.deepEqual([...named], [numbered], text);
      else assert.ok(named.has("-") || named.size > 1, text);
    }),
    { numRuns: 2000 },
  );
});

/** Each row: text after a good rule, what is said of it, at what line. */
const FAULTS: Readonly<Record<string, readonly [string, RegExp, number]>> = {
  "an unknown key": [`${alias()}method = "GET"\n`, /"method"/, 10],
  "no host": ['[[aliases]]\npath = "/a/{number}"\nstands_for = "/b/*"\n', /host: there is none/, 6],
  "no path": ['[[aliases]]\nhost = "a.test"\nstands_for = "/b/*"\n', /path: there is none/, 6],
  "nothing that it stands for": [
    '[[aliases]]\nhost = "a.test"\npath = "/a/{number}"\n',
    /stands_for: there is none/,
    6,
  ],
  "a host that is none": [alias("/a/{number}", "/b/*", "*"), /host "\*"/, 7],
  "a path without a number": [alias("/a/b"), /path "\/a\/b": has no "\{number\}"/, 8],
  "a path with a pattern": [alias("/a/*/{number}"), /path "\/a\/\*\/\{number\}": has a segment/, 8],
  "a path that is none": [alias("a/{number}"), /does not start with "\/"/, 8],
  "names without a star": [alias("/a/{number}", "/b/c"), /stands_for "\/b\/c": has no "\*"/, 9],
  "names with **": [alias("/a/{number}", "/b/**"), /stands_for "\/b\/\*\*": has a segment/, 9],
  "two for the same path": [
    alias("/a/{number}", "/b/*") + alias("/a/{number}", "/c/*"),
    /tie|order/i,
    12,
  ],
};

for (const [what, [text, message, line]] of Object.entries(FAULTS)) {
  Deno.test(`parse() refuses an alias with ${what}, at its line`, () => {
    const [error, ...rest] = faults(rules("GET /b/* code.read") + text);
    assert.deepEqual(rest, []);
    assert.match(error!.message, message);
    assert.equal(error!.at?.line, line);
  });
}

Deno.test("parse() refuses aliases in the other dialect, and ones that are no tables", () => {
  const [error] = faults('dialect = "openfirma"\n' + rules("GET /b/* code.read") + alias());
  assert.match(error!.message, /dialect "openfirma" has none/);
  const [other] = faults(`aliases = 1\n${rules("GET /b/* code.read")}`);
  assert.match(other!.message, /Cannot read aliases/);
});

Deno.test("parse() takes two aliases of the same path that stand for the same", () => {
  const text = rules("GET /names/*/* code.read") + alias();
  const mapping = tableOf({ "a.toml": text, "b.toml": alias() });
  assert.equal(classOf(mapping, "GET", "https://a.test/numbers/1"), "code.read");
});
