import assert from "node:assert/strict";
import { join } from "node:path";
import { askControl, openControl, readProblem } from "../../src/daemon/control_client.ts";

const GET = { method: "GET", path: "/v1/status" } as const;

/** Answers every connection with `bytes`, and keeps it open when `open` says so. */
async function withServer(
  bytes: string,
  test: (socket: string) => Promise<void>,
  open = false,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const socket = join(dir, "c.sock");
  const listener = Deno.listen({ transport: "unix", path: socket });
  const conns: Deno.Conn[] = [];
  const serving = (async () => {
    for await (const conn of listener) {
      conns.push(conn);
      await conn.read(new Uint8Array(4_096));
      await conn.write(new TextEncoder().encode(bytes)).catch(() => {});
      if (!open) conn.close();
    }
  })();
  try {
    await test(socket);
  } finally {
    listener.close();
    await serving.catch(() => {});
    for (const conn of conns) {
      try {
        conn.close();
      } catch { /* it was */ }
    }
    await Deno.remove(dir, { recursive: true });
  }
}

const ok = (body: string) => `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n${body}`;

Deno.test("askControl() speaks with a server of Deno, and reads the whole answer", async () => {
  const dir = await Deno.makeTempDir();
  const path = join(dir, "c.sock");
  const long = "x".repeat(100_000);
  const asked: unknown[] = [];
  const server = Deno.serve({ path, onListen() {} }, async (request) => {
    asked.push([request.method, new URL(request.url).pathname, await request.json()]);
    return Response.json({ long });
  });
  const request = { method: "POST", path: "/v1/x", body: { a: ["é"] } } as const;
  assert.deepEqual(await askControl(path, request), { ok: true, value: { long } });
  assert.deepEqual(asked, [["POST", "/v1/x", { a: ["é"] }]]);
  await server.shutdown();
  await Deno.remove(dir, { recursive: true });
});

const ANSWERS: Record<string, [answer: string, code: string]> = {
  "nothing": ["", "SIDECAR_UNREACHABLE"],
  "half a head": ["HTTP/1.1 200 OK\r\n", "SIDECAR_UNREACHABLE"],
  "a head without end": ["HTTP/1.1 200 OK\r\nx: " + "y".repeat(64_000), "SIDECAR_UNREACHABLE"],
  "something else": ["SSH-2.0-OpenSSH\r\n\r\n", "SIDECAR_UNREACHABLE"],
  "no JSON": [ok("<html>"), "SIDECAR_UNREACHABLE"],
  "a body without end": [ok(`"${"y".repeat(5_000_000)}"`), "SIDECAR_UNREACHABLE"],
  "a refusal in no form": ["HTTP/1.1 503 No\r\n\r\n[]", "SIDECAR_REFUSED"],
  "a refusal with a code": [
    `HTTP/1.1 503 No\r\n\r\n{"code":"FULL","detail":"no room","cure":"wait"}`,
    "FULL",
  ],
};

for (const [name, [answer, code]] of Object.entries(ANSWERS)) {
  Deno.test(`askControl() fails on an answer that is ${name}`, () =>
    withServer(answer, async (socket) => {
      const asked = await askControl(socket, GET);
      assert.ok(!asked.ok);
      assert.equal(asked.error.code, code);
    }));
}

Deno.test("askControl() gives up on a Sidecar that does not answer, and on one that never ends", async () => {
  for (const silent of ["", ok(`{"half":`)]) {
    await withServer(silent, async (socket) => {
      const asked = await askControl(socket, GET, 50);
      assert.ok(!asked.ok && asked.error.code === "SIDECAR_UNREACHABLE");
    }, true);
  }
  const nobody = await askControl("/nowhere/at/all.sock", GET);
  assert.ok(!nobody.ok && nobody.error.code === "SIDECAR_UNREACHABLE");
});

Deno.test("openControl() stops to wait when it is told so", () =>
  withServer("", async (socket) => {
    const giving = new AbortController();
    const asked = openControl(socket, GET, { signal: giving.signal });
    setTimeout(() => giving.abort(), 10);
    const answer = await asked;
    assert.ok(!answer.ok && answer.error.code === "SIDECAR_UNREACHABLE");
  }, true));

Deno.test("readProblem() tells what it can of a refusal", () =>
  withServer(
    `HTTP/1.1 409 No\r\n\r\n{"code":"OTHER_CONFIG","detail":"another"}`,
    async (socket) => {
      const answer = await openControl(socket, GET);
      assert.ok(answer.ok && answer.value.status === 409);
      assert.deepEqual(await readProblem(answer.value), {
        code: "OTHER_CONFIG",
        message: "another",
      });
    },
  ));
