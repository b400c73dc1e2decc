import assert from "node:assert/strict";
import { join } from "node:path";
import type { Running } from "../fixtures/cli.ts";
import { eventually } from "../fixtures/deadline.ts";
import { ALLOWED, makeWorld, type World } from "../fixtures/world.ts";

/**
 * Calls the allowed address until killed, one call after the other, and names each in its query.
 * Prints a line for each: its number and status, `000` where there is no answer.
 */
const LOOP = `i=0; while :; do i=$((i + 1))
  curl -s -m 120 -o /dev/null -w "$i %{http_code}\\n" "${ALLOWED}?$i" || echo "$i 000"
done`;

interface Call {
  readonly number: number;
  readonly status: string;
}

/** The calls of the loop that have ended. */
function callsOf(loop: Running): Call[] {
  return loop.stdout.split("\n").slice(0, -1).map((line) => {
    const [number, status = ""] = line.split(" ");
    return { number: Number(number), status };
  });
}

/** The numbers of the calls that reached the server. */
function arrived({ server }: World): number[] {
  return server.requests.map(({ target }) => Number(target.split("?")[1]));
}

Deno.test("when the Sidecar is killed, every further call fails and none gets out", async () => {
  await using world = await makeWorld();
  const { person } = world;
  await using loop = person.start(["run", "--trust", "--yes", "--", "sh", "-c", LOOP]);
  await loop.printed(/ 200$/m);
  const sidecar = (await person.processes()).find(({ command }) => command.includes(" __sidecar "));
  assert.ok(sidecar, JSON.stringify(await person.processes()));
  Deno.kill(sidecar.pid, "SIGKILL");
  const [first] = await eventually("five failed calls", () => {
    const failed = callsOf(loop).filter(({ status }) => status === "000");
    return failed.length >= 5 ? failed : undefined;
  });
  // The first was on its way when the Sidecar ended, and may have arrived; the others may not.
  const later = callsOf(loop).filter(({ number }) => number > first!.number);
  assert.deepEqual(new Set(later.map(({ status }) => status)), new Set(["000"]));
  assert.deepEqual(arrived(world).filter((number) => number > first!.number), []);
  await loop.printed(/[Ss]idecar/);
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
  const { person } = world;
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
  await run.printed(/ 200$/m);
  await run.printed(/audit/i);
  // The next one may have been on its way by then, with its record in the queue.
  const decided = callsOf(run).length + 1;
  const later = await eventually("ten more calls", () => {
    const calls = callsOf(run).slice(decided);
    return calls.length >= 10 ? calls : undefined;
  });
  // Denied, or the program that would have called was: there is no record of either.
  assert.ok(later.every(({ status }) => status === "403" || status === "000"));
  assert.deepEqual(arrived(world).filter((number) => number >= later[0]!.number), []);
});
