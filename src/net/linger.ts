import type { SocketReader } from "./socket_reader.ts";
import type { Watchdog } from "./watchdog.ts";

const LINGER_MS = 2_000;

/**
 * Closes a connection, but reads for a while what the client still sends: closing with unread
 * bytes would reset it, and the client would lose the answer.
 */
export async function linger(reader: SocketReader, watchdog: Watchdog): Promise<void> {
  const { socket } = reader;
  if (socket.destroyed) return;
  const watch = watchdog.watch(LINGER_MS, () => socket.destroy());
  try {
    const written = new Promise<void>((resolve) => {
      socket.once("close", resolve);
      socket.end(resolve);
    });
    do reader.consume(reader.buffered.length); while (await reader.fill());
    await written;
  } finally {
    watch.clear();
    socket.destroy();
  }
}
