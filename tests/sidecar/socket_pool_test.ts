import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { LONGEST_SOCKET, SESSION_SLOTS, SocketPool } from "../../src/sidecar/socket_pool.ts";

async function withPool(test: (pool: SocketPool, directory: string) => Promise<void>) {
  const directory = await Deno.makeTempDir();
  try {
    await test(SocketPool.ofRun(directory), directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** A program whose working directory is `directory`; says what it sees there when asked. */
function holdDirectory(directory: string) {
  const child = new Deno.Command("sh", {
    args: ["-c", "read line; ls -a; cat proxy.sock 2>&1"],
    cwd: directory,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  return async () => {
    const input = child.stdin.getWriter();
    await input.write(new TextEncoder().encode("go\n"));
    await input.close();
    return new TextDecoder().decode((await child.output()).stdout);
  };
}

// A sandbox that outlives its session, because it is being killed say, must not get at the socket
// of whoever has the same slot next: its calls would count as theirs.
Deno.test("SocketPool shows no session to whoever holds the directory of the one before", () =>
  withPool(async (pool) => {
    const first = await pool.take();
    assert.ok(first !== undefined);
    const look = holdDirectory(dirname(first));
    const control = holdDirectory(dirname(first));
    await Deno.writeTextFile(first, "of the first");
    assert.match(await control(), /of the first/);
    pool.release(first);
    assert.equal(await pool.take(), first);
    await Deno.writeTextFile(first, "of the second");
    const seen = await look();
    assert.doesNotMatch(seen, /of the/);
    assert.doesNotMatch(seen, /proxy\.sock\n\.\.?/);
  }));

Deno.test("SocketPool gives each slot to one session at a time, and says when there is none", () =>
  withPool(async (pool, directory) => {
    const taken = new Set<string>();
    for (let n = 0; n < SESSION_SLOTS; n++) taken.add((await pool.take())!);
    assert.equal(taken.size, SESSION_SLOTS);
    assert.ok(taken.has(join(directory, LONGEST_SOCKET)));
    assert.equal(await pool.take(), undefined);
    const [some] = taken;
    pool.release(some!);
    assert.equal(await pool.take(), some);
  }));

Deno.test("SocketPool keeps a directory that was made before its session", () =>
  withPool(async (pool) => {
    const [first] = pool.paths;
    await Deno.mkdir(dirname(first!), { recursive: true });
    const { ino } = await Deno.stat(dirname(first!));
    assert.equal(await pool.take(), first);
    assert.equal((await Deno.stat(dirname(first!))).ino, ino);
  }));
