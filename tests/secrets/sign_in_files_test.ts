import assert from "node:assert/strict";
import { SIGN_IN_FILES, withPlaceholders } from "../../src/secrets/sign_in_files.ts";

const NOW = Date.parse("2026-01-02T03:04:05Z");
const signIn = (id: string) => SIGN_IN_FILES.find((each) => each.id === id)!;

function rewritten(id: string, file: unknown, placeholders: Record<string, string>) {
  const text = withPlaceholders(JSON.stringify(file), [[signIn(id), placeholders]], NOW);
  return JSON.parse(text);
}

Deno.test("withPlaceholders() puts placeholders in place of Claude Code's tokens, which never end", () => {
  const file = {
    claudeAiOauth: {
      accessToken: "sk-ant-oat01-real",
      refreshToken: "sk-ant-ort01-real",
      expiresAt: 1,
      scopes: ["user:inference"],
      subscriptionType: "max",
    },
    mcpOAuth: { "a|b": { accessToken: "of another service" } },
  };
  const held = { accessToken: "placeholder", refreshToken: "another" };
  assert.deepEqual(rewritten("claude", file, held), {
    claudeAiOauth: {
      accessToken: "placeholder",
      refreshToken: "another",
      expiresAt: 4_102_444_800_000,
      scopes: ["user:inference"],
      subscriptionType: "max",
    },
    mcpOAuth: file.mcpOAuth,
  });
});

Deno.test("withPlaceholders() has Codex believe that it has just renewed its tokens", () => {
  const tokens = { access_token: "real", id_token: "real", refresh_token: "real" };
  const file = {
    OPENAI_API_KEY: null,
    tokens: { ...tokens, account_id: "acct" },
    last_refresh: "2020-01-01T00:00:00Z",
  };
  const held = { access_token: "a", id_token: "i", refresh_token: "r" };
  assert.deepEqual(rewritten("codex-subscription", file, held), {
    OPENAI_API_KEY: null,
    tokens: { ...held, account_id: "acct" },
    last_refresh: "2026-01-02T03:04:05.000Z",
  });
});

Deno.test("withPlaceholders() rewrites what is for one service, and leaves that for others", () => {
  const file = {
    anthropic: { type: "oauth", access: "real", refresh: "real", expires: 1 },
    other: { type: "api", key: "of another service" },
  };
  const { anthropic, other } = rewritten("opencode-anthropic", file, {
    key: "k",
    access: "a",
    refresh: "r",
  });
  assert.deepEqual(anthropic, {
    type: "oauth",
    access: "a",
    refresh: "r",
    expires: 4_102_444_800_000,
  });
  assert.deepEqual(other, file.other);
});

Deno.test("withPlaceholders() leaves no token where there is no placeholder for it", () => {
  const file = { claudeAiOauth: { accessToken: "real", refreshToken: "real", plan: "max" } };
  assert.deepEqual(rewritten("claude", file, {}), { claudeAiOauth: { plan: "max" } });
  const odd = { claudeAiOauth: { accessToken: { nested: "real" }, refreshToken: 1 } };
  const text = JSON.stringify(rewritten("claude", odd, { accessToken: "a", refreshToken: "r" }));
  assert.doesNotMatch(text, /real/);
});

Deno.test("withPlaceholders() says nothing of a file that it cannot read", () => {
  for (const text of ["", "real", '["real"]', '"real"', '{"claudeAiOauth": "real']) {
    const held = [[signIn("claude"), { accessToken: "a" }]] as const;
    assert.equal(withPlaceholders(text, held, NOW), "{}\n", text);
  }
});

Deno.test("SIGN_IN_FILES have ids of their own", () => {
  const ids = SIGN_IN_FILES.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});
