import { Buffer } from "node:buffer";
import type { SocketReader } from "../../net/socket_reader.ts";
import { BLOCK_HEAD, BLOCK_SIZE } from "../../sandbox/stores/protocol.ts";

/** What a stub was started with. */
export interface StubRequest {
  readonly cwd: string;
  /** With the program's own name in front. */
  readonly argv: readonly string[];
}

/** Directory and arguments; a hundred times what any store's command needs. */
const MOST_BYTES = 128 * 1024;

/** What a stub says; the error is why that cannot be used. */
export async function readStubRequest(reader: SocketReader): Promise<StubRequest | undefined> {
  while (await reader.fill()) if (reader.buffered.length > MOST_BYTES) return undefined;
  const bytes = reader.buffered;
  try {
    const words = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
      .split("\0");
    // Each has a zero behind it, so that nothing is behind the last one.
    if (words.length < 3 || words.pop() !== "") return undefined;
    const [cwd = "", ...argv] = words;
    return { cwd, argv };
  } catch {
    return undefined; // no UTF-8
  }
}

/** What a stub is to show, and to end with. */
export interface StubAnswer {
  readonly stdout: string;
  readonly stderr: string;
  /** From 0 to 255. */
  readonly status: number;
}

/** An answer as a stub reads it. */
export function stubBlocks({ stdout, stderr, status }: StubAnswer): Buffer {
  const blocks: Buffer[] = [];
  for (const [descriptor, text] of [[1, stdout], [2, stderr]] as const) {
    const bytes = Buffer.from(text);
    const size = BLOCK_SIZE - BLOCK_HEAD;
    for (let at = 0; at < bytes.length; at += size) {
      blocks.push(block(descriptor, 0, bytes.subarray(at, at + size)));
    }
  }
  return Buffer.concat([...blocks, block(0, status, Buffer.alloc(0))]);
}

function block(descriptor: number, status: number, content: Buffer): Buffer {
  const bytes = Buffer.alloc(BLOCK_SIZE);
  bytes.writeUInt32LE(descriptor, 0);
  bytes.writeUInt32LE(content.length, 4);
  bytes.writeUInt32LE(status, 8);
  content.copy(bytes, BLOCK_HEAD);
  return bytes;
}
