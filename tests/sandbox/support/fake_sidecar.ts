/** A Sidecar that decides nothing: it reads the PROXY header and answers what it was told. */

/** A connection as the Sidecar sees it. */
export interface SeenConnection {
  readonly via: string;
  readonly host: string;
  readonly pid: number;
  readonly executable: string;
  readonly destination: string;
  readonly port: number;
  readonly clientPort: number;
  /** What the program sent first. */
  readonly head: string;
}

/** Listens on a unix socket until it is disposed of. */
export class FakeSidecar implements Disposable {
  readonly seen: SeenConnection[] = [];
  readonly #listener: Deno.UnixListener;
  #open: Deno.Conn[] = [];

  constructor(readonly path: string) {
    this.#listener = Deno.listen({ transport: "unix", path });
    void this.#serve();
  }

  async #serve(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#open.push(connection);
      this.#answer(connection).catch(() => {});
    }
  }

  async #answer(connection: Deno.Conn): Promise<void> {
    const fixed = await readExactly(connection, 16);
    const view = new DataView(fixed.buffer);
    const body = await readExactly(connection, view.getUint16(14));
    const ipv6 = fixed[13] === 0x21;
    const addressLength = ipv6 ? 16 : 4;
    const destination = body.subarray(addressLength, 2 * addressLength);
    const ports = new DataView(body.buffer, 2 * addressLength, 4);
    const values = typeLengthValues(body.subarray(2 * addressLength + 4));
    const buffer = new Uint8Array(65536);
    const count = await connection.read(buffer) ?? 0;
    const head = new TextDecoder().decode(buffer.subarray(0, count));
    this.seen.push({
      via: values.get(0xe2) ?? "",
      host: values.get(0x02) ?? "",
      pid: Number(values.get(0xe0) ?? 0),
      executable: values.get(0xe1) ?? "",
      destination: ipv6 ? hex(destination) : [...destination].join("."),
      port: ports.getUint16(2),
      clientPort: ports.getUint16(0),
      head,
    });
    const text = "answer of the sidecar\n";
    await connection.write(new TextEncoder().encode(
      `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`,
    ));
    connection.close();
  }

  /** Ends as a killed process does: its socket is left with nobody behind it. */
  die(): void {
    const left = `${this.path}.dead`;
    Deno.linkSync(this.path, left); // close() removes the file of its own
    this[Symbol.dispose]();
    Deno.renameSync(left, this.path);
  }

  [Symbol.dispose](): void {
    try {
      this.#listener.close();
    } catch {
      // It died before.
    }
    for (const connection of this.#open) {
      try {
        connection.close();
      } catch {
        // Answered already.
      }
    }
    this.#open = [];
  }
}

function typeLengthValues(bytes: Uint8Array): Map<number, string> {
  const values = new Map<number, string>();
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at + 1]! << 8 | bytes[at + 2]!;
    values.set(bytes[at]!, new TextDecoder().decode(bytes.subarray(at + 3, at + 3 + length)));
    at += 3 + length;
  }
  return values;
}

async function readExactly(connection: Deno.Conn, count: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(count);
  for (let filled = 0; filled < count;) {
    const read = await connection.read(bytes.subarray(filled));
    if (read === null) throw new Error("Cannot read the header: connection ended");
    filled += read;
  }
  return bytes;
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
