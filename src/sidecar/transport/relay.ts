import type { Duplex } from "node:stream";
import { writeAll } from "../../net/write_all.ts";
import type { SocketReader } from "../../net/socket_reader.ts";
import { SocketWriter } from "../../net/socket_writer.ts";
import type { UpgradedConnection } from "./upstream.ts";

/** The two ends of a relay. */
export interface RelayEnds {
  readonly agent: SocketReader;
  readonly upstream: UpgradedConnection;
}

/** Who hears how many bytes went which way. */
export interface RelayObserver {
  toUpstream(bytes: number): void;
  toAgent(bytes: number): void;
}

/**
 * Copies bytes both ways until both sides have ended, passing on the end of one side to the
 * other (half close). Closes both ends. Rejects when either side broke.
 */
export async function relay(ends: RelayEnds, observer: RelayObserver): Promise<void> {
  const { socket } = ends.agent;
  const close = () => {
    socket.destroy();
    try {
      ends.upstream.conn.close();
    } catch { /* it broke before */ }
  };
  socket.once("close", close);
  try {
    const directions = [copyToUpstream(ends, observer), copyToAgent(ends, socket, observer)];
    // One side that breaks takes the other one with it.
    for (const direction of directions) direction.catch(close);
    await Promise.all(directions);
    if (socket.writableLength > 0 && !socket.destroyed) await lastWritten(socket);
  } finally {
    close();
  }
}

/** Resolves when everything is written, or never will be. */
function lastWritten(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    socket.once("finish", resolve);
    socket.once("close", resolve);
  });
}

async function copyToUpstream(ends: RelayEnds, observer: RelayObserver): Promise<void> {
  const { agent, upstream } = ends;
  for (;;) {
    const bytes = agent.buffered;
    if (bytes.length > 0) {
      observer.toUpstream(bytes.length);
      const { toUpstream } = upstream;
      const sent = toUpstream === undefined ? bytes : toUpstream.push(bytes);
      if (sent.length > 0) await writeAll(upstream.conn, sent);
      agent.consume(bytes.length);
    } else if (!(await agent.fill())) {
      return await upstream.conn.closeWrite();
    }
  }
}

async function copyToAgent(
  ends: RelayEnds,
  socket: Duplex,
  observer: RelayObserver,
): Promise<void> {
  const { reader, toAgent } = ends.upstream;
  const writer = new SocketWriter(socket);
  for (;;) {
    const bytes = reader.buffered;
    if (bytes.length > 0) {
      observer.toAgent(bytes.length);
      await writer.writeBorrowed(toAgent === undefined ? bytes : toAgent.push(bytes));
      reader.consume(bytes.length);
    } else if (!(await reader.fill())) {
      socket.end();
      return;
    }
  }
}
