import { answerQuery } from "./dns_message.ts";
import { close } from "./copy.ts";

/** How long a TCP client may stay silent, in milliseconds. */
const IDLE_MS = 10_000;
const LARGEST = 4096;

/**
 * Answers DNS over UDP and TCP at port 53 of every address, so that programs which ask a server
 * of their own choice are served too. Nothing is ever asked of anybody else.
 */
export function serveDns(hostname: string, addressOf: (name: string) => string): void {
  const datagrams = Deno.listenDatagram({ hostname, port: 53, transport: "udp" });
  void serveDatagrams(datagrams, addressOf);
  void serveStreams(Deno.listen({ hostname, port: 53 }), addressOf);
}

async function serveDatagrams(
  socket: Deno.DatagramConn,
  addressOf: (name: string) => string,
): Promise<void> {
  const buffer = new Uint8Array(LARGEST);
  for (;;) {
    try {
      const [query, from] = await socket.receive(buffer);
      const answer = answerQuery(query, addressOf);
      if (answer) await socket.send(answer, from);
    } catch {
      // The sender is gone, which says nothing about the next one.
    }
  }
}

async function serveStreams(
  listener: Deno.TcpListener,
  addressOf: (name: string) => string,
): Promise<void> {
  for (;;) {
    try {
      void serveStream(await listener.accept(), addressOf);
    } catch {
      // As above; also when too many files are open for the moment.
      await new Promise((done) => setTimeout(done, 10));
    }
  }
}

/** RFC 1035, 4.2.2: each message after two bytes of length. */
async function serveStream(
  connection: Deno.TcpConn,
  addressOf: (name: string) => string,
): Promise<void> {
  const buffer = new Uint8Array(2 + LARGEST);
  let filled = 0;
  const idle = setTimeout(() => close(connection), IDLE_MS);
  try {
    for (;;) {
      const count = await connection.read(buffer.subarray(filled));
      if (count === null) return;
      filled += count;
      for (;;) {
        const length = buffer[0]! << 8 | buffer[1]!;
        if (length > LARGEST) return;
        if (filled < 2 + length || filled < 2) break;
        const answer = answerQuery(buffer.subarray(2, 2 + length), addressOf);
        if (!answer) return;
        const framed = new Uint8Array(2 + answer.length);
        framed.set([answer.length >> 8, answer.length & 0xff]);
        framed.set(answer, 2);
        for (let sent = 0; sent < framed.length;) {
          sent += await connection.write(framed.subarray(sent));
        }
        buffer.copyWithin(0, 2 + length, filled);
        filled -= 2 + length;
      }
    }
  } catch {
    // Gone.
  } finally {
    clearTimeout(idle);
    close(connection);
  }
}
