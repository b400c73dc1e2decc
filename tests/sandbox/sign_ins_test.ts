import assert from "node:assert/strict";
import { join } from "node:path";
import { findSignIns, isInTheWay } from "../../src/sandbox/sign_ins.ts";

/** What Copilot CLI 1.0.102 writes. */
const COPILOT = (tokens: unknown) =>
  `// This file is managed automatically.\n${JSON.stringify({ copilotTokens: tokens })}`;

async function found(path: string, text: string, host: string) {
  const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "firma-sign-ins-" }));
  try {
    const file = join(home, path);
    await Deno.mkdir(join(file, ".."), { recursive: true });
    await Deno.writeTextFile(file, text);
    const shown = [join(file, "..")];
    return findSignIns({ home, hostEnv: {}, shown, brokeredHosts: [host] });
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("findSignIns() covers a file that its program replaces only where there may be a token in it", async () => {
  const path = ".copilot/config.json";
  const host = "api.githubcopilot.com";
  const texts = [
    COPILOT({ "https://github.com:ada": "gho_0123" }),
    `{"authTokens":{"x":{"token":"github_pat_0123"}}}`,
    `{"copilot_tokens":{"x":"ghu_0123"}}`,
    "gho_",
    `${" ".repeat(1024 * 1024 + 1)}`, // too large to be looked through
  ];
  for (const text of texts) {
    const [one, ...others] = await found(path, text, host);
    assert.ok(one && others.length === 0 && isInTheWay(one), text.slice(0, 80));
  }
  for (const text of [COPILOT({}), "{}", ""]) {
    assert.deepEqual(await found(path, text, host), [], text);
  }
});

Deno.test("findSignIns() covers other files with a token or without", async () => {
  for (const text of ["{}", `{"claudeAiOauth":{"accessToken":"x"}}`]) {
    const [one] = await found(".claude/.credentials.json", text, "api.anthropic.com");
    assert.ok(one && !isInTheWay(one));
  }
});
