import assert from "node:assert/strict";
import { verifyLog } from "../../src/audit/verify.ts";
import { unwrap } from "../../src/core/result.ts";
import { readPublicKeyFile } from "../../src/pki/signing_key.ts";
import type { Person } from "../fixtures/cli.ts";
import { eventually } from "../fixtures/deadline.ts";
import { ALLOWED, makeWorld, type World } from "../fixtures/world.ts";

/** A Sidecar as `firma sidecar status --json` lists it. */
interface Row {
  readonly kind: string;
  readonly state: string;
  readonly pid: number;
  readonly supervisor_pid: number;
  readonly restarts: number;
  readonly sessions: readonly { readonly session_id: string; readonly sandbox_id: string }[];
}

async function startDaemon({ person }: World): Promise<AsyncDisposable> {
  assert.equal((await person.firma(["trust"])).code, 0);
  const started = await person.firma(["sidecar", "start", "--detach"]);
  assert.equal(started.code, 0, started.stderr);
  return { [Symbol.asyncDispose]: async () => void await person.firma(["sidecar", "stop"]) };
}

async function status(person: Person): Promise<Row[]> {
  const { code, stdout, stderr } = await person.firma(["sidecar", "status", "--daemon", "--json"]);
  assert.ok(code < 2, stderr);
  return JSON.parse(stdout);
}

async function sidecarProcesses(person: Person): Promise<number[]> {
  const processes = await person.processes();
  return processes.filter(({ command }) => command.includes(" __sidecar ")).map(({ pid }) => pid);
}

/** Each allowed call has exactly one outcome, and the log is whole. */
async function checkLog(person: Person): Promise<void> {
  const key = unwrap(await readPublicKeyFile(`${person.dataDir}/keys/audit.key.pub`));
  const report = unwrap(await verifyLog(person.auditLog, { publicKeys: [key] }));
  assert.equal(report.broken, undefined);
  const events = await person.events();
  const outcomes = events.flatMap((event) =>
    event.kind === "outcome" ? [event.decision_event_id] : []
  );
  const allowed = events.flatMap((event) =>
    event.kind === "decision" && event.decision === "ALLOW" ? [event.event_id] : []
  );
  assert.deepEqual(outcomes.toSorted(), allowed.toSorted());
}

Deno.test("one Sidecar serves any number of runs, and all of them are in one log", async () => {
  await using world = await makeWorld();
  const { person } = world;
  await using _daemon = await startDaemon(world);
  const call = `curl -sS ${ALLOWED} && read line`;
  const runs = [1, 2, 3].map(() => person.start(["run", "--", "sh", "-c", call]));
  for (const run of runs) await run.printed(/hello from/);
  const [row, ...more] = await status(person);
  assert.deepEqual(more, []);
  assert.equal(row!.state, "running");
  assert.equal(row!.sessions.length, 3);
  assert.deepEqual(await sidecarProcesses(person), [row!.pid]);

  // However a run dies, its session ends, and no other does.
  runs[0]!.kill("SIGKILL");
  await eventually(
    "one session to end",
    async () => (await status(person))[0]!.sessions.length === 2 || undefined,
  );
  for (const run of runs.slice(1)) {
    await run.write("\n");
    assert.equal((await run.finished()).code, 0);
  }
  assert.deepEqual((await status(person))[0]!.sessions, []);
  const stopped = await person.firma(["sidecar", "stop"]);
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.deepEqual(await status(person), []);
  const sessions = (await person.events()).filter(({ kind }) => kind === "session");
  assert.equal(new Set(sessions.map(({ session_id }) => session_id)).size, 3);
  assert.equal(sessions.length, 6);
  await checkLog(person);
});

Deno.test("an agent in a joined run finds no socket but that of the proxy, and no state", async () => {
  await using world = await makeWorld();
  const { person } = world;
  await using _daemon = await startDaemon(world);
  const [row] = await status(person);
  assert.equal(row!.sessions.length, 0);
  const connect = `python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])' ${person.stateDir}/daemon/control.sock`;
  const look = `ls -AR ${person.stateDir}; ${connect} && echo connected`;
  const run = await person.shell(`find /run /tmp /var -type s; ${look}`);
  assert.doesNotMatch(run.stdout, /sock|daemon|connected/);
  const control = person.startProgram("sh", ["-c", look]);
  assert.match((await control.finished()).stdout, /control\.sock[^]*connected/);
});

Deno.test("a call that is on its way ends with firma sidecar stop, in time or cut off", async () => {
  await using world = await makeWorld();
  const { person } = world;
  await using _daemon = await startDaemon(world);
  const endless = `curl -sS -N ${ALLOWED}/endless; read line`;
  await using run = person.start(["run", "--", "sh", "-c", endless]);
  await run.printed(/hello from/);
  const stopped = await person.firma(["sidecar", "stop", "--timeout", "100ms"]);
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.match(stopped.stderr, /ended/);
  // Its operator hears of it, and the agent has no way out any more.
  await run.printed(/Sidecar ended/);
  await run.write("\n");
  await run.finished();
  await checkLog(person);
});

Deno.test("a run says which Sidecar it wants, and fails where there is none", async () => {
  await using world = await makeWorld();
  const { person } = world;
  const none = await person.firma(["run", "--trust", "--no-autostart", "--", "true"]);
  assert.deepEqual([none.code, none.stdout], [1, ""]);
  assert.match(none.stderr, /Cannot join a Sidecar: none runs/);
  await using _daemon = await startDaemon(world);
  const second = await person.firma(["sidecar", "start", "--detach"]);
  assert.equal(second.code, 2);
  assert.match(
    second.stderr,
    new RegExp(`kept by process ${(await status(person))[0]!.supervisor_pid}`),
  );
  const joined = await person.firma(["run", "--no-autostart", "--", "true"]);
  assert.equal(joined.code, 0, joined.stderr);
});

Deno.test("firma sidecar serves in the foreground until it is asked to end", async () => {
  await using world = await makeWorld();
  const { person } = world;
  assert.equal((await person.firma(["trust"])).code, 0);
  await using sidecar = person.start(["sidecar"]);
  await sidecar.printed(/Sidecar ready/);
  const joined = await person.firma(["run", "--no-autostart", "--", "curl", "-sS", ALLOWED]);
  assert.match(joined.stdout, /hello from/);
  sidecar.kill("SIGTERM");
  const { code, stderr } = await sidecar.finished();
  assert.equal(code, 0, stderr);
  assert.deepEqual(await status(person), []);
});
