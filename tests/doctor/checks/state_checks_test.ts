import assert from "node:assert/strict";
import { join } from "node:path";
import {
  dataDirCheck,
  permissionsCheck,
  stateDirCheck,
} from "../../../src/doctor/checks/directories.ts";
import { runsCheck, socketsCheck } from "../../../src/doctor/checks/remains.ts";
import { parseEndpoint, sidecarCheck } from "../../../src/doctor/checks/sidecar.ts";
import type { Check } from "../../../src/doctor/check.ts";
import { newId } from "../../../src/core/id.ts";
import { unwrap } from "../../../src/core/result.ts";
import { processStart } from "../../../src/daemon/process_start.ts";
import { makeDaemonDirectory, writeMarker } from "../../../src/daemon/state.ts";
import { createRunDirectory } from "../../../src/run/run_directory.ts";
import { sealWorkspace } from "../../../src/sandbox/seals/seal.ts";
import { found, Place, statuses } from "../support.ts";

const OF_STATE: readonly Check[] = [
  dataDirCheck,
  permissionsCheck,
  runsCheck,
  sidecarCheck,
  socketsCheck,
  stateDirCheck,
];

const LONG_AGO = new Date(Date.now() - 3_600_000);

function there(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

Deno.test("checks of state are content where firma never ran, and make nothing", async () => {
  using place = new Place();
  for (const check of OF_STATE) {
    assert.deepEqual(await statuses(check, place.world()), ["ok"], check.category);
  }
  assert.deepEqual([there(place.stateDir), there(place.dataDir)], [false, false]);
});

Deno.test("checks of directories tell what others can get at, and mend it", async () => {
  using place = new Place();
  const keys = join(place.dataDir, "keys");
  Deno.mkdirSync(keys, { recursive: true });
  Deno.mkdirSync(place.stateDir);
  const key = join(keys, "audit.key");
  Deno.writeTextFileSync(key, "secret");
  for (const path of [place.stateDir, place.dataDir, keys]) Deno.chmodSync(path, 0o755);
  Deno.chmodSync(key, 0o644);
  const findings = (await Promise.all(
    [stateDirCheck, dataDirCheck, permissionsCheck].map((check) => found(check, place.world())),
  )).flat();
  assert.deepEqual(findings.map(({ status, cure }) => [status, cure]), [
    ["fail", `chmod 700 ${place.stateDir}`],
    ["fail", `chmod 700 ${place.dataDir}`],
    ["fail", `chmod 700 ${keys}`],
    ["fail", `chmod 600 ${key}`],
  ]);
  for (const { repair } of findings) repair!.apply();
  for (const check of [stateDirCheck, dataDirCheck, permissionsCheck]) {
    assert.deepEqual(await statuses(check, place.world()), ["ok"]);
  }
  assert.equal(Deno.statSync(key).mode! & 0o777, 0o600);
});

Deno.test("permissionsCheck() looks at keys that a trusted configuration names", async () => {
  using place = new Place();
  const key = place.write(".firma/tls/server.key", "secret");
  Deno.chmodSync(key, 0o644);
  const more = '[authority]\ntls_key_path = "tls/server.key"\n';
  place.configure({ more, trusted: false });
  assert.deepEqual(await statuses(permissionsCheck, place.world()), ["ok"]);
  place.configure({ more });
  const [finding] = await found(permissionsCheck, place.world());
  assert.equal(finding!.cure, `chmod 600 ${Deno.realPathSync(key)}`);
});

Deno.test("checks of directories refuse links and those of others", async () => {
  using place = new Place();
  Deno.symlinkSync("/tmp", place.stateDir);
  const [link] = await found(stateDirCheck, place.world());
  assert.deepEqual([link!.status, link!.repair], ["fail", undefined]);
  Deno.mkdirSync(place.dataDir, { recursive: true, mode: 0o700 });
  const [foreign] = await found(dataDirCheck, place.world({ uid: 4242 }));
  assert.deepEqual([foreign!.status, foreign!.repair], ["fail", undefined]);
  assert.match(foreign!.reason, /belongs to user/);
  const [none] = await found(dataDirCheck, place.world({ env: {} }));
  assert.equal(none!.status, "fail");
});

// Attack: what is to be mended becomes a link to something else before that is done.
Deno.test("a repair of permissions follows no link", async () => {
  using place = new Place();
  Deno.mkdirSync(place.stateDir);
  Deno.chmodSync(place.stateDir, 0o755);
  const [finding] = await found(stateDirCheck, place.world());
  const elsewhere = place.path("elsewhere");
  Deno.mkdirSync(elsewhere);
  Deno.chmodSync(elsewhere, 0o755);
  Deno.removeSync(place.stateDir);
  Deno.symlinkSync(elsewhere, place.stateDir);
  assert.throws(() => finding!.repair!.apply());
  assert.equal(Deno.statSync(elsewhere).mode! & 0o777, 0o755);
});

// Attack: in /tmp anybody can make the directory first, and put traps into it.
Deno.test("checks of state touch nothing in a directory that others can write", async () => {
  using place = new Place();
  const run = join(place.stateDir, "run", newId("sbx"));
  Deno.mkdirSync(run, { recursive: true, mode: 0o700 });
  // Whoever opens it for writing waits for ever.
  new Deno.Command("mkfifo", { args: [join(run, "owner.lock")] }).outputSync();
  Deno.utimeSync(run, LONG_AGO, LONG_AGO);
  using listener = Deno.listen({ transport: "unix", path: join(place.stateDir, "a.sock") });
  assert.ok(listener);
  Deno.chmodSync(place.stateDir, 0o777);
  const knocked: unknown[] = [];
  const world = place.world({ knock: (who) => (knocked.push(who), Promise.resolve("refused")) });
  const findings = (await Promise.all(OF_STATE.map((check) => found(check, world)))).flat();
  assert.deepEqual(findings.filter(({ status }) => status !== "ok").map(({ cure }) => cure), [
    `chmod 700 ${place.stateDir}`,
  ]);
  assert.deepEqual(knocked, []);
});

Deno.test("runsCheck() finds runs that are gone, not those that live, and removes them", async () => {
  using place = new Place();
  using live = unwrap(createRunDirectory(newId("sbx"), place.env));
  const gone = join(live.path, "..", newId("sbx"));
  Deno.mkdirSync(gone);
  Deno.writeTextFileSync(join(gone, "owner.lock"), "");
  for (const path of [live.path, gone]) Deno.utimeSync(path, LONG_AGO, LONG_AGO);
  const findings = await found(runsCheck, place.world());
  assert.deepEqual(findings.map(({ status, cure }) => [status, cure]), [
    ["warn", "firma doctor --fix"],
  ]);
  findings[0]!.repair!.apply();
  assert.deepEqual([there(gone), there(live.path)], [false, true]);
  assert.deepEqual(await statuses(runsCheck, place.world()), ["ok"]);
});

Deno.test("runsCheck() finds what killed runs left in their workspaces, and takes it away", async () => {
  using place = new Place();
  const workspace = Deno.realPathSync(Deno.makeTempDirSync());
  const runs = join(place.stateDir, "run");
  const seal = (name: string) => {
    const runDir = join(runs, name);
    Deno.mkdirSync(runDir, { recursive: true, mode: 0o700 });
    const lock = Deno.openSync(join(runDir, "owner.lock"), { write: true, create: true });
    lock.lockSync(true);
    unwrap(sealWorkspace({ workspace, runDir, allowWrite: [] }));
    return { kill: () => lock.close() };
  };
  try {
    Deno.mkdirSync(place.stateDir, { mode: 0o700 });
    const { kill } = seal(newId("sbx"));
    assert.deepEqual(await statuses(runsCheck, place.world()), ["ok"], "it lives");
    kill();
    assert.ok(there(join(workspace, ".envrc")));
    Deno.writeTextFileSync(join(workspace, ".mcp.json"), "{}");
    const [finding, ...others] = await found(runsCheck, place.world());
    assert.deepEqual([finding?.status, others], ["warn", []]);
    assert.ok(finding!.reason.includes(workspace));
    finding!.repair!.apply();
    assert.deepEqual([...Deno.readDirSync(workspace)].map(({ name }) => name), [".mcp.json"]);
    assert.deepEqual(await statuses(runsCheck, place.world()), ["ok"]);
  } finally {
    Deno.removeSync(workspace, { recursive: true });
  }
});

Deno.test("socketsCheck() finds sockets that nobody listens at, and removes them", async () => {
  using place = new Place();
  Deno.mkdirSync(place.stateDir, { mode: 0o700 });
  const [dead, live] = ["dead.sock", "live.sock"].map((name) => join(place.stateDir, name));
  using _listener = Deno.listen({ transport: "unix", path: live! });
  // Node.js removes the file when it ends in order; a process that is killed does not.
  const { success } = await new Deno.Command("/usr/bin/python3", {
    args: ["-c", "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", dead!],
  }).output();
  assert.ok(success);
  const world = place.world({
    knock: (endpoint) =>
      Promise.resolve("path" in endpoint && endpoint.path === dead ? "refused" : "silent"),
  });
  const findings = await found(socketsCheck, world);
  assert.deepEqual(findings.map(({ status, cure }) => [status, cure]), [["warn", `rm ${dead}`]]);
  // Somebody listens there by now.
  Deno.renameSync(dead!, place.path("dead.sock"));
  const other = Deno.listen({ transport: "unix", path: dead! });
  findings[0]!.repair!.apply();
  assert.ok(there(dead!));

  other.close();
  Deno.renameSync(place.path("dead.sock"), dead!);
  findings[0]!.repair!.apply();
  assert.deepEqual([there(dead!), there(live!)], [false, true]);
});

Deno.test("sidecarCheck() tells a run's Sidecar, a daemon's, one that hangs and one that is gone", async () => {
  using place = new Place();
  const up = place.world({ knock: () => Promise.resolve("accepted") });
  using run = unwrap(createRunDirectory(newId("sbx"), place.env));
  assert.match((await found(sidecarCheck, up))[0]!.reason, /that of a run/);
  assert.ok(run.path);

  const paths = unwrap(makeDaemonDirectory(place.env));
  const write = (pid_start: number) =>
    unwrap(writeMarker({
      component: "sidecar",
      pid: Deno.pid,
      pid_start,
      started_at: new Date().toISOString(),
      state: "running",
      config_file: "/project/.firma/firma.toml",
      config_digest: "00",
      control_socket: paths.controlSocket,
      restarts: 0,
    }, paths));
  write(processStart(Deno.pid)!);
  assert.match((await found(sidecarCheck, up))[0]!.reason, /the daemon's, process/);
  assert.deepEqual(await statuses(sidecarCheck, place.world()), ["fail"]);
  // A process of that number that is another one.
  write(1);
  const [gone] = await found(sidecarCheck, up);
  assert.deepEqual([gone!.status, gone!.cure], ["warn", `rm ${paths.marker("sidecar")}`]);
  gone!.repair!.apply();
  assert.match((await found(sidecarCheck, up))[0]!.reason, /that of a run/);
  // A marker that was damaged.
  Deno.writeTextFileSync(paths.marker("sidecar"), "{", { mode: 0o600 });
  assert.deepEqual(await statuses(sidecarCheck, up), ["warn"]);
});

Deno.test("parseEndpoint() reads every form that names where somebody listens", () => {
  const tcp = (hostname: string, port: number) => ({ transport: "tcp", hostname, port });
  const table: Record<string, unknown> = {
    "/run/a.sock": { transport: "unix", path: "/run/a.sock" },
    "unix:/run/a.sock": { transport: "unix", path: "/run/a.sock" },
    "unix:///run/a.sock": { transport: "unix", path: "/run/a.sock" },
    "https://authority.test:9443": tcp("authority.test", 9443),
    "https://authority.test": tcp("authority.test", 443),
    "https://[::1]/": tcp("::1", 443),
    "authority.test": undefined,
    "127.0.0.1:9443": tcp("127.0.0.1", 9443),
    "[::1]:9443": tcp("::1", 9443),
    // Who listens everywhere is asked here.
    "0.0.0.0:9443": tcp("localhost", 9443),
    "[::]:9443": tcp("localhost", 9443),
    "nonsense": undefined,
  };
  for (const [text, expected] of Object.entries(table)) {
    assert.deepEqual(parseEndpoint(text), expected, text);
  }
});
