/** A connection that can be read, written and half closed. */
export type Duplex = Pick<Deno.Conn, "read" | "write" | "closeWrite" | "close">;

const BUFFER_SIZE = 64 * 1024;

/**
 * Carries bytes both ways until both sides have ended or either fails; closes both. Bytes wait
 * in one buffer for each way, so a slow reader slows the writer.
 */
export async function join(left: Duplex, right: Duplex): Promise<void> {
  try {
    await Promise.all([copy(left, right), copy(right, left)]);
  } catch {
    // A reset of one side is the end of both; who caused it sees it on their own socket.
  } finally {
    close(left);
    close(right);
  }
}

async function copy(from: Duplex, to: Duplex): Promise<void> {
  const buffer = new Uint8Array(BUFFER_SIZE);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) break;
    for (let sent = 0; sent < count;) sent += await to.write(buffer.subarray(sent, count));
  }
  await to.closeWrite();
}

/** Closes a connection that may be closed already. */
export function close(connection: Pick<Deno.Conn, "close">): void {
  try {
    connection.close();
  } catch {
    // It was.
  }
}
