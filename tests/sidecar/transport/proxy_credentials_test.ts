import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import fc from "fast-check";
import { FailureLimit } from "../../../src/sidecar/transport/failure_limit.ts";
import { ProxyCredentials } from "../../../src/sidecar/transport/proxy_credentials.ts";

const SECRET = "c2VjcmV0IG9mIHRoaXMgdGVzdCBhbmQgb2Ygbm8gb3RoZXI";

function credentials(): ProxyCredentials {
  const known = new ProxyCredentials();
  known.add("ses_a", { names: ["ses_a", "sbx_a"], digest: hash("sha256", SECRET, "buffer") });
  return known;
}

function fields(user: string): [string, string][] {
  return [["proxy-authorization", `Basic ${Buffer.from(user, "latin1").toString("base64")}`]];
}

Deno.test("identify() knows a session by either name, as long as it is there", () => {
  const known = credentials();
  for (const name of ["ses_a", "sbx_a"]) {
    const said = known.identify(fields(`${name}:${SECRET}`));
    assert.deepEqual(said, { kind: "session", sessionId: "ses_a" });
  }
  assert.equal(known.size, 1);
  known.remove("ses_a");
  assert.equal(known.size, 0);
  assert.equal(known.identify(fields(`ses_a:${SECRET}`)).kind, "wrong");
  assert.equal(known.identify([]).kind, "nobody");
});

Deno.test("identify() lets nothing in but the name and the secret", () => {
  const known = credentials();
  const word = fc.oneof(
    fc.string({ unit: "binary", maxLength: 80 }),
    fc.constantFrom("ses_a", "sbx_a", SECRET, SECRET.slice(1), "", ":"),
  );
  fc.assert(fc.property(word, word, (name, password) => {
    const isRight = ["ses_a", "sbx_a"].includes(name) && password === SECRET;
    const { kind } = known.identify(fields(`${name}:${password}`));
    assert.equal(kind === "session", isRight);
  }));
  fc.assert(fc.property(fc.array(fc.string({ unit: "binary" })), (values) => {
    const given = values.map((value): [string, string] => ["proxy-authorization", value]);
    assert.notEqual(known.identify(given).kind, "session");
  }));
});

Deno.test("FailureLimit lets a burst through, then one a second", () => {
  let now = 0;
  const limit = new FailureLimit(() => now);
  const burst = Array.from({ length: 100 }, () => limit.allows()).filter(Boolean).length;
  assert.equal(burst, 20);
  now += 999;
  assert.equal(limit.allows(), false);
  now += 1;
  assert.equal(limit.allows(), true);
  now += 3_600_000;
  assert.equal(Array.from({ length: 100 }, () => limit.allows()).filter(Boolean).length, 20);
});
