import { err, ok, type Result } from "../core/result.ts";
import { type Hash, HASH_BYTES } from "./merkle/hash.ts";

/** A proof that an entry is in a log, in C2SP form (https://c2sp.org/tlog-proof). */
export interface TlogProof {
  /** Where the entry is in the log, from 0. */
  readonly index: number;
  /** From the leaf to the root. */
  readonly path: readonly Hash[];
  /** The checkpoint whose tree the entry is in, as it was signed. */
  readonly checkpoint: string;
  /** Whatever else; nothing of it is proved by being here. */
  readonly extra?: Uint8Array;
}

const HEADER = "c2sp.org/tlog-proof@v1";
/** No tree that JavaScript can count has a longer path. */
const LONGEST_PATH = 53;

/** Writes a proof. */
export function formatTlogProof({ index, path, checkpoint, extra }: TlogProof): string {
  return [
    HEADER,
    ...(extra === undefined ? [] : [`extra ${extra.toBase64()}`]),
    `index ${index}`,
    ...path.map((hash) => hash.toBase64()),
    "",
    checkpoint,
  ].join("\n");
}

/** Reads a proof. What it says is not checked. */
export function parseTlogProof(text: string): Result<TlogProof> {
  const refuse = (state: string) =>
    err({ code: "PROOF_INVALID", message: `Cannot read the proof: ${state}` });
  const end = text.indexOf("\n\n");
  if (end < 0) return refuse("it has no blank line before its checkpoint");
  const [header, ...lines] = text.slice(0, end).split("\n");
  if (header !== HEADER) return refuse(`it does not begin with "${HEADER}"`);
  const extra = lines[0]?.startsWith("extra ") ? lines.shift()!.slice("extra ".length) : undefined;
  const index = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? "")?.[1];
  if (index === undefined || !Number.isSafeInteger(Number(index))) return refuse("it has no index");
  if (lines.length > LONGEST_PATH) return refuse("its path is too long");
  const decoded = [extra ?? "", ...lines].map(fromBase64);
  if (decoded.some((bytes) => bytes === undefined)) return refuse("a line of it is not base64");
  const [extraBytes, ...path] = decoded as Uint8Array[];
  if (path.some(({ length }) => length !== HASH_BYTES)) return refuse("a hash is not 32 bytes");
  return ok({
    index: Number(index),
    path,
    checkpoint: text.slice(end + 2),
    ...(extra === undefined ? {} : { extra: extraBytes! }),
  });
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    return undefined;
  }
}
