import assert from "node:assert/strict";
import { err, ok } from "../../src/core/result.ts";
import { controlApi, type ControlTarget } from "../../src/sidecar/control.ts";
import { newId } from "../../src/core/id.ts";
import { jsonLines } from "../../src/core/json_lines.ts";
import type { Notify } from "../../src/sidecar/notices.ts";

const BODY = {
  sandbox_id: newId("sbx"),
  agent_id: newId("agt"),
  profile: "generic",
  command: "npm (2)",
  workspace: "/home/me/project",
};

const OPENED = {
  sessionId: "ses_1",
  agentId: BODY.agent_id,
  tokenId: "ctok_1",
  mode: "enforce",
  proxySocket: "/s",
  environment: {},
  signIns: {},
  proxyUrl: undefined,
} as const;

const CONFIG = { file: "/p/.firma/firma.toml", digest: "d1" };

function api(changes: Partial<ControlTarget> = {}) {
  const app = controlApi({
    approvals: {
      list: () => Promise.resolve([]),
      rule: () => Promise.reject(new Error("nobody rules here")),
      identify: () => Promise.reject(new Error("nobody asks here")),
    },
    applyConfig: () => Promise.resolve(ok(undefined)),
    certificatePem: "PEM",
    bundleVersion: () => "v1",
    config: CONFIG,
    openSession: () => Promise.resolve(ok(OPENED)),
    endSession: (id) => Promise.resolve(ok(id === "ses_1")),
    recordFinding: () => true,
    weighLosses: () => Promise.resolve({ kind: "free" }),
    onNotice: () => () => {},
    sessions: () => [],
    status: () => ({ sessions: 1 }),
    ...changes,
  });
  return async (method: string, path: string, body?: unknown) =>
    await app.fetch(
      new Request(`http://sidecar${path}`, {
        method,
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
    );
}

const SESSION_LINE = {
  type: "session",
  session_id: "ses_1",
  agent_id: BODY.agent_id,
  mode: "enforce",
  proxy_socket: "/s",
  environment: {},
  sign_ins: {},
  ca_certificate: "PEM",
  token_id: "ctok_1",
  policy_bundle_version: "v1",
};

Deno.test("POST /v1/sessions registers a session, and tells of it as long as it lasts", async () => {
  let tell: Notify = () => {};
  const ended: string[] = [];
  const request = api({
    onNotice: (listener) => {
      tell = listener;
      return () => {};
    },
    endSession: (id) => {
      ended.push(id);
      return Promise.resolve(ok(true));
    },
  });
  const response = await request("POST", "/v1/sessions", BODY);
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("content-type"), "application/x-ndjson");
  const lines = jsonLines(response.body!);
  assert.deepEqual((await lines.next()).value, SESSION_LINE);
  tell("warn", "of another session", "ses_2");
  tell("warn", "the policy changed");
  tell("info", "the token was renewed", "ses_1");
  assert.deepEqual((await lines.next()).value, {
    type: "notice",
    level: "warn",
    text: "the policy changed",
  });
  assert.deepEqual((await lines.next()).value, {
    type: "notice",
    level: "info",
    text: "the token was renewed",
  });
  await request("POST", "/v1/sessions/ses_1/end", {});
  assert.equal((await lines.next()).done, true);
  assert.deepEqual(ended, ["ses_1"]);
});

Deno.test("POST /v1/sessions tells what was said of a session before it was registered", async () => {
  let tell: Notify = () => {};
  const request = api({
    onNotice: (listener) => {
      tell = listener;
      return () => {};
    },
    openSession: () => {
      tell("warn", "nothing is enforced", "ses_1");
      tell("warn", "of another session", "ses_2");
      return Promise.resolve(ok(OPENED));
    },
  });
  const response = await request("POST", "/v1/sessions", BODY);
  await request("POST", "/v1/sessions/ses_1/end", {});
  assert.deepEqual(await Array.fromAsync(jsonLines(response.body!)), [
    SESSION_LINE,
    { type: "notice", level: "warn", text: "nothing is enforced" },
  ]);
});

Deno.test("POST /v1/sessions ends the session when its connection does", async () => {
  const ended: string[] = [];
  const request = api({
    endSession: (id) => {
      ended.push(id);
      return Promise.resolve(ok(true));
    },
  });
  const response = await request("POST", "/v1/sessions", BODY);
  assert.deepEqual(ended, []);
  await response.body!.cancel();
  assert.deepEqual(ended, ["ses_1"]);
});

Deno.test("POST /v1/sessions forgets notices that nobody reads, and not the session", async () => {
  let tell: Notify = () => {};
  const request = api({
    onNotice: (listener) => {
      tell = listener;
      return () => {};
    },
  });
  const response = await request("POST", "/v1/sessions", BODY);
  for (let n = 0; n < 10_000; n++) tell("info", `notice ${n}`);
  await request("POST", "/v1/sessions/ses_1/end", {});
  const lines = await Array.fromAsync(jsonLines(response.body!));
  assert.deepEqual(lines[0], SESSION_LINE);
  assert.ok(lines.length > 10 && lines.length < 100, String(lines.length));
});

const OTHER: Record<string, object> = {
  "another file": { config_file: "/q/.firma/firma.toml", config_digest: "d1" },
  "another content": { config_file: CONFIG.file, config_digest: "d2" },
  "a file without a digest": { config_file: CONFIG.file },
};

for (const [name, config] of Object.entries(OTHER)) {
  Deno.test(`POST /v1/sessions refuses somebody who means ${name}`, async () => {
    const response = await api()("POST", "/v1/sessions", { ...BODY, ...config });
    assert.equal(response.status, 409);
    assert.equal((await response.json()).code, "OTHER_CONFIG");
    const same = { config_file: CONFIG.file, config_digest: CONFIG.digest };
    const control = await api()("POST", "/v1/sessions", { ...BODY, ...same });
    assert.equal(control.status, 201);
    await control.body!.cancel();
  });
}

Deno.test("GET /v1/sessions lists what is open", async () => {
  const request = {
    sandboxId: BODY.sandbox_id,
    agent: "builder",
    profile: BODY.profile,
    command: BODY.command,
    workspace: BODY.workspace,
  };
  const times = {
    startedAt: "2026-02-03T04:05:06.000000Z",
    tokenExpiresAt: "2026-02-03T05:05:06.000000Z",
  };
  const counts = { actionCount: 3, denyCount: 1 };
  const { sessionId, agentId, tokenId, mode } = OPENED;
  const sessions = [{ sessionId, agentId, tokenId, mode, request, ...counts, ...times }];
  const response = await api({ sessions: () => sessions })("GET", "/v1/sessions");
  assert.deepEqual(await response.json(), {
    sessions: [{
      ...BODY,
      mode: "enforce",
      interceptor: "unix_socket",
      session_id: "ses_1",
      started_at: times.startedAt,
      token_id: "ctok_1",
      token_expires_at: times.tokenExpiresAt,
      action_count: 3,
      deny_count: 1,
    }],
  });
});

Deno.test("POST /v1/sessions answers a session by the proxy, which nobody has to stay for", async () => {
  const asked: unknown[] = [];
  const proxyUrl = "http://ses_1:secret@127.0.0.1:8080";
  const request = api({
    openSession: (session) => {
      asked.push([session.agent, session.interceptor]);
      return Promise.resolve(ok({ ...OPENED, proxySocket: undefined, proxyUrl }));
    },
    endSession: () => assert.fail("it is not ended"),
  });
  const { agent_id: _, ...named } = BODY;
  const body = { ...named, agent: "builder", interceptor: "http_proxy" };
  const response = await request("POST", "/v1/sessions", body);
  assert.equal(response.status, 201);
  const { proxy_socket: _socket, ...line } = SESSION_LINE;
  assert.deepEqual(await response.json(), { ...line, proxy_url: proxyUrl });
  assert.deepEqual(asked, [["builder", "http_proxy"]]);
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
  "no agent at all": [
    "POST",
    "/v1/sessions",
    { ...BODY, agent_id: undefined },
    400,
    "INVALID_REQUEST",
  ],
  "two agents": ["POST", "/v1/sessions", { ...BODY, agent: "builder" }, 400, "INVALID_REQUEST"],
  "an agent's name that is an identifier": [
    "POST",
    "/v1/sessions",
    { ...BODY, agent_id: undefined, agent: BODY.agent_id },
    400,
    "INVALID_REQUEST",
  ],
  "an interceptor that there is not": [
    "POST",
    "/v1/sessions",
    { ...BODY, interceptor: "none" },
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
  "a body without end": [
    "POST",
    "/v1/sessions",
    { ...BODY, command: "x".repeat(100_000) },
    413,
    "BODY_TOO_LARGE",
  ],
  "a list": ["POST", "/v1/sessions", [], 400, "INVALID_REQUEST"],
  "nothing": ["POST", "/v1/sessions", "", 400, "INVALID_REQUEST"],
  "bytes that are no text": ["POST", "/v1/sessions", "\xff\xfe\u0000", 400, "INVALID_REQUEST"],
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

Deno.test("controlApi() records what a sandbox found, in the form of findings alone", async () => {
  const recorded: unknown[] = [];
  const ask = api({
    recordFinding: (id, finding) => id === "ses_1" && recorded.push(finding) > 0,
  });
  const finding = { finding: "connection", detail: "tcp to a.test port 22", count: 3 };
  const program = { pid: 7, executable: "/usr/bin/nc" };
  const post = async (id: string, body: unknown) =>
    (await ask("POST", `/v1/sessions/${id}/findings`, body)).status;
  assert.equal(await post("ses_1", { ...finding, program }), 204);
  assert.equal(await post("ses_2", finding), 404);
  const wrong = [
    { ...finding, finding: "decision" },
    { ...finding, count: 0 },
    { ...finding, paths: Array.from({ length: 101 }, () => "a") },
    { ...finding, kind: "decision" },
    { ...finding, session_id: "ses_2" },
    { ...finding, detail: "x".repeat(5000) },
    "{",
  ];
  for (const body of wrong) assert.equal(await post("ses_1", body), 400, JSON.stringify(body));
  const back = {
    ...{ finding: "deletion", detail: "1 file of the workspace is gone", count: 0, total: 1 },
    ...{ action_class: "filesystem.delete", paths: ["a"], final: true },
  };
  assert.equal(await post("ses_1", back), 204);
  assert.deepEqual(recorded, [{ ...finding, program }, back]);
});

Deno.test("controlApi() has losses weighed, in their form alone", async () => {
  const ask = api({
    weighLosses: ({ sessionId, deleted, step }) =>
      Promise.resolve({ kind: "end", detail: `${sessionId} ${deleted} ${step}` }),
  });
  const post = (body: unknown) => ask("POST", "/v1/sessions/ses_1/losses", body);
  const losses = { deleted: 51, paths: ["a"], step: "look" };
  assert.deepEqual(await (await post(losses)).json(), { kind: "end", detail: "ses_1 51 look" });
  for (const wrong of [{ deleted: -1 }, { step: "approve" }, { paths: [1] }, { sessionId: "x" }]) {
    assert.equal((await post({ ...losses, ...wrong })).status, 400, JSON.stringify(wrong));
  }
});
