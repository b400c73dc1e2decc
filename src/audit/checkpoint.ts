import type { KeyObject } from "node:crypto";
import { nodeModule } from "../core/node_module.ts";
import { err, ok, type Result } from "../core/result.ts";
import { type SigningKey, signWith } from "../pki/signing_key.ts";
import { lineHash } from "./chain.ts";
import type { Hash } from "./merkle/hash.ts";
import { decodeBase64, noteKeyId } from "./signed_note.ts";
import { verifyOneSignature, verifySignature } from "./verify_signature.ts";

/** A log as a whole: how many lines it has, and the root of the Merkle tree over them. */
export interface TreeHead {
  readonly size: number;
  readonly root: Hash;
}

/**
 * A signed statement of what is in a log, in C2SP signed-note form
 * (https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint): origin,
 * size, root, blank line, signature. The leaves of the tree (RFC 6962) are the
 * lines without their newlines. Whoever cuts lines off the end of the log
 * cannot make a checkpoint that fits.
 */
export interface Checkpoint extends TreeHead {
  readonly origin: string;
}

const SIZE = /^(0|[1-9][0-9]{0,15})$/;
/** Signature type 0x01 of the signed-note specification. */
const ED25519_TYPE = 1;

/** Where the checkpoint of a log lies. */
export function checkpointPath(logPath: string): string {
  return `${logPath}.checkpoint`;
}

/** The name under which a key vouches for logs. */
export function checkpointOrigin(publicKey: Uint8Array): string {
  return `firma/audit/${lineHash(publicKey).slice(0, 16)}`;
}

/** Writes and signs the note. */
export function formatCheckpoint(
  head: TreeHead,
  key: { readonly privateKey: KeyObject; readonly publicKey: Uint8Array },
): string {
  const text = noteText(head, key.publicKey);
  const { sign } = nodeModule("node:crypto");
  const signature = sign(null, new TextEncoder().encode(text), key.privateKey);
  return signedNote(text, key.publicKey, signature);
}

/** The same without loading `node:crypto`. */
export async function signCheckpoint(head: TreeHead, key: SigningKey): Promise<string> {
  const text = noteText(head, key.publicKey);
  const signature = await signWith(key, new TextEncoder().encode(text));
  return signedNote(text, key.publicKey, signature);
}

/** What is signed of a note. */
function noteText({ size, root }: TreeHead, publicKey: Uint8Array): string {
  return `${checkpointOrigin(publicKey)}\n${size}\n${root.toBase64()}\n`;
}

function signedNote(text: string, publicKey: Uint8Array, signature: Uint8Array): string {
  const origin = checkpointOrigin(publicKey);
  const signed = new Uint8Array([...noteKeyId(origin, ED25519_TYPE, publicKey), ...signature]);
  return `${text}\n— ${origin} ${signed.toBase64()}\n`;
}

/**
 * Reads a note. Accepts it only when one of `publicKeys` signed it; signatures
 * of keys that nobody named are passed over, as the specification wants.
 */
export function parseCheckpoint(
  note: string,
  publicKeys: readonly Uint8Array[],
): Result<Checkpoint> {
  const claimed = parseClaim(note);
  if (!claimed.ok) return claimed;
  for (const { publicKey, signed, signature } of signaturesOf(note, claimed.value, publicKeys)) {
    if (verifySignature(publicKey, signed, signature)) return claimed;
  }
  return refuse("no known key signed it");
}

/** The same for the only key that counts, without loading `node:crypto`. */
export async function checkCheckpoint(
  note: string,
  publicKey: Uint8Array,
): Promise<Result<Checkpoint>> {
  const claimed = parseClaim(note);
  if (!claimed.ok) return claimed;
  for (const { signed, signature } of signaturesOf(note, claimed.value, [publicKey])) {
    if (await verifyOneSignature(publicKey, signed, signature)) return claimed;
  }
  return refuse("no known key signed it");
}

/** The signatures of a note that say that they are of one of the keys. */
function* signaturesOf(
  note: string,
  { origin }: Checkpoint,
  publicKeys: readonly Uint8Array[],
): Generator<Record<"publicKey" | "signed" | "signature", Uint8Array>> {
  const end = note.lastIndexOf("\n\n");
  const signed = new TextEncoder().encode(note.slice(0, end + 1));
  for (const line of note.slice(end + 2).split("\n")) {
    const [dash, name, encoded] = line.split(" ");
    const blob = decodeBase64(encoded ?? "");
    if (dash !== "—" || name !== origin || blob?.length !== 68) continue;
    for (const publicKey of publicKeys) {
      if (checkpointOrigin(publicKey) !== origin) continue;
      if (!noteKeyId(origin, ED25519_TYPE, publicKey).every((byte, i) => byte === blob[i])) {
        continue;
      }
      yield { publicKey, signed, signature: blob.subarray(4) };
    }
  }
}

/** What a note says, whoever signed it: to be believed after {@linkcode parseCheckpoint} alone. */
export function parseClaim(note: string): Result<Checkpoint> {
  const end = note.lastIndexOf("\n\n");
  if (end < 0 || !note.endsWith("\n")) return refuse("it is not a signed note");
  const [origin, size, hash] = note.slice(0, end + 1).split("\n");
  if (!origin || size === undefined || !SIZE.test(size)) return refuse("its size is not a number");
  const root = decodeBase64(hash ?? "");
  if (root?.length !== 32) return refuse("its hash is not 32 bytes in base64");
  return ok({ origin, size: Number(size), root });
}

function refuse(state: string) {
  return err({ code: "CHECKPOINT_INVALID", message: `Cannot accept the checkpoint: ${state}` });
}
