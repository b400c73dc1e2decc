import assert from "node:assert/strict";
import { err, ok } from "../../src/core/result.ts";
import { controlApi, type ControlTarget } from "../../src/sidecar/control.ts";
import { newId } from "../../src/core/id.ts";

const BODY = {
  sandbox_id: newId("sbx"),
  agent_id: newId("agt"),
  profile: "generic",
  command: "npm (2)",
  workspace: "/home/me/project",
};

function api(changes: Partial<ControlTarget> = {}) {
  const app = controlApi({
    certificatePem: "PEM",
    bundleVersion: () => "v1",
    openSession: () =>
      Promise.resolve(ok({ sessionId: "ses_1", proxySocket: "/s", tokenId: "ctok_1" })),
    endSession: (id) => Promise.resolve(ok(id === "ses_1")),
    status: () => ({ sessions: 1 }),
    ...changes,
  });
  return (method: string, path: string, body?: unknown) =>
    app.request(path, {
      method,
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
}

Deno.test("POST /v1/sessions registers a session", async () => {
  const response = await api()("POST", "/v1/sessions", BODY);
  assert.equal(response.status, 201);
  assert.deepEqual(await response.json(), {
    session_id: "ses_1",
    proxy_socket: "/s",
    ca_certificate: "PEM",
    token_id: "ctok_1",
    policy_bundle_version: "v1",
  });
});

Deno.test("POST /v1/sessions/:id/end ends a session", async () => {
  let code: number | undefined;
  const request = api({
    endSession: (_id, exitCode) => {
      code = exitCode;
      return Promise.resolve(ok(true));
    },
  });
  const response = await request("POST", "/v1/sessions/ses_1/end", { exit_code: 7 });
  assert.equal(response.status, 204);
  assert.equal(code, 7);
});

Deno.test("GET /v1/status answers what is known", async () => {
  assert.deepEqual(await (await api()("GET", "/v1/status")).json(), { sessions: 1 });
});

const REFUSED: Record<string, [string, string, unknown, number, string]> = {
  "no JSON": ["POST", "/v1/sessions", "{", 400, "INVALID_REQUEST"],
  "a member missing": [
    "POST",
    "/v1/sessions",
    { ...BODY, profile: undefined },
    400,
    "INVALID_REQUEST",
  ],
  "a member too many": ["POST", "/v1/sessions", { ...BODY, admin: true }, 400, "INVALID_REQUEST"],
  "an agent id that is none": [
    "POST",
    "/v1/sessions",
    { ...BODY, agent_id: "root" },
    400,
    "INVALID_REQUEST",
  ],
  "a capability file that is nowhere in particular": [
    "POST",
    "/v1/sessions",
    { ...BODY, capability_file: "seed.toml" },
    400,
    "INVALID_REQUEST",
  ],
  "a command without end": [
    "POST",
    "/v1/sessions",
    { ...BODY, command: "x".repeat(5000) },
    400,
    "INVALID_REQUEST",
  ],
  "an exit code that is no integer": [
    "POST",
    "/v1/sessions/ses_1/end",
    { exit_code: "0" },
    400,
    "INVALID_REQUEST",
  ],
  "a session that is not there": ["POST", "/v1/sessions/ses_2/end", {}, 404, "NO_SESSION"],
  "a path that is not there": ["GET", "/v1/tokens", undefined, 404, "NOT_FOUND"],
  "another method": ["DELETE", "/v1/sessions", undefined, 404, "NOT_FOUND"],
};

for (const [name, [method, path, body, status, code]] of Object.entries(REFUSED)) {
  Deno.test(`controlApi() refuses ${name}`, async () => {
    const response = await api()(method, path, body);
    assert.equal(response.status, status);
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    assert.equal((await response.json()).code, code);
  });
}

Deno.test("controlApi() hands failures on with their cure", async () => {
  const error = {
    code: "AUDIT_UNAVAILABLE",
    message: "Cannot open the session",
    cure: "free disk space",
  };
  const response = await api({ openSession: () => Promise.resolve(err(error)) })(
    "POST",
    "/v1/sessions",
    BODY,
  );
  assert.equal(response.status, 503);
  const { code, detail, cure } = await response.json();
  assert.deepEqual({ code, detail, cure }, {
    code: error.code,
    detail: error.message,
    cure: error.cure,
  });
  const thrown = await api({ openSession: () => Promise.reject(new Error("bug")) })(
    "POST",
    "/v1/sessions",
    BODY,
  );
  assert.equal(thrown.status, 500);
});
