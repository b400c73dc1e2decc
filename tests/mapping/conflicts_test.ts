import assert from "node:assert/strict";
import fc from "fast-check";
import { MappingTable } from "../../src/mapping/table.ts";
import { matchesPath, matchSegments, parsePathPattern } from "../../src/mapping/path_pattern.ts";
import { comparePathPatterns, covers } from "../../src/mapping/specificity.ts";
import { call, must } from "./support.ts";

interface RuleText {
  readonly host: string;
  readonly method?: readonly string[];
  readonly path?: string;
  readonly query?: string;
  readonly actionClass: string;
}

function format(rule: RuleText): string {
  return [
    "[[rules]]",
    `host = ${JSON.stringify(rule.host)}`,
    ...(rule.method ? [`method = ${JSON.stringify(rule.method)}`] : []),
    ...(rule.path ? [`path = ${JSON.stringify(rule.path)}`] : []),
    ...(rule.query ? [`query = ${JSON.stringify(rule.query)}`] : []),
    `action_class = ${JSON.stringify(rule.actionClass)}`,
  ].join("\n") + "\n";
}

function rule(line: string): RuleText {
  const [methods, target, actionClass = "code.read"] = line.split(" ") as [string, string, string?];
  const [path, query] = target.split("?");
  return {
    host: "a.test",
    ...(methods !== "*" && { method: methods.split("|") }),
    path: path!,
    ...(query !== undefined && { query }),
    actionClass,
  };
}

function parse(lines: readonly string[]) {
  return MappingTable.parse(
    lines.map((line, i) => ({ file: `${i}.toml`, text: format(rule(line)) })),
  );
}

const TIES: Readonly<Record<string, readonly [string, string]>> = {
  "the same path": ["GET /a", "GET /a"],
  "the same path and different classes": ["GET /a", "GET /a code.write"],
  "a method in common": ["GET|POST /a", "POST|PUT /a"],
  "any method twice": ["* /a", "* /a code.write"],
  "the same path, spelled differently": ["GET /a-b", "GET /a%2Db"],
  "the same escaped character": ["GET /@a", "GET /%40a"],
  "a * that differs in its braces": ["GET /*", "GET /{*}"],
  "a ** that differs in its braces": ["GET /**/a", "GET /{**}/a"],
  "the same query": ["GET /a?x=1", "GET /a?x=1"],
  "the same query in another order": ["GET /a?x=1&y=2", "GET /a?y=2&x=1"],
  "queries that can both hold": ["GET /a?x=1", "GET /a?y=2"],
  "queries of which neither is a case of the other": ["GET /a?x=1", "* /a?y=2&z=3"],
};

for (const [what, lines] of Object.entries(TIES)) {
  Deno.test(`MappingTable.parse() refuses two rules with ${what}, naming both places`, () => {
    for (const order of [lines, lines.toReversed()]) {
      const parsed = parse(order);
      assert.ok(!parsed.ok);
      assert.deepEqual(parsed.error.map((error) => error.code), ["MAPPING_RULES_TIE"]);
      assert.match(parsed.error[0]!.message, /0\.toml:\d/);
      assert.match(parsed.error[0]!.message, /1\.toml:\d/);
      assert.ok(parsed.error[0]!.cure);
    }
  });
}

const SHADOWS: Readonly<Record<string, readonly string[]>> = {
  "an end after ** under a *": ["GET /*/**", "GET /**/b"],
  "the same for each method": ["GET /*/**", "POST /*/**", "GET|POST /**/b"],
  "any method where each is named": [
    "GET /a",
    "HEAD /a",
    "POST|PUT|PATCH /a",
    "DELETE|OPTIONS /a",
    "* /a",
  ],
  "any method where GET brings HEAD": ["GET|POST|PUT|PATCH|DELETE|OPTIONS /a", "* /a"],
  "a query under a wider rule for every query": ["GET /*/**", "GET /**/b?x=1"],
};

for (const [what, lines] of Object.entries(SHADOWS)) {
  Deno.test(`MappingTable.parse() refuses a rule that is never reached: ${what}`, () => {
    const parsed = parse(lines);
    assert.ok(!parsed.ok);
    assert.deepEqual(parsed.error.map((error) => error.code), ["MAPPING_RULE_SHADOWED"]);
    assert.match(parsed.error[0]!.message, new RegExp(`rule ${lines.length - 1}\\.toml:`));
    assert.match(parsed.error[0]!.message, /0\.toml/);
    assert.equal(parsed.error[0]!.at?.file, `${lines.length - 1}.toml`);
  });
}

const FINE: Readonly<Record<string, readonly string[]>> = {
  "different methods": ["GET /a", "POST /a"],
  "a method and any": ["GET /a", "* /a"],
  "HEAD beside GET": ["GET /a", "HEAD /a code.write"],
  "a rule that only lost HEAD": ["HEAD /*/**", "GET /**/b"],
  "values of one parameter": ["GET /a?x=1", "GET /a?x=2"],
  "a query and none": ["GET /a", "GET /a?x=1"],
  "a query that is a case of another": ["GET /a?x=1", "GET /a?x=1&y=2"],
  "queries for other methods": ["GET /a?x=1", "POST /a?y=1"],
  "* beside **": ["GET /*", "GET /**"],
  "** with and without an end": ["GET /a/**", "GET /a/**/b"],
  "a wider rule for one of two methods": ["GET /*/**", "GET|POST /**/b"],
  "a wider rule for one query": ["GET /*/**?x=1", "GET /**/b"],
  "a rule that still has the root": ["GET /*/**", "GET /**"],
  "a slash at the end": ["GET /a", "GET /a/"],
};

for (const [what, lines] of Object.entries(FINE)) {
  Deno.test(`MappingTable.parse() takes ${what}`, () => {
    const parsed = parse(lines);
    assert.ok(parsed.ok, parsed.ok ? "" : parsed.error[0]!.message);
  });
}

const segment = fc.constantFrom("a", "b", "*", "a*", "*b", "ab*", "a*b*", "{*}");
const pathText = fc.tuple(
  fc.array(segment, { maxLength: 3 }),
  fc.option(fc.array(segment, { maxLength: 2 })),
).map(([head, tail]) => `/${[...head, ...(tail ? ["**", ...tail] : [])].join("/")}`);
const requestPath = fc.array(fc.constantFrom("a", "b", "ab", "abb", "c"), { maxLength: 6 })
  .map((parts) => `/${parts.join("/")}`);

Deno.test("covers() is true only if every path of one pattern is one of the other", () => {
  fc.assert(
    fc.property(pathText, pathText, requestPath, (outerText, innerText, path) => {
      const outer = must(parsePathPattern(outerText));
      const inner = must(parsePathPattern(innerText));
      const segments = matchSegments(path);
      if (covers(outer, inner) && matchesPath(inner, segments)) {
        assert.ok(matchesPath(outer, segments));
      }
    }),
    { numRuns: 8000 },
  );
});

Deno.test("comparePathPatterns() orders any two patterns that match one path", () => {
  fc.assert(
    fc.property(pathText, pathText, requestPath, (leftText, rightText, path) => {
      const left = must(parsePathPattern(leftText));
      const right = must(parsePathPattern(rightText));
      const segments = matchSegments(path);
      if (!matchesPath(left, segments) || !matchesPath(right, segments)) return;
      const order = comparePathPatterns(left, right);
      assert.equal(Math.sign(comparePathPatterns(right, left)), -Math.sign(order) + 0);
      // Braces say what may be in a segment, not which segments there are.
      const plain = (text: string) => text.replaceAll(/[{}]/g, "");
      assert.equal(order === 0, plain(leftText) === plain(rightText));
    }),
    { numRuns: 8000 },
  );
});

const ruleText = fc.record({
  host: fc.constantFrom("a.test", "b.a.test", "*.a.test", "*.test"),
  method: fc.subarray(["GET", "HEAD", "POST", "DELETE"], { minLength: 1 }),
  path: pathText,
  query: fc.constantFrom("x=1", "x=2", "x=1&y=2", ""),
  actionClass: fc.constantFrom("code.read", "code.write", "issue.read", "issue.write"),
}).map(({ query, ...rule }): RuleText => query === "" ? rule : { ...rule, query });

const request = fc.tuple(
  fc.constantFrom("GET", "HEAD", "POST", "DELETE", "PUT"),
  fc.constantFrom("a.test", "b.a.test", "c.a.test", "test.test"),
  requestPath,
  fc.constantFrom("", "?x=1", "?x=2", "?y=2&x=1", "?x=1&x=2"),
).map(([method, host, path, query]) => call(method, `https://${host}${path}${query}`));

/** The rule's own words: what is left of a match when its place is taken away. */
function words(table: MappingTable, ofRequest: ReturnType<typeof call>): unknown {
  const matched = table.match(ofRequest);
  if (!matched) return undefined;
  const { ref: _, ...rest } = matched;
  return rest;
}

Deno.test("MappingTable says the same whatever the order and the files of its rules", () => {
  let tables = 0;
  fc.assert(
    fc.property(
      fc.array(ruleText, { maxLength: 8 }).chain((rules) =>
        fc.tuple(fc.constant(rules), fc.shuffledSubarray(rules, { minLength: rules.length }))
      ),
      fc.array(request, { maxLength: 20 }),
      ([rules, shuffled], requests) => {
        const one = MappingTable.parse([{ file: "a.toml", text: rules.map(format).join("\n") }]);
        const other = MappingTable.parse(
          shuffled.map((rule, i) => ({ file: `${i}.toml`, text: format(rule) })),
        );
        assert.equal(one.ok, other.ok);
        if (!one.ok || !other.ok) return;
        tables++;
        for (const ofRequest of requests) {
          assert.deepEqual(words(one.value, ofRequest), words(other.value, ofRequest));
        }
      },
    ),
    { numRuns: 500 },
  );
  assert.ok(tables > 50, `only ${tables} tables were free of conflicts`);
});

/** Negative when the host of `a` is more specific: a host, then the longer domain. */
function compareHosts(a: string, b: string): number {
  const labels = (host: string) => host.startsWith("*.") ? host.split(".").length : Infinity;
  return labels(a) === labels(b) ? 0 : labels(b) - labels(a);
}

Deno.test("MappingTable finds the most specific of the rules that match alone", () => {
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(ruleText, { maxLength: 6 }),
      request,
      (rules, ofRequest) => {
        const all = MappingTable.parse([{ file: "a.toml", text: rules.map(format).join("\n") }]);
        if (!all.ok) return;
        const matched = all.value.match(ofRequest);
        const candidates = rules.flatMap((rule) => {
          const alone = must(MappingTable.parse([{ file: "a.toml", text: format(rule) }]));
          return alone.match(ofRequest) ?? [];
        });
        assert.equal(matched === undefined, candidates.length === 0);
        if (!matched) return;
        found++;
        for (const other of candidates) {
          const order = compareHosts(matched.host, other.host) ||
            comparePathPatterns(
              must(parsePathPattern(matched.path)),
              must(parsePathPattern(other.path)),
            ) ||
            (other.query?.length ?? 0) - (matched.query?.length ?? 0) ||
            Number(other.method.includes(ofRequest.method)) -
              Number(matched.method.includes(ofRequest.method));
          assert.ok(order <= 0, `${JSON.stringify(matched)} before ${JSON.stringify(other)}`);
        }
      },
    ),
    { numRuns: 1500 },
  );
  assert.ok(found > 30, `only ${found} calls matched`);
});
