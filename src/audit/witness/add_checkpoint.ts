import { err, ok, type Result } from "../../core/result.ts";
import { type Hash, HASH_BYTES } from "../merkle/hash.ts";

/** What a witness is asked: the body of `add-checkpoint` (https://c2sp.org/tlog-witness). */
export interface AddCheckpoint {
  /** The size of the last checkpoint that the witness cosigned; 0 for none. */
  readonly oldSize: number;
  /** Proves that the tree of the checkpoint begins with that one (RFC 6962, 2.1.2). */
  readonly proof: readonly Hash[];
  /** The signed note. */
  readonly checkpoint: string;
}

/** More than any tree needs. */
const LONGEST_PROOF = 63;

/** Writes the body. */
export function formatAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  return `old ${oldSize}\n${proof.map((hash) => `${hash.toBase64()}\n`).join("")}\n${checkpoint}`;
}

/** Reads the body. */
export function parseAddCheckpoint(body: string): Result<AddCheckpoint, string> {
  const end = body.indexOf("\n\n");
  if (end < 0) return err("there is no empty line before the checkpoint");
  const [first, ...hashes] = body.slice(0, end).split("\n");
  const oldSize = /^old (0|[1-9][0-9]{0,15})$/.exec(first!)?.[1];
  if (oldSize === undefined) return err("it does not begin with the old size");
  if (hashes.length > LONGEST_PROOF) return err("its proof is too long");
  const proof: Hash[] = [];
  for (const text of hashes) {
    const hash = decodeHash(text);
    if (hash === undefined) return err("a hash of its proof is not 32 bytes in base64");
    proof.push(hash);
  }
  return ok({ oldSize: Number(oldSize), proof, checkpoint: body.slice(end + 2) });
}

function decodeHash(text: string): Hash | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
    return bytes.length === HASH_BYTES ? bytes : undefined;
  } catch {
    return undefined;
  }
}
