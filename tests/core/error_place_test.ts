import assert from "node:assert/strict";
import { errorPlace } from "../../src/core/error_place.ts";

const SECRET = "a-secret\n    at another-secret";

Deno.test("errorPlace() tells where an error comes from, and nothing that it says", () => {
  const place = errorPlace(new TypeError(`Cannot send "${SECRET}"`));
  assert.match(place, /^TypeError\n {4}at .*error_place_test\.ts/);
  const renamed = new Error(SECRET);
  renamed.name = SECRET;
  const changed = new Error(SECRET);
  changed.message = "something else";
  for (const said of [place, errorPlace(renamed), errorPlace(changed), errorPlace(SECRET)]) {
    assert.ok(!said.includes("secret"), said);
  }
  assert.equal(errorPlace({ secret: SECRET }), "object");
});
