/** A machine whose kernel does not ask before programs are executed, as containers can make one. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { ExecEvent, SandboxEvent } from "../../src/core/event.ts";
import { Person } from "../fixtures/cli.ts";
import { REFUSALS, withoutNotification } from "../fixtures/no_notification.ts";

const LINE = /^firma: execution gate: shims \(seccomp user notification is refused: .*\): only /m;

/** Four ways to start it, each held back; then what is permitted, and then an approval is awaited. */
const AGENT = `
mkdir many; i=0; while [ $i -lt 25 ]; do : >many/$i; i=$((i+1)); done
rm -rf many; /bin/rm -rf many; sh -c "rm -rf many"
/usr/bin/python3 -c 'import subprocess; subprocess.run(["rm", "-rf", "many"])'
echo "left $(ls many | wc -l)."; git --version; rm many/0; echo "then $(ls many | wc -l)."
read -r _; rm -rf many; echo "approved $?."; rm -rf many; echo "again $?."
mkdir many; i=0; while [ $i -lt 25 ]; do : >many/$i; i=$((i+1)); done; rm -rf many; exit 3
`;

Deno.test("firma run has shims ask where the kernel does not, and says so", async () => {
  await using person = await Person.create();
  const filter = join(person.home, "filter");
  const run = person.startUnder(
    withoutNotification(filter, REFUSALS.EPERM),
    ["run", "--yes", "--", "sh", "-c", AGENT],
  );
  await run.printed(/^left 25\.$/m);
  await run.printed(/^git version /m);
  await run.printed(/^then 24\.$/m);
  const [, approval] = await run.printed(/firma token approve (apr_\w+)/);
  assert.match(run.stderr, LINE);
  assert.equal((await person.firma(["token", "approve", approval!])).code, 0);
  await run.write("\n");
  const ended = await run.finished();
  assert.equal(ended.code, 3);
  assert.match(
    ended.stderr,
    /^firma: rm: Operation not permitted: a policy decision, not a fault$/m,
  );

  const events = await person.events();
  const executions = events.filter(({ kind }) => kind === "exec") as unknown as ExecEvent[];
  const held = executions.filter(({ decision }) => decision === "STEP_UP");
  assert.ok(held.length >= 4, `${held.length}`);
  for (const { execution, action_class } of held) {
    assert.equal(execution.gate, "shims");
    assert.equal(action_class, "filesystem.delete");
    assert.match(execution.sha256!, /^[0-9a-f]{64}$/);
  }
  const told = events.filter(({ kind }) => kind === "sandbox") as unknown as SandboxEvent[];
  assert.deepEqual(told.map(({ finding }) => finding), ["gate"]);
});

Deno.test("firma run starts no agent with shims where that would hold too little", async () => {
  await using person = await Person.create();
  const filter = join(person.home, "filter");
  const refuses = async (more: string, error: number) => {
    await person.configure({ more });
    const under = withoutNotification(filter, error);
    const { code, stderr, stdout } = await person.startUnder(under, [
      "run",
      "--trust",
      "--",
      "sh",
      "-c",
      "echo ran",
    ])
      .finished();
    assert.equal(code, 1, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, new RegExp(`Cannot hold programs .*: error number ${error}$`, "m"));
    assert.match(stderr, /cure: .*gate = "auto"/);
  };
  await refuses('[run.sidecar_local_exec]\ngate = "required"\n', REFUSALS.EINVAL);
  await refuses('[sidecar.local_exec]\ndefault_action = "deny"\n', REFUSALS.ENOSYS);
  const doctor = await person.startUnder(
    withoutNotification(filter, REFUSALS.ENOSYS),
    ["doctor", "--json"],
    { cwd: person.home },
  ).finished();
  assert.equal(doctor.code, 1, doctor.stdout);
  const { checks } = JSON.parse(doctor.stdout) as {
    checks: { category: string; status: string; reason: string }[];
  };
  const found = checks.find(({ category }) => category === "execution gate");
  assert.equal(found?.status, "warn");
  assert.match(found.reason, /^shims: .*error number 38$/);
});
