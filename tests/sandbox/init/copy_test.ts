import assert from "node:assert/strict";
import { join as joinPath } from "node:path";
import { join } from "../../../src/sandbox/init/copy.ts";

/** Two ends of a unix socket. */
async function pair(directory: string, name: string): Promise<[Deno.Conn, Deno.Conn]> {
  const path = joinPath(directory, name);
  using listener = Deno.listen({ transport: "unix", path });
  const [near, far] = await Promise.all([
    Deno.connect({ transport: "unix", path }),
    listener.accept(),
  ]);
  return [near, far];
}

async function readAll(connection: Deno.Conn): Promise<number> {
  const buffer = new Uint8Array(1 << 16);
  let total = 0;
  for (let count = await connection.read(buffer); count !== null;) {
    total += count;
    count = await connection.read(buffer);
  }
  return total;
}

async function withBridge(
  use: (client: Deno.Conn, server: Deno.Conn, done: Promise<void>) => Promise<void>,
): Promise<void> {
  const directory = Deno.makeTempDirSync();
  const [client, left] = await pair(directory, "client");
  const [right, server] = await pair(directory, "server");
  try {
    await use(client, server, join(left, right));
  } finally {
    for (const end of [client, server]) {
      try {
        end.close();
      } catch {
        // The test closed it.
      }
    }
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("join() carries bytes both ways after one side has ended", async () => {
  await withBridge(async (client, server, done) => {
    await client.write(new Uint8Array(10));
    await client.closeWrite();
    assert.equal(await readAll(server), 10);
    await server.write(new Uint8Array(20)); // an answer to a request that has ended
    await server.closeWrite();
    assert.equal(await readAll(client), 20);
    await done;
  });
});

Deno.test("join() carries more than fits into its buffers", async () => {
  await withBridge(async (client, server, done) => {
    const size = 5_000_000;
    const writing = (async () => {
      const bytes = new Uint8Array(size);
      for (let sent = 0; sent < size;) sent += await client.write(bytes.subarray(sent));
      await client.closeWrite();
    })();
    await server.closeWrite();
    assert.equal(await readAll(server), size);
    await Promise.all([writing, done]);
  });
});

Deno.test("join() ends both sides when one is gone", async () => {
  await withBridge(async (client, server, done) => {
    server.close();
    await client.write(new Uint8Array(10));
    await client.write(new Uint8Array(10)).catch(() => {});
    await readAll(client).catch(() => {});
    await done;
  });
});
