import assert from "node:assert/strict";
import { join } from "node:path";
import { cursorPath, writeCursor } from "../../../src/audit/ship/cursor.ts";
import { auditLogCheck } from "../../../src/doctor/checks/audit_log.ts";
import { bubblewrapCheck } from "../../../src/doctor/checks/bubblewrap.ts";
import { clockCheck } from "../../../src/doctor/checks/clock.ts";
import { diskCheck } from "../../../src/doctor/checks/disk.ts";
import { apparmorCheck, namespacesCheck } from "../../../src/doctor/checks/namespaces.ts";
import { otherBackends } from "../../../src/doctor/checks/other_backends.ts";
import { programCheck } from "../../../src/doctor/checks/program.ts";
import { runtimesCheck } from "../../../src/doctor/checks/runtimes.ts";
import { sandboxCheck, seccompCheck } from "../../../src/doctor/checks/sandbox.ts";
import { seedCheck } from "../../../src/doctor/checks/seed.ts";
import type { World } from "../../../src/doctor/world.ts";
import { chainLines, numberedDecision, sampleKey, writeLog } from "../../audit/sample.ts";
import { found, Place, statuses } from "../support.ts";

/** Settings of a machine, by path. */
function settings(values: Readonly<Record<string, string>>): Partial<World> {
  return { setting: (path) => values[path] };
}

const CLONE = "/proc/sys/kernel/unprivileged_userns_clone";
const MAX = "/proc/sys/user/max_user_namespaces";
const APPARMOR = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";

Deno.test("programCheck() warns of a program that others can exchange", async () => {
  using place = new Place();
  const path = place.write("firma", "");
  Deno.chmodSync(path, 0o755);
  assert.deepEqual(await statuses(programCheck(path), place.world()), ["ok"]);
  assert.deepEqual(await statuses(programCheck(path), place.world({ uid: 4242 })), [
    Deno.uid() === 0 ? "ok" : "warn", // root may always
  ]);
  Deno.chmodSync(path, 0o757);
  const [finding] = await found(programCheck(path), place.world());
  assert.deepEqual([finding!.status, finding!.cure], ["fail", `chmod o-w ${path}`]);
});

Deno.test("bubblewrapCheck() names the command that installs what is missing", async () => {
  using place = new Place();
  const release = (text: string) => ({ ...settings({ "/etc/os-release": text }), uid: 1000 });
  const table: Record<string, string> = {
    "ID=debian\n": "sudo apt-get install -y bubblewrap",
    'ID="rocky"\nID_LIKE="rhel centos fedora"\n': "sudo dnf install -y bubblewrap",
    "ID=arch\n": "sudo pacman -S --noconfirm bubblewrap",
    "ID=constructor\n": "sudo apt-get install -y bubblewrap",
  };
  const missing = [place.path("bwrap")];
  for (const [text, cure] of Object.entries(table)) {
    const [finding] = await found(bubblewrapCheck(missing), place.world(release(text)));
    assert.deepEqual([finding!.status, finding!.cure], ["fail", cure], text);
  }
  // Neither is a file that nobody can run, as a mount of /dev/null makes one.
  place.write("bwrap", "");
  assert.deepEqual(await statuses(bubblewrapCheck(missing), place.world()), ["fail"]);
  Deno.writeTextFileSync(missing[0]!, "#!/bin/sh\necho bubblewrap 0.4.1\n", { mode: 0o755 });
  Deno.chmodSync(missing[0]!, 0o755);
  const [old] = await found(bubblewrapCheck(missing), place.world());
  assert.deepEqual([old!.status, /0\.4\.1/.test(old!.reason)], ["fail", true]);
  assert.deepEqual(await statuses(bubblewrapCheck(), place.world()), ["ok"]);
});

Deno.test("namespacesCheck() and apparmorCheck() name the setting that forbids namespaces", async () => {
  using place = new Place();
  const cure = async (values: Record<string, string>, uid = 1000) => {
    const world = place.world({ ...settings(values), uid });
    const findings = [...await found(namespacesCheck, world), ...await found(apparmorCheck, world)];
    return findings.map(({ cure }) => cure).filter((command) => command !== undefined);
  };
  assert.deepEqual(await cure({}), []);
  assert.deepEqual(await cure({ [CLONE]: "1\n", [MAX]: "1000\n", [APPARMOR]: "0\n" }), []);
  assert.deepEqual(await cure({ [CLONE]: "0\n" }), [
    "sudo sysctl -w kernel.unprivileged_userns_clone=1",
  ]);
  assert.deepEqual(await cure({ [MAX]: "0\n" }), ["sudo sysctl -w user.max_user_namespaces=15000"]);
  assert.deepEqual(await cure({ [APPARMOR]: "1\n" }), [
    "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
  ]);
  const profile = { "/etc/apparmor.d/bwrap-userns-restrict": "profile bwrap {}" };
  assert.deepEqual(await cure({ [APPARMOR]: "1\n", ...profile }), []);
  // Root is bound by one of them alone.
  assert.deepEqual(await cure({ [CLONE]: "0\n", [APPARMOR]: "1\n" }, 0), []);
  assert.deepEqual(await cure({ [MAX]: "0\n" }, 0), ["sysctl -w user.max_user_namespaces=15000"]);
});

const INSIDE = "Uid:\t0\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n";

Deno.test("sandboxCheck() and seccompCheck() go by what a program inside says of itself", async () => {
  using place = new Place();
  const both = async (status: string) => {
    const world = place.world({ preflight: () => Promise.resolve({ ok: true, status }) });
    return [...await statuses(sandboxCheck, world), ...await statuses(seccompCheck, world)];
  };
  assert.deepEqual(await both(INSIDE), ["ok", "ok"]);
  assert.deepEqual(await both(INSIDE.replace("0000\n", "0001\n")), ["fail", "ok"]);
  assert.deepEqual(await both(INSIDE.replace("Seccomp:\t2", "Seccomp:\t0")), ["ok", "fail"]);
  assert.deepEqual(await both(INSIDE.replace("NoNewPrivs:\t1", "NoNewPrivs:\t0")), ["ok", "fail"]);
  assert.deepEqual(await both(""), ["fail", "fail"]);
});

Deno.test("sandboxCheck() shows what bubblewrap said", async () => {
  using place = new Place();
  const world = place.world({
    preflight: () =>
      Promise.resolve({
        ok: false,
        error: { code: "SANDBOX_FAILED", message: "Cannot build the sandbox: x" },
        said: ["bwrap: No permissions to create new namespace"],
      }),
  });
  const [finding] = await found(sandboxCheck, world);
  assert.equal(finding!.reason, "Cannot build the sandbox: x");
  assert.equal(finding!.detail, "bwrap: No permissions to create new namespace");
  assert.deepEqual(await statuses(seccompCheck, world), ["fail"]);
});

/** Writes the audit log of the user, with `count` events of now, and its checkpoint for `vouched`. */
async function writeAudit(place: Place, count: number, vouched = count): Promise<string> {
  const key = await sampleKey(place.dataDir);
  const path = join(place.dataDir, "audit/audit.jsonl");
  await Deno.mkdir(join(path, ".."), { recursive: true, mode: 0o700 });
  const timestamp = new Date().toISOString();
  const events = Array.from({ length: Math.max(count, vouched) }, (_, number) => ({
    ...numberedDecision(number),
    timestamp,
  }));
  const { lines } = chainLines(events, key);
  const { head } = chainLines(events.slice(0, vouched), key);
  await writeLog(path, lines.slice(0, count), { head, key });
  return path;
}

Deno.test("auditLogCheck() holds the log against its checkpoint", async () => {
  using place = new Place();
  const world = place.world();
  assert.deepEqual(await statuses(auditLogCheck, world), ["ok"]); // there is none yet
  const path = await writeAudit(place, 3);
  assert.deepEqual(await statuses(auditLogCheck, world), ["ok"]);
  await writeAudit(place, 5, 3); // events since the checkpoint
  assert.deepEqual(await statuses(auditLogCheck, world), ["ok"]);

  // Attack: lines cut off at the end.
  await writeAudit(place, 2, 3);
  const [cut] = await found(auditLogCheck, world);
  assert.deepEqual([cut!.status, cut!.cure], ["fail", `firma audit verify ${path}`]);
  // Attack: another line in place of the last.
  await writeAudit(place, 3);
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace("aevt_w_2", "aevt_w_9"));
  assert.deepEqual(await statuses(auditLogCheck, world), ["fail"]);
  // Attack: a checkpoint that somebody else signed.
  await writeAudit(place, 3);
  const other = await sampleKey(place.base);
  const { lines, head } = chainLines([numberedDecision(0)], other);
  await writeLog(path, lines, { head, key: other });
  assert.deepEqual(await statuses(auditLogCheck, world), ["fail"]);
  // Attack: the log is gone, or its checkpoint.
  await Deno.remove(path);
  assert.deepEqual(await statuses(auditLogCheck, world), ["fail"]);
  await writeAudit(place, 3);
  await Deno.remove(`${path}.checkpoint`);
  assert.deepEqual(await statuses(auditLogCheck, world), ["warn"]);
});

Deno.test("auditLogCheck() counts the lines that wait for each sink", async () => {
  using place = new Place();
  place.configure({ more: '[sidecar.audit]\nsinks = ["file", "wal", "stdout"]\nmax_lag = 3' });
  await writeAudit(place, 3);
  assert.deepEqual(await statuses(auditLogCheck, place.world()), ["ok", "ok"]);
  const path = await writeAudit(place, 5);
  const [, behind] = await found(auditLogCheck, place.world());
  assert.deepEqual([behind!.status, behind!.reason], [
    "warn",
    'sink "grpc": 5 lines wait, and max_lag is 3',
  ]);
  writeCursor(cursorPath(path, "grpc"), { seq: 4, hash: "ab".repeat(32), offset: 7 });
  const [, fine] = await found(auditLogCheck, place.world());
  assert.equal(fine!.reason, 'sink "grpc": 1 line waits');
});

Deno.test("clockCheck() notices a clock that went back or moves by itself", async () => {
  using place = new Place();
  await writeAudit(place, 2);
  assert.deepEqual(await statuses(clockCheck, place.world()), ["ok"]);
  const past = Date.now() - 60_000;
  const began = performance.now();
  const back = place.world({ now: () => past + performance.now() - began });
  const [finding] = await found(clockCheck, back);
  assert.equal(finding!.status, "warn");
  assert.match(finding!.reason, /behind the last event/);
  let readings = 0;
  const jumping = place.world({ now: () => Date.now() + 3_600_000 * readings++ });
  assert.deepEqual(await statuses(clockCheck, jumping), ["warn"]);
  const kept = place.world(settings({ "/run/systemd/timesync/synchronized": "" }));
  assert.match((await found(clockCheck, kept))[0]!.reason, /systemd-timesyncd/);
});

Deno.test("diskCheck() warns before the log can grow no more", async () => {
  using place = new Place();
  const room = async (mebibytes: number) => {
    const freeBytes = () => Promise.resolve(mebibytes * 1024 * 1024);
    return new Set(await statuses(diskCheck, place.world({ freeBytes })));
  };
  assert.deepEqual(await room(1_000), new Set(["ok"]));
  assert.deepEqual(await room(100), new Set(["warn"]));
  assert.deepEqual(await room(1), new Set(["fail"]));
});

Deno.test("checks of what a machine merely has never complain", async () => {
  using place = new Place();
  const world = place.world({ findProgram: (name) => `/usr/bin/${name}` });
  for (const check of [runtimesCheck, seedCheck, ...otherBackends]) {
    assert.deepEqual(await statuses(check, world), ["ok"], check.category);
  }
  assert.match((await found(runtimesCheck, world))[0]!.detail!, /^node: NODE_EXTRA_CA_CERTS$/m);
});
