import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../fixtures/deadline.ts";
import { ALLOWED, makeWorld } from "../fixtures/world.ts";

/** Calls the allowed address until killed; a line for each call, `000` where there is no answer. */
const LOOP = `while :; do curl -s -m 5 -o /dev/null -w '%{http_code}\\n' ${ALLOWED} || :; done`;

Deno.test("when the Sidecar is killed, every further call fails and none gets out", async () => {
  await using world = await makeWorld();
  const { person, server } = world;
  await using loop = person.start(["run", "--trust", "--yes", "--", "sh", "-c", LOOP]);
  await loop.printed(/^200$/m);
  const sidecar = (await person.processes()).find(({ command }) => command.includes(" __sidecar "));
  assert.ok(sidecar, JSON.stringify(await person.processes()));
  Deno.kill(sidecar.pid, "SIGKILL");
  await eventually("the Sidecar to be gone", async () => {
    const processes = await person.processes();
    return processes.some(({ pid }) => pid === sidecar.pid) ? undefined : true;
  });
  const reached = server.requests.length;
  const from = loop.stdout.length;
  // Either the command is ended, or its calls fail; it is for firma to choose.
  await Promise.race([
    loop.finished(),
    eventually(
      "five failed calls",
      () => loop.stdout.slice(from).split("\n").length > 5 ? true : undefined,
      20_000,
    ),
  ]);
  assert.doesNotMatch(loop.stdout.slice(from + 4), /^[2-5]\d\d$/m);
  assert.equal(server.requests.length, reached);
  assert.match(loop.stderr, /[Ss]idecar/);
});

Deno.test("when the audit log cannot be written, calls are denied and the operator is told", async () => {
  await using world = await makeWorld(`[sidecar.audit]\nfile_path = "/dev/full"\n`);
  const { person, server } = world;
  const run = await person.shell(`curl -sS ${ALLOWED}`);
  assert.doesNotMatch(run.stdout, /hello from/);
  assert.match(run.stderr, /audit/i);
  assert.deepEqual(server.requests, []);
});

Deno.test("when the disk fills up, no call leaves unrecorded", async () => {
  await using world = await makeWorld();
  const { person, server } = world;
  const audit = join(person.dataDir, "audit");
  await Deno.mkdir(audit, { recursive: true, mode: 0o700 });
  await using run = person.startUnder(
    [
      "bwrap",
      "--dev-bind",
      "/",
      "/",
      "--die-with-parent",
      "--size",
      String(64 * 1024),
      "--tmpfs",
      audit,
      "--",
    ],
    ["run", "--trust", "--yes", "--", "sh", "-c", LOOP],
  );
  await run.printed(/^200$/m);
  await run.printed(/^403$/m, 40_000);
  await run.printed(/audit/i);
  const reached = server.requests.length;
  const from = run.stdout.length;
  await eventually("more calls", () => run.stdout.length > from + 40 ? true : undefined, 20_000);
  assert.doesNotMatch(run.stdout.slice(from), /^200$/m);
  assert.equal(server.requests.length, reached);
});
