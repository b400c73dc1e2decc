import assert from "node:assert/strict";
import { join } from "node:path";
import { newId } from "../../src/core/id.ts";
import { err, ok } from "../../src/core/result.ts";
import { joinSidecar } from "../../src/run/joined_sidecar.ts";
import type { SessionHost } from "../../src/run/session_host.ts";
import type { ControlTarget } from "../../src/sidecar/control.ts";
import { ControlServer } from "../../src/sidecar/control_server.ts";
import { NoticeBoard } from "../../src/sidecar/notices.ts";
import { eventually } from "../fixtures/deadline.ts";

const CONFIG = { file: "/p/.firma/firma.toml", digest: "d1" };
const REQUEST = {
  sandbox_id: newId("sbx"),
  agent_id: newId("agt"),
  profile: "generic",
  command: "true (0 arguments)",
  workspace: "/p",
};

const OPENED = {
  sessionId: "ses_1",
  agentId: REQUEST.agent_id,
  tokenId: "ctok_1",
  mode: "enforce",
  proxySocket: "/w0/s0/proxy.sock",
  environment: {},
  signIns: {},
  proxyUrl: undefined,
} as const;

interface Joined {
  readonly host: SessionHost;
  readonly server: ControlServer;
  readonly board: NoticeBoard;
  readonly notices: string[];
  /** Sessions that ended, with the exit code of the agent. */
  readonly ended: [string, number | undefined][];
}

async function withSidecar(
  test: (joined: Joined) => Promise<void>,
  changes: Partial<ControlTarget> = {},
  config = CONFIG,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const board = new NoticeBoard();
  const ended: Joined["ended"] = [];
  const server = await ControlServer.open({
    approvals: {
      list: () => Promise.resolve([]),
      rule: () => Promise.reject(new Error("nobody rules here")),
      identify: () => Promise.reject(new Error("nobody asks here")),
    },
    certificatePem: "PEM",
    bundleVersion: () => "v1",
    config: CONFIG,
    openSession: () => Promise.resolve(ok(OPENED)),
    endSession: (id, exitCode) => {
      ended.push([id, exitCode]);
      return Promise.resolve(ok(true));
    },
    applyConfig: () => Promise.resolve(ok(undefined)),
    recordFinding: () => true,
    weighLosses: () => Promise.resolve({ kind: "free" }),
    onNotice: (listener) => board.listen(listener),
    sessions: () => [],
    status: () => ({}),
    ...changes,
  }, join(dir, "control.sock"));
  const notices: string[] = [];
  const host = joinSidecar({
    controlSocket: server.path,
    config,
    onNotice: (level, text) => notices.push(`${level}: ${text}`),
    signal: new AbortController().signal,
  });
  try {
    await test({ host, server, board, notices, ended });
  } finally {
    await host.end();
    await server.close();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("joinSidecar() opens a session, hears what its operator should know, and ends it", () =>
  withSidecar(async ({ host, board, notices, ended }) => {
    assert.deepEqual(await host.openSession(REQUEST), {
      ok: true,
      value: {
        session_id: "ses_1",
        proxy_socket: "/w0/s0/proxy.sock",
        ca_certificate: "PEM",
        environment: {},
        sign_ins: {},
      },
    });
    board.tell("warn", "the policy changed");
    await eventually("the notice", () => notices[0]);
    assert.deepEqual(notices, ["warn: the policy changed"]);
    await host.endSession("ses_1", 7);
    assert.equal(await host.end(), true);
    assert.deepEqual(ended, [["ses_1", 7]]);
  }));

Deno.test("joinSidecar() takes its session with it when it ends without a word", () =>
  withSidecar(async ({ host, ended }) => {
    assert.ok((await host.openSession(REQUEST)).ok);
    assert.deepEqual(ended, []);
    await host.end();
    await eventually("the session to end", () => ended[0]);
    assert.deepEqual(ended, [["ses_1", undefined]]);
  }));

// The process that asks may be killed while the Sidecar still obtains a token.
Deno.test("joinSidecar() leaves no session that came too late", async () => {
  const opening = Promise.withResolvers<void>();
  let asked = false;
  await withSidecar(async ({ host, server, ended }) => {
    const giving = new AbortController();
    const late = joinSidecar({
      controlSocket: server.path,
      config: CONFIG,
      onNotice: () => {},
      signal: giving.signal,
    });
    const opened = late.openSession(REQUEST);
    await eventually("it to be asked", () => asked || undefined);
    giving.abort();
    assert.equal((await opened).ok, false);
    opening.resolve();
    await eventually("the session to end", () => ended[0]);
    assert.deepEqual(ended, [["ses_1", undefined]]);
    await host.end();
  }, {
    openSession: async () => {
      asked = true;
      await opening.promise;
      return ok(OPENED);
    },
  });
});

Deno.test("joinSidecar() tells when the Sidecar serves no more", () =>
  withSidecar(async ({ host, server }) => {
    assert.ok((await host.openSession(REQUEST)).ok);
    await server.close();
    assert.equal(await host.exited, "it closed the connection");
  }));

Deno.test("joinSidecar() says that records may be missing when the Sidecar cannot write them", () =>
  withSidecar(async ({ host }) => {
    assert.ok((await host.openSession(REQUEST)).ok);
    await host.endSession("ses_1", 0);
    assert.equal(await host.end(), false);
  }, { endSession: () => Promise.resolve(err({ code: "AUDIT", message: "disk full" })) }));

Deno.test("joinSidecar() hands on why there is no session", () =>
  withSidecar(async ({ host }) => {
    const opened = await host.openSession(REQUEST);
    assert.ok(!opened.ok);
    assert.deepEqual(opened.error, { code: "TOO_MANY_SESSIONS", message: "full", cure: "wait" });
  }, {
    openSession: () =>
      Promise.resolve(err({ code: "TOO_MANY_SESSIONS", message: "full", cure: "wait" })),
  }));

Deno.test("joinSidecar() does not join a Sidecar that serves another configuration", () =>
  withSidecar(
    async ({ host }) => {
      const opened = await host.openSession(REQUEST);
      assert.ok(!opened.ok && opened.error.code === "OTHER_CONFIG");
    },
    {},
    { ...CONFIG, digest: "d2" },
  ));
