import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { type Marker, parseMarker } from "../../src/daemon/marker.ts";
import { processStart } from "../../src/daemon/process_start.ts";
import {
  type DaemonPaths,
  findComponent,
  makeDaemonDirectory,
  removeMarker,
  writeMarker,
} from "../../src/daemon/state.ts";

interface State {
  readonly env: { readonly FIRMA_STATE_DIR: string };
  readonly paths: DaemonPaths;
}

async function withState(test: (state: State) => void | Promise<void>): Promise<void> {
  const base = await Deno.realPath(await Deno.makeTempDir());
  const env = { FIRMA_STATE_DIR: join(base, "s") };
  try {
    const paths = makeDaemonDirectory(env);
    assert.ok(paths.ok);
    await test({ env, paths: paths.value });
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

function marker(changes: Partial<Marker> = {}): Marker {
  return {
    component: "sidecar",
    pid: Deno.pid,
    pid_start: processStart(Deno.pid)!,
    started_at: "2026-02-03T04:05:06.000007Z",
    state: "running",
    config_file: "/home/me/.firma/firma.toml",
    config_digest: "ab".repeat(32),
    control_socket: "/run/control.sock",
    decision_socket: "/run/decision.sock",
    restarts: 2,
    ...changes,
  };
}

/** The code of the failure, or what was found. */
function look({ env }: State): string | boolean | undefined {
  const found = findComponent("sidecar", env);
  return found.ok ? found.value?.isAlive : found.error.code;
}

Deno.test("findComponent() finds what writeMarker() wrote, until removeMarker()", () =>
  withState((state) => {
    const { env, paths } = state;
    assert.equal(look(state), undefined);
    assert.ok(writeMarker(marker({ state: "starting" }), paths).ok);
    assert.ok(writeMarker(marker(), paths).ok);
    assert.deepEqual(findComponent("sidecar", env), {
      ok: true,
      value: { marker: marker(), isAlive: true },
    });
    assert.deepEqual(findComponent("authority", env), { ok: true, value: undefined });
    const { mode } = Deno.statSync(paths.marker("sidecar"));
    assert.equal(mode! & 0o777, 0o600);
    assert.equal(Deno.statSync(paths.directory).mode! & 0o777, 0o700);
    removeMarker("sidecar", paths);
    removeMarker("sidecar", paths);
    assert.equal(look(state), undefined);
  }));

Deno.test("findComponent() finds nothing where no daemon ever was", () =>
  assert.deepEqual(findComponent("sidecar", { FIRMA_STATE_DIR: "/nowhere/at/all" }), {
    ok: true,
    value: undefined,
  }));

Deno.test("findComponent() does not take another process with the same pid for the daemon", () =>
  withState((state) => {
    assert.ok(writeMarker(marker({ pid_start: marker().pid_start + 1 }), state.paths).ok);
    assert.equal(look(state), false);
    assert.ok(writeMarker(marker(), state.paths).ok);
    assert.equal(look(state), true);
  }));

Deno.test("findComponent() sees that a process has ended before its parent does", () =>
  withState(async (state) => {
    // The shell gives its place to one that never asks how its child ended.
    const parent = new Deno.Command("sh", {
      args: ["-c", "true & echo $!; exec sleep 60"],
      stdout: "piped",
    }).spawn();
    const reader = parent.stdout.getReader();
    const pid = Number(new TextDecoder().decode((await reader.read()).value));
    try {
      const deadline = performance.now() + 60_000;
      while (processStart(pid) !== undefined && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      assert.ok(writeMarker(marker({ pid }), state.paths).ok);
      assert.equal(look(state), false);
    } finally {
      parent.kill("SIGKILL");
      await reader.cancel();
      await parent.status;
    }
  }));

Deno.test("findComponent() takes no marker from a directory that others can enter", () =>
  withState((state) => {
    const { paths, env } = state;
    assert.ok(writeMarker(marker(), paths).ok);
    for (const directory of [paths.directory, env.FIRMA_STATE_DIR]) {
      Deno.chmodSync(directory, 0o755);
      assert.equal(look(state), "DIRECTORY_NOT_PRIVATE");
      Deno.chmodSync(directory, 0o700);
    }
    assert.equal(look(state), true);
  }));

Deno.test("findComponent() takes no marker through a symbolic link", () =>
  withState((state) => {
    const { paths, env } = state;
    assert.ok(writeMarker(marker(), paths).ok);
    for (const path of [env.FIRMA_STATE_DIR, paths.directory]) {
      Deno.renameSync(path, `${path}-elsewhere`);
      Deno.symlinkSync(`${path}-elsewhere`, path);
      assert.equal(look(state), "DIRECTORY_NOT_PRIVATE");
      Deno.removeSync(path);
      Deno.renameSync(`${path}-elsewhere`, path);
    }
    const file = paths.marker("sidecar");
    Deno.renameSync(file, `${file}-elsewhere`);
    Deno.symlinkSync(`${file}-elsewhere`, file);
    assert.equal(look(state), "MARKER_DAMAGED");
  }));

Deno.test({
  name: "findComponent() takes no marker of another user",
  ignore: Deno.uid() !== 0,
  fn: () =>
    withState((state) => {
      assert.ok(writeMarker(marker(), state.paths).ok);
      Deno.chownSync(state.paths.marker("sidecar"), 12345, 12345);
      assert.equal(look(state), "MARKER_DAMAGED");
      Deno.chownSync(state.paths.directory, 12345, 12345);
      assert.equal(look(state), "DIRECTORY_NOT_PRIVATE");
    }),
});

const GARBAGE: Record<string, string> = {
  "nothing": "",
  "half of one": JSON.stringify(marker()).slice(0, 80),
  "a list": "[]",
  "null": "null",
  "no JSON": "\u0000\u001b[2J",
  "a pid of everybody": JSON.stringify({ ...marker(), pid: -1 }),
  "a pid of the whole group": JSON.stringify({ ...marker(), pid: 0 }),
  "a pid that is a text": JSON.stringify({ ...marker(), pid: "1" }),
  "a state that there is not": JSON.stringify({ ...marker(), state: "flying" }),
  "another component": JSON.stringify(marker({ component: "authority" })),
  "a relative path": JSON.stringify(marker({ config_file: "firma.toml" })),
  "no time": JSON.stringify(marker({ started_at: "yesterday" })),
};

for (const [name, text] of Object.entries(GARBAGE)) {
  Deno.test(`findComponent() refuses a marker that is ${name}, and writeMarker() repairs it`, () =>
    withState((state) => {
      Deno.writeTextFileSync(state.paths.marker("sidecar"), text);
      assert.equal(look(state), "MARKER_DAMAGED");
      assert.ok(writeMarker(marker(), state.paths).ok);
      assert.equal(look(state), true);
    }));
}

Deno.test("writeMarker() replaces what a writer that was killed has left", () =>
  withState((state) => {
    const file = state.paths.marker("sidecar");
    Deno.writeTextFileSync(`${file}.new`, "half");
    assert.ok(writeMarker(marker(), state.paths).ok);
    assert.equal(look(state), true);
  }));

Deno.test("parseMarker() answers every text, and reads back every marker", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    assert.equal(typeof parseMarker(text).ok, "boolean");
  }));
  const count = fc.nat();
  fc.assert(fc.property(count, count, fc.string(), (pid, restarts, digest) => {
    const written = marker({ pid: pid + 1, restarts, config_digest: digest });
    assert.deepEqual(parseMarker(JSON.stringify(written)), { ok: true, value: written });
  }));
});

Deno.test("processStart() tells processes apart, and the living from the dead", async () => {
  const own = processStart(Deno.pid);
  assert.ok(own !== undefined && own > 0);
  const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
  assert.ok((processStart(child.pid) ?? -1) >= own);
  child.kill("SIGKILL");
  await child.status;
  assert.equal(processStart(child.pid), undefined);
});
