import assert from "node:assert/strict";
import { join } from "node:path";
import { unwrap } from "../../src/core/result.ts";
import { processStart } from "../../src/daemon/process_start.ts";
import { makeDaemonDirectory, type Marker, writeMarker } from "../../src/daemon/state.ts";
import { chooseSidecar, mayJoin, type SidecarWish } from "../../src/run/choose_sidecar.ts";

const CONFIG = { file: "/p/.firma/firma.toml", digest: "d1" };
const WISH: SidecarWish = { noAutostart: false, startupTimeoutMs: 0, needsOwn: false };

/** What is chosen, and what is said about it, where a daemon has left this marker. */
async function choice(
  wish: Partial<SidecarWish>,
  marker?: Partial<Marker> | string,
  prepare?: (state: string) => void,
): Promise<{ chosen: unknown; told: string[] }> {
  const base = await Deno.realPath(await Deno.makeTempDir());
  const env = { FIRMA_STATE_DIR: join(base, "s") };
  const told: string[] = [];
  try {
    const paths = unwrap(makeDaemonDirectory(env));
    if (typeof marker === "string") Deno.writeTextFileSync(paths.marker("sidecar"), marker);
    else if (marker !== undefined) {
      unwrap(writeMarker({
        component: "sidecar",
        pid: Deno.pid,
        pid_start: processStart(Deno.pid)!,
        started_at: "2026-02-03T04:05:06.000007Z",
        state: "running",
        config_file: CONFIG.file,
        config_digest: CONFIG.digest,
        restarts: 0,
        ...marker,
      }, paths));
    }
    prepare?.(env.FIRMA_STATE_DIR);
    const { signal } = new AbortController();
    const tell = (_level: string, text: string) => void told.push(text);
    const chosen = await chooseSidecar({ ...WISH, ...wish }, CONFIG, env, { tell }, signal);
    if (!chosen.ok) return { chosen: chosen.error.code, told };
    const { value } = chosen;
    if (value.kind === "own") return { chosen: "own", told };
    const socket = value.controlSocket.replace(`${env.FIRMA_STATE_DIR}/`, "");
    return { chosen: `${value.mayFallBack ? "join" : "insist on"} ${socket}`, told };
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

const CASES: Record<string, [Partial<SidecarWish>, Partial<Marker> | string | undefined, string]> =
  {
    "none runs": [{}, undefined, "own"],
    "none runs, and none may be started": [{ noAutostart: true }, undefined, "NO_SIDECAR"],
    "one runs": [{}, {}, "join daemon/control.sock"],
    "one runs, and none may be started": [
      { noAutostart: true },
      {},
      "insist on daemon/control.sock",
    ],
    "one runs, and one of its own is wished": [{ sidecar: "local" }, {}, "own"],
    "one runs, and another Authority is wished": [{ needsOwn: true }, {}, "own"],
    "one is named": [{ sidecar: "/x/c.sock" }, {}, "insist on /x/c.sock"],
    "one runs for another project": [{}, { config_file: "/q/firma.toml" }, "own"],
    "one runs for another project, and none may be started": [
      { noAutostart: true },
      { config_file: "/q/firma.toml" },
      "NO_SIDECAR",
    ],
    "one is starting for ever": [{ startupTimeoutMs: 20 }, { state: "starting" }, "own"],
    "one is draining": [{}, { state: "draining" }, "own"],
    "one ran, and somebody else has its pid": [{}, { pid_start: 1 }, "own"],
    "its marker is garbage": [{}, "\0garbage", "own"],
    // The socket is found by where it belongs, whatever a marker says.
    "its marker names another socket": [
      {},
      { control_socket: "/tmp/evil.sock" },
      "join daemon/control.sock",
    ],
  };

for (const [name, [wish, marker, expected]] of Object.entries(CASES)) {
  Deno.test(`chooseSidecar() chooses when ${name}`, async () => {
    assert.equal((await choice(wish, marker)).chosen, expected);
  });
}

Deno.test("chooseSidecar() says why it does not join a Sidecar of the same project", async () => {
  const { chosen, told } = await choice({}, { config_digest: "d0" });
  assert.equal(chosen, "own");
  assert.match(told.join(), /started before "\/p\/\.firma\/firma\.toml" changed/);
  assert.deepEqual((await choice({}, { config_file: "/q/firma.toml" })).told, []);
});

Deno.test("chooseSidecar() asks a Sidecar that took over an edit of its file what it serves", async () => {
  const servers: Deno.HttpServer[] = [];
  const serving = (digest: unknown) => (state: string) => {
    const path = join(state, "daemon/control.sock");
    const answer = () => Response.json({ config_digest: digest });
    servers.push(Deno.serve({ transport: "unix", path, onListen: () => {} }, answer));
  };
  const edited = await choice({}, { config_digest: "d0" }, serving(CONFIG.digest));
  assert.deepEqual(edited, { chosen: "join daemon/control.sock", told: [] });
  for (const digest of ["d0", undefined, 1]) {
    assert.equal((await choice({}, { config_digest: "d0" }, serving(digest))).chosen, "own");
  }
  await Promise.all(servers.map((server) => server.shutdown()));
});

// In /tmp anybody can make the directory first, and point runs at a Sidecar of theirs.
Deno.test("chooseSidecar() believes no marker where others can write", async () => {
  const opened = await choice({}, {}, (state) => Deno.chmodSync(join(state, "daemon"), 0o777));
  assert.equal(opened.chosen, "own");
  const linked = await choice({}, {}, (state) => {
    Deno.renameSync(state, `${state}-elsewhere`);
    Deno.symlinkSync(`${state}-elsewhere`, state);
  });
  assert.equal(linked.chosen, "own");
});

Deno.test("mayJoin() answers at once, whatever it finds", () => {
  assert.equal(mayJoin(undefined, { FIRMA_STATE_DIR: "/nowhere" }), false);
  assert.equal(mayJoin("/nowhere/firma.toml", { FIRMA_STATE_DIR: "/nowhere" }), false);
});
