/** What `Deno.Conn` and its like read from; no more of it than that. */
export interface ByteSource {
  read(into: Uint8Array): Promise<number | null>;
}

/** Read at a time, in bytes. */
const PIECE = 16 * 1024;

/**
 * The bytes of a connection, piece by piece, until it ends. Loads no streams, which a start would
 * wait for.
 *
 * @throws What `read` throws
 */
export async function* readPieces(source: ByteSource): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const buffer = new Uint8Array(PIECE);
  for (let count = await source.read(buffer); count !== null; count = await source.read(buffer)) {
    yield buffer.slice(0, count);
  }
}
