import assert from "node:assert/strict";
import { isScope, matchScope } from "../../src/mapping/scope.ts";

/** Each row: pattern, host, path, whether the pattern covers them. */
const SCOPES: readonly (readonly [string, string, string, boolean])[] = [
  ["**", "a.test", "/", true],
  ["**", "a.test:8443", "/a%2Fb", true],
  ["a.test", "a.test", "/", true],
  ["a.test", "a.test", "/a/b%2Fc", true],
  ["a.test", "b.a.test", "/", false],
  ["a.test", "a.test.evil.test", "/", false],
  ["a.test", "a.test:8443", "/", false],
  ["a.test:8443", "a.test:8443", "/", true],
  ["a.test:443", "a.test", "/", true],
  ["A.Test.", "a.test", "/", true],
  ["*.a.test", "b.a.test", "/", true],
  ["*.a.test", "a.test", "/", false],
  ["*.a.test", "ba.test", "/", false],
  ["*.a.test/x/**", "b.a.test", "/x/y", true],
  ["a.test/**", "a.test", "/", true],
  ["a.test/**", "a.test", "/a/b/", true],
  ["a.test/**", "a.test", "/a%2Fb", true],
  ["a.test/", "a.test", "/", true],
  ["a.test/", "a.test", "/a", false],
  ["a.test/repos/acme/**", "a.test", "/repos/acme", true],
  ["a.test/repos/acme/**", "a.test", "/repos/acme/tool/pulls", true],
  ["a.test/repos/acme/**", "a.test", "/repos/acme2/tool", false],
  ["a.test/repos/acme/**", "a.test", "/repos/Acme/tool", false],
  ["a.test/repos/acme/**", "a.test", "/repos", false],
  ["a.test/repos/acme/*", "a.test", "/repos/acme/tool", true],
  ["a.test/repos/acme/*", "a.test", "/repos/acme/tool/pulls", false],
  ["a.test/repos/acme/*", "a.test", "/repos/acme/x%2Fy", false],
  ["a.test/repos/*/tool/**", "a.test", "/repos/x%2Fy/tool/z", false],
  ["a.test/repos/*/tool/**", "a.test", "/repos/x/tool/y%2Fz", true],
  ["a.test/**/z", "a.test", "/x%2Fy/z", true],
  ["a.test/**/*", "a.test", "/z/x%2Fy", false],
  ["a.test/repos/{*}/tool/**", "a.test", "/repos/x%2Fy/tool/z", true],
  ["a.test/@acme%2F*", "a.test", "/@acme%2Fname", true],
  ["a.test/@acme%2f*", "a.test", "/%40acme%2Fname", true],
  ["a.test/@acme%2F*", "a.test", "/@acme%2Fname%2Fx", false],
  ["a.test/@acme/**", "a.test", "/@acme%2Fname", false],
  ["", "a.test", "/", false],
  ["*", "a.test", "/", false],
  ["**/x", "a.test", "/x", false],
  ["/x", "a.test", "/x", false],
  ["*.*.test", "b.a.test", "/", false],
  ["https://a.test/", "a.test", "/", false],
  ["a.test/../b", "a.test", "/b", false],
  ["a.test/**/b/**", "a.test", "/b", false],
];

for (const [pattern, host, path, expected] of SCOPES) {
  Deno.test(`matchScope() says "${pattern}" ${expected ? "covers" : "leaves"} ${host}${path}`, () => {
    assert.equal(matchScope(pattern, host, path), expected);
    // The second answer comes from the cache.
    assert.equal(matchScope(pattern, host, path), expected);
  });
}

Deno.test("isScope() tells patterns from text that covers nothing", () => {
  for (const pattern of ["**", "a.test", "*.a.test/x/**", "[::1]:8080/"]) {
    assert.ok(isScope(pattern), pattern);
  }
  for (const pattern of ["", "*", "a b", "a.test/../x", "https://a.test/"]) {
    assert.ok(!isScope(pattern), pattern);
  }
});
