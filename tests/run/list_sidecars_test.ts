import assert from "node:assert/strict";
import { join } from "node:path";
import { newId } from "../../src/core/id.ts";
import { ok, unwrap } from "../../src/core/result.ts";
import { takeLock } from "../../src/daemon/lock.ts";
import { processStart } from "../../src/daemon/process_start.ts";
import { makeDaemonDirectory, type Marker, writeMarker } from "../../src/daemon/state.ts";
import { daemonRow, runRows } from "../../src/run/list_sidecars.ts";
import { createRunDirectory } from "../../src/run/run_directory.ts";
import { ControlServer } from "../../src/sidecar/control_server.ts";

const STATUS = {
  pid: 4711,
  config_file: "/p/.firma/firma.toml",
  started_at: "2026-02-03T04:05:06.000007Z",
  mode: "enforce",
  policy_bundle_version: "v1",
  authority: "local",
  audit: { state: "ok", file: "/a.jsonl" },
};

interface State {
  readonly env: { readonly FIRMA_STATE_DIR: string };
  /** Has something answer at a socket as a Sidecar does. */
  serve(socket: string): Promise<ControlServer>;
}

async function withState(test: (state: State) => Promise<void>): Promise<void> {
  const base = await Deno.realPath(await Deno.makeTempDir());
  const servers: ControlServer[] = [];
  try {
    await test({
      env: { FIRMA_STATE_DIR: join(base, "s") },
      async serve(socket) {
        const server = await ControlServer.open({
          approvals: {
            list: () => Promise.resolve([]),
            rule: () => Promise.reject(new Error("nobody rules here")),
            identify: () => Promise.reject(new Error("nobody asks here")),
          },
          certificatePem: "PEM",
          bundleVersion: () => "v1",
          config: { file: STATUS.config_file, digest: "d1" },
          openSession: () => Promise.reject(new Error("nobody asks for one")),
          endSession: () => Promise.resolve(ok(false)),
          applyConfig: () => Promise.resolve(ok(undefined)),
          recordFinding: () => true,
          weighLosses: () => Promise.resolve({ kind: "free" }),
          onNotice: () => () => {},
          sessions: () => [],
          status: () => STATUS,
        }, socket);
        servers.push(server);
        return server;
      },
    });
  } finally {
    for (const server of servers) await server.close();
    await Deno.remove(base, { recursive: true });
  }
}

function marker(changes: Partial<Marker> = {}): Marker {
  return {
    component: "sidecar",
    pid: Deno.pid,
    pid_start: processStart(Deno.pid)!,
    started_at: STATUS.started_at,
    state: "running",
    config_file: STATUS.config_file,
    config_digest: "d1",
    restarts: 3,
    ...changes,
  };
}

Deno.test("daemonRow() tells how a daemon is", () =>
  withState(async ({ env, serve }) => {
    const state = async () => unwrap(await daemonRow(env))?.state;
    assert.equal(await state(), undefined);
    const paths = unwrap(makeDaemonDirectory(env));
    assert.equal(await state(), undefined);
    unwrap(writeMarker(marker(), paths));
    assert.equal(await state(), "unhealthy");
    unwrap(writeMarker(marker({ state: "starting" }), paths));
    assert.equal(await state(), "starting");
    Deno.writeTextFileSync(paths.marker("sidecar"), "garbage");
    assert.equal(await state(), "unknown");
    unwrap(writeMarker(marker({ pid_start: 1 }), paths));
    assert.equal(await state(), "stopped");
    {
      using _lock = unwrap(takeLock(paths));
      assert.equal(await state(), "restarting");
    }
    unwrap(writeMarker(marker(), paths));
    unwrap(writeMarker(marker({ component: "authority", listen: "unix:///a.sock" }), paths));
    await serve(paths.controlSocket);
    const { uptime_secs, ...row } = unwrap(await daemonRow(env))!;
    assert.ok(uptime_secs! > 0);
    assert.deepEqual(row, {
      kind: "daemon",
      state: "running",
      pid: Deno.pid,
      sandbox_id: null,
      agent_id: null,
      session_id: null,
      authority_url: "local",
      policy_bundle_version: "v1",
      started_at: STATUS.started_at,
      listen: `unix://${paths.controlSocket}`,
      config_file: STATUS.config_file,
      mode: "enforce",
      audit: STATUS.audit,
      supervisor_pid: null,
      restarts: 3,
      authority: { state: "running", pid: Deno.pid, listen: "unix:///a.sock" },
      sessions: [],
    });
  }));

Deno.test("daemonRow() looks for no daemon where others could have put one", () =>
  withState(async ({ env }) => {
    unwrap(writeMarker(marker(), unwrap(makeDaemonDirectory(env))));
    Deno.chmodSync(env.FIRMA_STATE_DIR, 0o777);
    const row = await daemonRow(env);
    assert.ok(!row.ok && row.error.code === "DIRECTORY_NOT_PRIVATE");
  }));

Deno.test("runRows() lists the Sidecars that runs have for themselves", () =>
  withState(async ({ env, serve }) => {
    assert.deepEqual(await runRows(env), []);
    const id = newId("sbx");
    using run = unwrap(createRunDirectory(id, env));
    // A run that has joined the daemon has no socket in its directory.
    using _joined = unwrap(createRunDirectory(newId("sbx"), env));
    const server = await serve(join(run.path, "control.sock"));
    const rows = await runRows(env);
    assert.deepEqual(
      rows.map(({ kind, state, pid, sandbox_id }) => [kind, state, pid, sandbox_id]),
      [
        ["run", "running", STATUS.pid, id],
      ],
    );
    await server.close();
    assert.deepEqual(await runRows(env), []);
  }));
