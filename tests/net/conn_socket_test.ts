import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { ConnSocket } from "../../src/net/conn_socket.ts";
import { eventually } from "../fixtures/deadline.ts";

/** More bytes than a connection and its kernel may hold. */
const MUCH = 32_000_000;

/** A connection: one end as a stream, the other as Deno has it. */
async function withPair(
  test: (socket: ConnSocket, peer: Deno.UnixConn) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/sock`;
  using listener = Deno.listen({ transport: "unix", path });
  const [peer, conn] = await Promise.all([
    Deno.connect({ transport: "unix", path }),
    listener.accept(),
  ]);
  const socket = new ConnSocket(conn);
  socket.on("error", () => {});
  try {
    await test(socket, peer);
  } finally {
    socket.destroy();
    try {
      peer.close();
    } catch { /* the test did */ }
    await Deno.remove(dir, { recursive: true });
  }
}

async function readAll(conn: Deno.Conn): Promise<Buffer> {
  return Buffer.from(await new Response(conn.readable).arrayBuffer());
}

Deno.test("ConnSocket carries bytes both ways, and the end of each side alone", () =>
  withPair(async (socket, peer) => {
    await peer.write(new TextEncoder().encode("to the stream"));
    assert.equal(String((await once(socket, "data"))[0]), "to the stream");
    const ended = once(socket, "end");
    await peer.closeWrite();
    await ended;
    socket.write("and ");
    socket.end("back");
    assert.equal(String(await readAll(peer)), "and back");
  }));

Deno.test("ConnSocket writes what it took in order, whatever the sizes", () =>
  withPair(async (socket, peer) => {
    const sizes = [1, 65_536, 65_537, 3, 1_500_000, 7, 300_000];
    const pieces = sizes.map((size, i) => Buffer.alloc(size, `${i}`));
    const received = readAll(peer);
    for (const piece of pieces) socket.write(piece);
    socket.end();
    assert.ok((await received).equals(Buffer.concat(pieces)));
  }));

Deno.test("ConnSocket lets go of bytes that are lent before they are used again", () =>
  withPair(async (socket, peer) => {
    const received = readAll(peer);
    for (const size of [100, 200_000]) {
      const lent = Buffer.alloc(size, "a");
      await new Promise<void>((resolve) => socket.write(lent, () => resolve()));
      lent.fill("b");
    }
    socket.end();
    assert.equal((await received).indexOf("b"), -1);
  }));

/** Waits until a sender sends no more; fails when it sent more than anything here may hold. */
async function heldUp(sent: () => number): Promise<void> {
  let before = -1;
  await eventually("the sender to be held up", async () => {
    if (sent() === before) return true;
    before = sent();
    await new Promise((resolve) => setTimeout(resolve, 100));
  });
  assert.ok(sent() < MUCH);
}

Deno.test("ConnSocket takes no more than it may hold for a peer that does not read", () =>
  withPair(async (socket, peer) => {
    let sent = 0;
    void (async () => {
      while (sent < MUCH) {
        sent += 65_536;
        if (!socket.write(Buffer.alloc(65_536))) {
          await new Promise((resolve) => socket.once("drain", resolve));
        }
      }
    })();
    await heldUp(() => sent);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.destroy();
    peer.close();
    await closed;
  }));

Deno.test("ConnSocket reads no more than it may hold while nobody takes it", () =>
  withPair(async (socket, peer) => {
    socket.pause();
    let sent = 0;
    const sending = (async () => {
      while (sent < MUCH) sent += await peer.write(new Uint8Array(65_536));
    })().catch(() => {});
    await heldUp(() => sent);
    socket.destroy();
    await sending;
  }));

Deno.test("ConnSocket ends with an error when the peer is gone", () =>
  withPair(async (socket, peer) => {
    peer.close();
    const closed = new Promise((resolve) => socket.once("close", resolve));
    for (let i = 0; i < 4; i++) socket.write(Buffer.alloc(65_536));
    socket.resume();
    await closed;
    assert.ok(socket.destroyed);
  }));

Deno.test("ConnSocket closes its connection when it is destroyed, with a read under way", () =>
  withPair(async (socket, peer) => {
    socket.resume();
    socket.destroy();
    assert.equal((await readAll(peer)).length, 0);
  }));

// Below a unix socket those of Deno 2.9.4 close their descriptor twice; see ConnSocket.
Deno.test("the data plane uses no sockets of node:net, and nothing that does", async () => {
  const root = fileURLToPath(new URL("../../src/sidecar", import.meta.url));
  const forbidden = /^import (?!type ).*"node:(net|http2|https|child_process)";$/m;
  const found: string[] = [];
  const walk = async (directory: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(directory)) {
      const path = `${directory}/${name}`;
      if (isDirectory) await walk(path);
      else if (forbidden.test(await Deno.readTextFile(path))) found.push(path);
    }
  };
  await walk(root);
  assert.deepEqual(found, []);
});
