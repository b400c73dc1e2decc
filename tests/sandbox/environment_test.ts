import assert from "node:assert/strict";
import { agentEnvironment, CA_VARIABLES } from "../../src/sandbox/environment.ts";
import { profileById, profileForCommand } from "../../src/sandbox/profiles.ts";

function environmentOf(
  hostEnv: Record<string, string>,
  { profile = "generic", passthrough = [] as string[] } = {},
): Record<string, string> {
  return agentEnvironment({
    hostEnv,
    profile: profileById(profile)!,
    passthrough,
    home: "/home/a",
    path: "/usr/bin",
    sandboxId: "sbx_1",
    hooksSealed: false,
    sessionId: "ses_1",
  });
}

Deno.test("agentEnvironment() passes what is harmless and drops the rest", () => {
  const host = {
    TERM: "xterm",
    LANG: "C",
    LC_TIME: "de_DE",
    TZ: "UTC",
    AWS_SECRET_ACCESS_KEY: "secret",
    ANTHROPIC_API_KEY: "secret",
    SSH_AUTH_SOCK: "/run/agent",
    DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/bus",
    XDG_RUNTIME_DIR: "/run/user/1",
    LD_PRELOAD: "/tmp/evil.so",
    NODE_OPTIONS: "--require /tmp/evil.js",
    LCX: "not a locale",
  };
  const environment = environmentOf(host);
  const passed = Object.keys(host).filter((name) => name in environment);
  assert.deepEqual(passed, ["TERM", "LANG", "LC_TIME", "TZ"]);
});

Deno.test("agentEnvironment() passes what the profile and the operator name", () => {
  const host = { ANTHROPIC_API_KEY: "key", MY_TOKEN: "token", OTHER: "other" };
  const environment = environmentOf(host, { profile: "claude-code", passthrough: ["MY_*"] });
  assert.equal(environment.ANTHROPIC_API_KEY, "key");
  assert.equal(environment.MY_TOKEN, "token");
  assert.equal(environment.OTHER, undefined);
});

Deno.test("agentEnvironment() gives placeholders, and not what the host has in their place", () => {
  const placeholders = { ANTHROPIC_API_KEY: "placeholder", HTTPS_PROXY: "no", PATH: "no" };
  const environment = agentEnvironment({
    hostEnv: { ANTHROPIC_API_KEY: "real", GH_TOKEN: "real" },
    profile: profileById("claude-code")!,
    passthrough: [],
    home: "/home/a",
    path: "/usr/bin",
    sandboxId: "sbx_1",
    sessionId: "ses_1",
    hooksSealed: false,
    placeholders,
  });
  assert.equal(environment.ANTHROPIC_API_KEY, "placeholder");
  // What leads to the Sidecar goes before.
  assert.equal(environment.HTTPS_PROXY, "http://127.0.0.1:18080");
  assert.equal(environment.PATH, "/usr/bin");
});

Deno.test("agentEnvironment() leads clients to the Sidecar whatever the host says", () => {
  const host = { HTTPS_PROXY: "http://corp.test:3128", NO_PROXY: "*", SSL_CERT_FILE: "/corp.pem" };
  const environment = environmentOf(host, { passthrough: ["*"] });
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "GRPC_PROXY", "npm_config_https_proxy"];
  for (const name of [...names, "http_proxy", "https_proxy", "all_proxy"]) {
    assert.equal(environment[name], "http://127.0.0.1:18080", name);
  }
  assert.equal(environment.NO_PROXY, "localhost,127.0.0.1,::1");
  assert.equal(environment.no_proxy, environment.NO_PROXY);
  for (const name of CA_VARIABLES) assert.match(environment[name]!, /^\/run\/firma\/ca-/, name);
  assert.equal(environment.SSL_CERT_FILE, "/run/firma/ca-bundle.pem");
  assert.equal(environment.NODE_EXTRA_CA_CERTS, "/run/firma/ca-extra.pem");
});

Deno.test("agentEnvironment() says which run it is, whatever the host says", () => {
  const environment = environmentOf({ FIRMA_RUN_PROFILE: "x", HOME: "/x", PATH: "/x" }, {
    passthrough: ["FIRMA_*"],
  });
  const { FIRMA_RUN_SANDBOX_ID, FIRMA_RUN_SESSION_ID, FIRMA_RUN_PROFILE, HOME, PATH } = environment;
  assert.deepEqual(
    [FIRMA_RUN_SANDBOX_ID, FIRMA_RUN_SESSION_ID, FIRMA_RUN_PROFILE, HOME, PATH],
    ["sbx_1", "ses_1", "generic", "/home/a", "/usr/bin"],
  );
});

Deno.test("profileForCommand() goes by the name of the program", () => {
  const profiles = {
    "claude": "claude-code",
    "/home/a/.local/bin/claude": "claude-code",
    "codex": "codex",
    "copilot": "copilot",
    "gemini": "gemini",
    "opencode": "opencode",
    "npm": "generic",
    "not-claude": "generic",
  };
  for (const [program, id] of Object.entries(profiles)) {
    assert.equal(profileForCommand(program).id, id, program);
  }
});
