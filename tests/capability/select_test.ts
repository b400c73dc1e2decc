import assert from "node:assert/strict";
import fc from "fast-check";
import type { CapabilityClaims } from "../../src/core/capability.ts";
import { selectToken, type TokenDemand } from "../../src/capability/select.ts";
import { claims, NOW } from "./support.ts";

function demand(special: Partial<TokenDemand> = {}): TokenDemand {
  return {
    actionLineage: ["code.read"],
    host: "api.example.test",
    path: "/repos/acme/widgets",
    nowMs: NOW,
    revoked: new Set(),
    ...special,
  };
}

function chosen(tokens: readonly CapabilityClaims[], special?: Partial<TokenDemand>): string {
  const result = selectToken(tokens, demand(special));
  return result.ok ? result.value.token_id : result.error;
}

Deno.test("selectToken() says what stood in the way", async (t) => {
  const token = claims();
  const cases: Record<string, [readonly CapabilityClaims[], Partial<TokenDemand>, string]> = {
    "no token": [[], {}, "TokenInvalid"],
    "another action": [[token], { actionLineage: ["code.write"] }, "ToolNotInScope"],
    "no action": [[token], { actionLineage: [] }, "ToolNotInScope"],
    "another host": [[claims({ resource_scope: ["other.test"] })], {}, "ScopeViolation"],
    "another path": [
      [claims({ resource_scope: ["api.example.test/repos/acme/gadgets"] })],
      {},
      "ScopeViolation",
    ],
    "a name that only starts alike": [
      [claims({ resource_scope: ["api.example.test"] })],
      { host: "api.example.test.evil.test" },
      "ScopeViolation",
    ],
    "a pattern that makes no sense": [
      [claims({ resource_scope: ["http://api.example.test"] })],
      {},
      "ScopeViolation",
    ],
    "revoked": [[token], { revoked: new Set([token.token_id]) }, "TokenRevoked"],
    "at its expiry": [[token], { nowMs: Date.parse(token.expiry) }, "TokenExpired"],
    "before it was issued": [[token], { nowMs: Date.parse(token.issued_at) - 1 }, "TokenInvalid"],
    "expired, beside one for another action": [
      [token, claims({ action_set: ["code.write"] })],
      { nowMs: Date.parse(token.expiry) },
      "TokenExpired",
    ],
  };
  for (const [name, [tokens, special, reason]] of Object.entries(cases)) {
    await t.step(name, () => {
      assert.equal(chosen(tokens, special), reason);
      assert.equal(chosen(tokens.toReversed(), special), reason, "order does not matter");
    });
  }
  assert.equal(chosen([token]), token.token_id);
});

Deno.test("selectToken() allows for clocks that differ, when told to", () => {
  const token = claims();
  const late = Date.parse(token.expiry) + 400;
  const early = Date.parse(token.issued_at) - 400;
  assert.equal(chosen([token], { nowMs: late }), "TokenExpired");
  assert.equal(chosen([token], { nowMs: late, clockSkewMs: 500 }), token.token_id);
  assert.equal(chosen([token], { nowMs: early }), "TokenInvalid");
  assert.equal(chosen([token], { nowMs: early, clockSkewMs: 500 }), token.token_id);
});

Deno.test("selectToken() prefers the closest token", async (t) => {
  const lineage = { actionLineage: ["model.inference", "communication.external.send"] };
  const exact = claims({ action_set: ["model.inference"] });
  const parent = claims({ action_set: ["communication.external.send"] });
  const any = claims({ action_set: ["*"], resource_scope: ["api.example.test"] });
  const specific = claims({
    action_set: ["model.inference"],
    resource_scope: ["**", "api.example.test/repos/**"],
  });
  const wide = claims({ action_set: ["model.inference", "code.read"] });
  const later = claims({
    action_set: ["model.inference"],
    issued_at: "2030-01-01T00:10:00Z",
  });
  const cases: Record<string, [CapabilityClaims, CapabilityClaims]> = {
    "the action before its parent": [exact, parent],
    "the action before any": [exact, any],
    "a scope that names the resource": [specific, exact],
    "fewer actions": [exact, wide],
    "fewer actions before later": [exact, { ...wide, issued_at: later.issued_at }],
    "later issued": [later, exact],
  };
  for (const [name, [better, worse]] of Object.entries(cases)) {
    await t.step(name, () => {
      assert.equal(chosen([better, worse], lineage), better.token_id);
      assert.equal(chosen([worse, better], lineage), better.token_id);
    });
  }
});

Deno.test("selectToken() falls back to a valid token when the closest is not", () => {
  const exact = claims({ resource_scope: ["api.example.test"] });
  const any = claims({ action_set: ["*"] });
  assert.equal(chosen([exact, any]), exact.token_id);
  assert.equal(chosen([exact, any], { revoked: new Set([exact.token_id]) }), any.token_id);
});

Deno.test("selectToken() never chooses a token that does not cover the call", () => {
  const token = fc.record({
    action_set: fc.subarray(["code.read", "code.write", "*"], { minLength: 1 }),
    resource_scope: fc.subarray(["**", "api.example.test/repos/*/*", "other.test"], {
      minLength: 1,
    }),
    expired: fc.boolean(),
    revoked: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(token, { maxLength: 5 }), (sketches) => {
    const tokens = sketches.map(({ action_set, resource_scope, expired }) =>
      claims({
        action_set,
        resource_scope,
        ...(expired && { expiry: "2030-01-01T00:20:00Z" }),
      })
    );
    const revoked = new Set(
      tokens.filter((_, i) => sketches[i]!.revoked).map(({ token_id }) => token_id),
    );
    const covers = sketches.map(({ action_set, resource_scope, expired, revoked }) =>
      (action_set.includes("code.read") || action_set.includes("*")) &&
      (resource_scope.includes("**") || resource_scope.includes("api.example.test/repos/*/*")) &&
      !expired && !revoked
    );
    const result = selectToken(tokens, demand({ revoked }));
    assert.equal(result.ok, covers.includes(true));
    if (result.ok) assert.ok(covers[tokens.indexOf(result.value)]);
  }));
});
