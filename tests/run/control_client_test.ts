import assert from "node:assert/strict";
import { join } from "node:path";
import { ControlClient } from "../../src/run/control_client.ts";
import { startFakeControl } from "./fake_control.ts";

const REQUEST = {
  sandbox_id: "sbx",
  agent_id: "agt",
  profile: "generic",
  command: "sh",
  workspace: "/",
};

async function withControl(test: (client: ControlClient) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  const socket = join(directory, "control.sock");
  const server = startFakeControl(socket);
  try {
    using client = new ControlClient(socket);
    await test(client);
  } finally {
    await server.shutdown();
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("ControlClient registers a session and ends it", () =>
  withControl(async (client) => {
    assert.deepEqual(await client.startSession(REQUEST), {
      ok: true,
      value: { session_id: "ses_1/", proxy_socket: "/p.sock", ca_certificate: "PEM" },
    });
    assert.equal((await client.endSession("ses_1/", 7)).ok, true);
    assert.equal((await client.endSession("ses_1/", 8)).ok, false);
  }));

Deno.test("ControlClient passes on what the Sidecar says of a refusal", () =>
  withControl(async (client) => {
    assert.deepEqual(await client.startSession({ ...REQUEST, sandbox_id: "problem" }), {
      ok: false,
      error: { code: "NO_TOKEN", message: "Cannot start a session: not granted", cure: "ask" },
    });
  }));

Deno.test("ControlClient takes no half answer for a session", () =>
  withControl(async (client) => {
    for (const sandbox_id of ["incomplete", "odd"]) {
      assert.equal((await client.startSession({ ...REQUEST, sandbox_id })).ok, false, sandbox_id);
    }
  }));

Deno.test("ControlClient fails when nobody listens", async () => {
  using client = new ControlClient("/nowhere/control.sock");
  const answer = await client.startSession(REQUEST);
  assert.ok(!answer.ok && answer.error.code === "SIDECAR_UNREACHABLE");
});
