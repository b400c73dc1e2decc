import assert from "node:assert/strict";
import { join } from "node:path";
import { machine } from "../../src/doctor/machine.ts";
import { Place } from "./support.ts";

async function onMachine(
  test: (world: ReturnType<typeof machine>, place: Place) => Promise<void>,
  timeoutMs = 30_000,
): Promise<void> {
  using place = new Place();
  const stop = new AbortController();
  const { env, directory: cwd } = place;
  try {
    const signal = stop.signal;
    await test(machine({ env, cwd, configFlag: undefined, timeoutMs, signal }), place);
  } finally {
    stop.abort();
  }
}

Deno.test("machine() tells who listens from who does not, and from who only is silent", () =>
  onMachine(async (world, place) => {
    const unix = (name: string) => ({ transport: "unix", path: join(place.base, name) }) as const;
    using listener = Deno.listen(unix("live.sock"));
    const bind = "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])";
    await new Deno.Command("/usr/bin/python3", { args: ["-c", bind, unix("dead.sock").path] })
      .output();
    assert.equal(await world.knock(unix("live.sock")), "accepted");
    assert.equal(await world.knock(unix("dead.sock")), "refused");
    assert.equal(await world.knock(unix("none.sock")), "refused");
    (await listener.accept()).close();

    const server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = server.addr;
    const tcp = { transport: "tcp", hostname: "127.0.0.1", port } as const;
    assert.equal(await world.knock(tcp), "accepted");
    (await server.accept()).close();
    server.close();
    assert.equal(await world.knock(tcp), "refused");
  }));

/** Listens, and lets whoever comes wait for ever. */
const DEAF = `
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(0)
print("ready", flush=True)
sys.stdin.read()
`;

// Attack on --fix: the socket of a process that is only busy would be removed.
Deno.test("machine() does not take for gone who is only busy", () =>
  onMachine(async (world, place) => {
    const path = join(place.base, "deaf.sock");
    const child = new Deno.Command("/usr/bin/python3", {
      args: ["-c", DEAF, path],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const output = child.stdout.getReader();
    assert.match(new TextDecoder().decode((await output.read()).value), /ready/);
    const answers: string[] = [];
    // The kernel lets a few wait in line.
    for (let visit = 0; visit < 8; visit++) {
      answers.push(await world.knock({ transport: "unix", path }));
    }
    assert.ok(answers.includes("silent"), answers.join());
    assert.ok(!answers.includes("refused"), answers.join());
    await child.stdin.close();
    await child.status;
    await output.cancel();
  }, 50));

// Policies that were compiled meanwhile made a Sidecar that runs look as if it hung.
Deno.test("machine() does not take its own work for the silence of others", () =>
  onMachine(async (world, place) => {
    const path = join(place.base, "live.sock");
    using _listener = Deno.listen({ transport: "unix", path });
    const answer = world.knock({ transport: "unix", path });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
    assert.equal(await answer, "accepted");
  }, 300));

Deno.test("machine() rejects the name of no host", () =>
  onMachine(async (world) => {
    await assert.rejects(world.lookup("no-such-host.invalid"));
  }, 50));

Deno.test("machine() finds programs and settings, and never throws for those that are not there", () =>
  onMachine(async (world, place) => {
    assert.equal(world.findProgram("sh") !== undefined, true);
    assert.equal(world.findProgram("no-such-program"), undefined);
    assert.match(world.setting("/proc/sys/kernel/ostype")!, /^Linux/);
    assert.equal(world.setting(place.path("none")), undefined);
    assert.equal((await world.execute("/bin/sh", ["--version"]))?.stdout !== undefined, true);
    assert.equal(await world.execute(place.path("none"), []), undefined);
    assert.ok(await world.freeBytes(place.base) > 0);
    assert.equal(world.project().kind, "none");
  }));
