/** What checkpoints and cosignatures have in common: they are lines of C2SP signed notes. */
import { lineHash } from "./chain.ts";

/** The key ID by which a note names a key (https://c2sp.org/signed-note); `type` as published. */
export function noteKeyId(name: string, type: number, publicKey: Uint8Array): Uint8Array {
  const named = new TextEncoder().encode(`${name}\n`);
  return Uint8Array.fromHex(lineHash(new Uint8Array([...named, type, ...publicKey])).slice(0, 8));
}

/** The bytes of a text in base64; `undefined` for any but the one text that stands for them. */
export function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    return undefined;
  }
}
