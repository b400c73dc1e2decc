import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { newId } from "../../src/core/id.ts";
import { ok } from "../../src/core/result.ts";
import { askControl, openControl } from "../../src/daemon/control_client.ts";
import type { ControlTarget } from "../../src/sidecar/control.ts";
import { ControlServer } from "../../src/sidecar/control_server.ts";
import { closeQuietly } from "../../src/net/close_quietly.ts";
import { eventually } from "../fixtures/deadline.ts";

const GET = { method: "GET", path: "/v1/status" } as const;
const REGISTER = {
  method: "POST",
  path: "/v1/sessions",
  body: {
    sandbox_id: newId("sbx"),
    agent_id: newId("agt"),
    profile: "generic",
    command: "true (0 arguments)",
    workspace: "/p",
  },
} as const;

interface Served {
  readonly socket: string;
  /** Ids of sessions that ended. */
  readonly ended: string[];
}

async function withServer(test: (served: Served) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const ended: string[] = [];
  let sessions = 0;
  const target: ControlTarget = {
    approvals: {
      list: () => Promise.resolve([]),
      rule: () => Promise.reject(new Error("nobody rules here")),
      identify: () => Promise.reject(new Error("nobody asks here")),
    },
    applyConfig: () => Promise.resolve(ok(undefined)),
    certificatePem: "PEM",
    bundleVersion: () => "v1",
    config: { file: "/p/firma.toml", digest: "d1" },
    openSession: () =>
      Promise.resolve(ok({
        sessionId: `ses_${++sessions}`,
        agentId: REGISTER.body.agent_id,
        tokenId: "ctok_1",
        mode: "enforce",
        proxySocket: "/w0/s0/proxy.sock",
        environment: {},
        signIns: {},
        proxyUrl: undefined,
      })),
    endSession: (id) => {
      ended.push(id);
      return Promise.resolve(ok(true));
    },
    recordFinding: () => true,
    weighLosses: () => Promise.resolve({ kind: "free" }),
    onNotice: () => () => {},
    sessions: () => [],
    status: () => ({ sessions }),
  };
  const server = await ControlServer.open(target, join(dir, "control.sock"));
  try {
    await test({ socket: server.path, ended });
  } finally {
    await server.close();
    await Deno.remove(dir, { recursive: true });
  }
}

/** Connects, says something, and reads until the other side closes. */
async function say(socket: string, bytes: string): Promise<string> {
  const conn = await Deno.connect({ transport: "unix", path: socket });
  await conn.write(new TextEncoder().encode(bytes)).catch(() => {});
  return await new Response(conn.readable).text().catch(() => "");
}

Deno.test("ControlServer keeps its sessions and answers again after thousands of connections", () =>
  withServer(async ({ socket, ended }) => {
    const session = await openControl(socket, REGISTER);
    assert.ok(session.ok && session.value.status === 201);
    for (const talk of ["", "POST /v1/sessions HTTP/1.1\r\nhost: a\r\n"]) {
      const crowd: Deno.UnixConn[] = [];
      for (let n = 0; n < 1_000; n++) {
        const conn = await Deno.connect({ transport: "unix", path: socket });
        if (talk !== "") await conn.write(new TextEncoder().encode(talk)).catch(() => {});
        crowd.push(conn);
      }
      const during = await askControl(socket, GET, 2_000);
      assert.equal(during.ok, false, "the crowd did not fill it, so that this shows nothing");
      crowd.forEach(closeQuietly);
      await eventually("an answer", async () => (await askControl(socket, GET)).ok || undefined);
    }
    assert.deepEqual(ended, []);
    session.value.close();
    await eventually("the session to end", () => ended[0]);
  }));

const MALFORMED: Record<string, string> = {
  "no HTTP": "\x16\x03\x01\x00\x05hello\r\n\r\n",
  "two lengths":
    "POST /v1/sessions HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
  "a length and pieces":
    "POST /v1/sessions HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}",
  "a field without end": `GET /v1/status HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(100_000)}\r\n\r\n`,
  "a target that is none": "GET \\\\evil HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
};

for (const [name, bytes] of Object.entries(MALFORMED)) {
  Deno.test(`ControlServer refuses a request with ${name}, and goes on`, () =>
    withServer(async ({ socket }) => {
      assert.doesNotMatch(await say(socket, bytes), /^HTTP\/1\.1 2/);
      const control = "GET /v1/status HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
      assert.match(await say(socket, control), /^HTTP\/1\.1 200 /);
    }));
}

Deno.test({
  name: "ControlServer lets no other user in",
  ignore: Deno.uid() !== 0,
  fn: () =>
    withServer(async ({ socket }) => {
      // Were it not for the mode of the socket itself, they could get there.
      await Deno.chmod(dirname(socket), 0o755);
      const connect = `import socket; s = socket.socket(socket.AF_UNIX); s.connect(${
        JSON.stringify(socket)
      })`;
      const as = async (uid: number) => {
        const args = ["--reuid", String(uid), "--clear-groups", "/usr/bin/python3", "-c", connect];
        const { code, stderr } = await new Deno.Command("setpriv", { args }).output();
        return { code, said: new TextDecoder().decode(stderr) };
      };
      assert.equal((await as(0)).code, 0);
      assert.match((await as(65_534)).said, /PermissionError/);
      await Deno.chmod(socket, 0o666);
      assert.equal((await as(65_534)).code, 0, "the control: it was the mode that stopped it");
    }),
});
