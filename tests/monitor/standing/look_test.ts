import assert from "node:assert/strict";
import { newId } from "../../../src/core/id.ts";
import { unwrap } from "../../../src/core/result.ts";
import { makeDaemonDirectory, type Marker, writeMarker } from "../../../src/daemon/state.ts";
import { processStart } from "../../../src/daemon/process_start.ts";
import { lookAround } from "../../../src/monitor/standing/look.ts";
import { NOTHING_RUNS } from "../../../src/monitor/standing/standing.ts";
import { inTempDir } from "../../audit/sample.ts";

/** A control socket where somebody answers `answers` by path. */
function sidecarAt(path: string, answers: Readonly<Record<string, unknown>>) {
  return Deno.serve({ path, onListen: () => {} }, (request) => {
    const answer = answers[new URL(request.url).pathname];
    return answer === undefined ? new Response("no", { status: 404 }) : Response.json(answer);
  });
}

function session(id: string, startedAt: string) {
  return {
    session_id: id,
    sandbox_id: newId("sbx"),
    agent_id: newId("agt"),
    profile: "generic",
    command: "npm (1 argument)",
    workspace: "/home/me",
    started_at: startedAt,
    action_count: 7,
    deny_count: 2,
  };
}

function marker(changes: Partial<Marker> & Pick<Marker, "component">): Marker {
  return {
    pid: Deno.pid,
    pid_start: processStart(Deno.pid)!,
    started_at: "2025-01-31T12:00:00Z",
    state: "running",
    config_file: "/home/me/.firma/firma.toml",
    config_digest: "0".repeat(64),
    restarts: 0,
    ...changes,
  };
}

Deno.test("lookAround() finds nothing where nothing runs", () =>
  inTempDir(async (dir) => {
    assert.deepEqual(await lookAround({ FIRMA_STATE_DIR: `${dir}/state` }), NOTHING_RUNS);
  }));

Deno.test("lookAround() shows daemons, runs, their sessions and what is wrong", () =>
  inTempDir(async (dir) => {
    const env = { FIRMA_STATE_DIR: `${dir}/state` };
    const paths = unwrap(makeDaemonDirectory(env));
    const control = paths.controlSocket;
    unwrap(writeMarker(marker({ component: "sidecar", control_socket: control }), paths));
    // Its number is another process's by now.
    unwrap(writeMarker(marker({ component: "authority", pid_start: 1, restarts: 4 }), paths));
    const daemon = sidecarAt(control, {
      "/v1/status": {
        policy_bundle_version: "0123456789abcdef",
        policy_bundle_fresh: false,
        audit: { state: "ok", file: "x" },
      },
      "/v1/sessions": { sessions: [session("ses_b", "2025-01-31T12:02:00Z"), "garbage", null] },
    });
    const run = `${dir}/state/run/${newId("sbx")}`;
    await Deno.mkdir(run, { recursive: true });
    const own = sidecarAt(`${run}/control.sock`, {
      "/v1/status": { policy_bundle_version: "", audit: { state: "failed" } },
      "/v1/sessions": { sessions: [session("ses_a", "2025-01-31T12:01:00Z")] },
    });
    const gone = `${dir}/state/run/${newId("sbx")}`;
    await Deno.mkdir(gone);
    await Deno.writeTextFile(`${gone}/control.sock`, "");

    const standing = await lookAround(env);
    assert.partialDeepStrictEqual(standing.components, [
      { component: "sidecar", state: "running", sinceMs: Date.parse("2025-01-31T12:00:00Z") },
      { component: "authority", state: "dead", restarts: 4 },
    ]);
    assert.partialDeepStrictEqual(standing, {
      ownSidecars: 1,
      bundleVersion: "0123456789abcdef",
      audit: "failed",
      isFresh: false,
      problem: "",
    });
    assert.deepEqual(standing.sessions.map(({ sessionId }) => sessionId), ["ses_a", "ses_b"]);
    assert.partialDeepStrictEqual(standing.sessions[0], { actions: 7, denies: 2 });
    await Promise.all([daemon.shutdown(), own.shutdown()]);

    const dead = await lookAround(env);
    assert.deepEqual([dead.ownSidecars, dead.sessions, dead.audit], [0, [], ""]);
    await Deno.chmod(`${dir}/state/daemon`, 0o777);
    assert.match((await lookAround(env)).problem, /others can enter it/);
  }));
