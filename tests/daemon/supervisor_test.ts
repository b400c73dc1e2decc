import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hasEnded, isRunning } from "../../src/daemon/end_process.ts";
import { spawnHelper } from "../../src/daemon/helper_process.ts";
import { lockHolder } from "../../src/daemon/lock.ts";
import { processStart } from "../../src/daemon/process_start.ts";
import {
  type Component,
  daemonPaths,
  findComponent,
  makeDaemonDirectory,
  type Marker,
  writeMarker,
} from "../../src/daemon/state.ts";
import { stopDaemon } from "../../src/daemon/stop.ts";
import { Supervisor, type SupervisorOptions } from "../../src/daemon/supervisor.ts";
import { unwrap } from "../../src/core/result.ts";
import { eventually } from "../fixtures/deadline.ts";

const FAKE = fileURLToPath(new URL("../run/fake_sidecar.ts", import.meta.url));

/** Starts a program that stands in for components; `modes` say what each does, one after another. */
function fakes(modes: Partial<Record<string, string[]>>): SupervisorOptions["spawn"] {
  return (subcommand) => {
    const left = modes[subcommand] ?? [];
    const mode = left.length > 1 ? left.shift()! : left[0] ?? "";
    return spawnHelper(subcommand, [
      "env",
      `FAKE_SIDECAR=${mode}`,
      Deno.execPath(),
      "run",
      "-A",
      "--quiet",
      FAKE,
    ]);
  };
}

interface State {
  readonly env: { readonly FIRMA_STATE_DIR: string };
  readonly notices: string[];
  start(options?: Partial<SupervisorOptions>): ReturnType<typeof Supervisor.start>;
  marker(component?: Component): Marker | undefined;
}

async function withState(test: (state: State) => Promise<void>): Promise<void> {
  const base = await Deno.realPath(await Deno.makeTempDir());
  const env = { FIRMA_STATE_DIR: join(base, "s") };
  const notices: string[] = [];
  try {
    await test({
      env,
      notices,
      start: (options = {}) =>
        Supervisor.start({
          env,
          config: {
            file: "/p/.firma/firma.toml",
            digest: "d1",
            withAuthority: false,
            connectTimeoutMs: 0,
          },
          restarts: true,
          backoffMs: [1, 1_000],
          spawn: fakes({}),
          onNotice: (level, text) => notices.push(`${level}: ${text}`),
          ...options,
        }),
      marker: (component = "sidecar") => unwrap(findComponent(component, env))?.marker,
    });
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

/** What lies in the directory of the daemon, but for logs. */
function remains({ env }: State): string[] {
  const { directory } = daemonPaths(env);
  return [...Deno.readDirSync(directory)].map(({ name }) => name)
    .filter((name) => !name.endsWith(".log")).sort();
}

Deno.test("Supervisor.start() serves until stop(), and leaves nothing but logs and its lock", () =>
  withState(async (state) => {
    const supervisor = unwrap(await state.start());
    const marker = state.marker()!;
    assert.equal(marker.state, "running");
    assert.equal(marker.config_digest, "d1");
    assert.equal(marker.restarts, 0);
    assert.equal(marker.control_socket, daemonPaths(state.env).controlSocket);
    assert.ok(isRunning(marker));
    assert.deepEqual(lockHolder(daemonPaths(state.env))?.pid, Deno.pid);
    assert.equal(await supervisor.stop(0), true);
    assert.equal(isRunning(marker), false);
    assert.deepEqual(remains(state), ["stack.lock"]);
  }));

Deno.test("Supervisor.start() refuses to share a state directory, and says with whom", () =>
  withState(async (state) => {
    const first = unwrap(await state.start());
    const second = await state.start();
    assert.ok(!second.ok && second.error.code === "DAEMON_RUNS");
    assert.match(second.error.message, new RegExp(`process ${Deno.pid}$`));
    assert.equal(state.marker()?.state, "running", "the first one suffered from it");
    await first.stop(0);
    const third = unwrap(await state.start());
    await third.stop(0);
  }));

Deno.test("Supervisor starts a Sidecar again that was killed, and counts how often", () =>
  withState(async (state) => {
    const supervisor = unwrap(await state.start());
    for (const restarts of [1, 2]) {
      const killed = state.marker()!;
      Deno.kill(killed.pid, "SIGKILL");
      await eventually("another Sidecar", () => {
        const marker = state.marker();
        return marker?.restarts === restarts && marker.state === "running" || undefined;
      });
      assert.notEqual(state.marker()!.pid, killed.pid);
    }
    assert.equal(
      state.notices.filter((text) => /starts again: signal SIGKILL/.test(text)).length,
      2,
    );
    assert.equal(await supervisor.stop(0), true);
    assert.deepEqual(remains(state), ["stack.lock"]);
  }));

Deno.test("Supervisor tries again, less and less often, while a Sidecar cannot start", () =>
  withState(async (state) => {
    const spawn = fakes({ __sidecar: ["", "fatal", "dies", ""] });
    const supervisor = unwrap(await state.start({ spawn: spawn! }));
    Deno.kill(state.marker()!.pid, "SIGKILL");
    await eventually(
      "the Sidecar to serve again",
      () => state.marker()?.restarts === 3 || undefined,
    );
    await eventually("it to be ready", () => state.marker()?.state === "running" || undefined);
    assert.ok(state.notices.includes("error: Cannot parse"), state.notices.join("\n"));
    assert.ok(state.notices.some((text) => /exit code 3/.test(text)));
    await supervisor.stop(0);
  }));

Deno.test("Supervisor that does not start again what ended says so to its owner", () =>
  withState(async (state) => {
    const supervisor = unwrap(await state.start({ restarts: false }));
    Deno.kill(state.marker()!.pid, "SIGKILL");
    assert.equal((await supervisor.ended).signal, "SIGKILL");
    await supervisor.stop(0);
    assert.deepEqual(remains(state), ["stack.lock"]);
  }));

Deno.test("Supervisor.start() ends the Authority again when the Sidecar cannot start", () =>
  withState(async (state) => {
    const spawned: number[] = [];
    const spawn = fakes({ __sidecar: ["fatal"] })!;
    const started = await state.start({
      spawn: (subcommand) => {
        const child = spawn(subcommand);
        spawned.push(child.pid);
        return child;
      },
      config: { file: "/p/f.toml", digest: "d", withAuthority: true, connectTimeoutMs: 0 },
    });
    assert.ok(!started.ok && started.error.code === "MAPPING_INVALID");
    assert.equal(spawned.length, 2);
    assert.deepEqual(spawned.map(processStart), [undefined, undefined]);
    assert.deepEqual(remains(state), ["stack.lock"]);
    assert.equal(lockHolder(daemonPaths(state.env)), undefined);
    await unwrap(await state.start()).stop(0);
  }));

/** A program that lives until it is ended, and a marker of it. */
function leftover(state: State, changes: Partial<Marker> = {}) {
  const paths = unwrap(makeDaemonDirectory(state.env));
  const child = new Deno.Command("sleep", { args: ["600"] }).spawn();
  const process = { pid: child.pid, pid_start: processStart(child.pid)! };
  unwrap(writeMarker({
    component: "sidecar",
    ...process,
    started_at: "2026-02-03T04:05:06.000007Z",
    state: "running",
    config_file: "/p/.firma/firma.toml",
    config_digest: "d0",
    restarts: 0,
    ...changes,
  }, paths));
  return {
    process,
    status: child.status,
    [Symbol.asyncDispose]: async () => {
      if (isRunning(process)) child.kill("SIGKILL");
      await child.status;
    },
  };
}

Deno.test("Supervisor.start() ends what an earlier daemon has left, and puts away its sockets", () =>
  withState(async (state) => {
    await using old = leftover(state);
    const paths = daemonPaths(state.env);
    Deno.listen({ transport: "unix", path: paths.controlSocket }).close();
    Deno.writeTextFileSync(paths.controlSocket, "");
    Deno.mkdirSync(join(paths.directory, "w0/s0"), { recursive: true });
    const supervisor = unwrap(await state.start());
    assert.equal((await old.status).signal, "SIGTERM");
    assert.deepEqual(remains(state), ["sidecar.json", "stack.lock"]);
    assert.notEqual(state.marker()!.pid, old.process.pid);
    await supervisor.stop(0);
  }));

Deno.test("Supervisor.start() does not end a stranger who got the pid of an earlier daemon", () =>
  withState(async (state) => {
    await using stranger = leftover(state, { pid_start: 1 });
    const supervisor = unwrap(await state.start());
    assert.ok(isRunning(stranger.process));
    await supervisor.stop(0);
    assert.ok(isRunning(stranger.process));
  }));

for (const garbage of ["", "{", "[1]", `{"pid": 1}`, "\0".repeat(5_000)]) {
  Deno.test(`Supervisor.start() replaces a marker that is ${JSON.stringify(garbage.slice(0, 9))}`, () =>
    withState(async (state) => {
      const paths = unwrap(makeDaemonDirectory(state.env));
      Deno.writeTextFileSync(paths.marker("sidecar"), garbage);
      Deno.writeTextFileSync(paths.lock, garbage);
      const supervisor = unwrap(await state.start());
      assert.equal(state.marker()?.state, "running");
      await supervisor.stop(0);
    }));
}

Deno.test("Supervisor.start() uses no state directory that is a symbolic link", () =>
  withState(async (state) => {
    unwrap(makeDaemonDirectory(state.env));
    Deno.renameSync(state.env.FIRMA_STATE_DIR, `${state.env.FIRMA_STATE_DIR}-elsewhere`);
    Deno.symlinkSync(`${state.env.FIRMA_STATE_DIR}-elsewhere`, state.env.FIRMA_STATE_DIR);
    const refused = await state.start();
    assert.ok(!refused.ok && refused.error.code === "DIRECTORY_NOT_PRIVATE");
  }));

Deno.test("stopDaemon() finds nothing where nothing is, and ends what nobody keeps running", () =>
  withState(async (state) => {
    assert.deepEqual(await stopDaemon(state.env, 0), { ok: true, value: "absent" });
    await using old = leftover(state);
    assert.deepEqual(await stopDaemon(state.env, 0), { ok: true, value: "killed" });
    assert.ok(await hasEnded(old.process, 0));
    assert.deepEqual(remains(state), ["stack.lock"]);
    assert.deepEqual(await stopDaemon(state.env, 0), { ok: true, value: "absent" });
  }));
