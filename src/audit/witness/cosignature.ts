import { type KeyObject, sign } from "node:crypto";
import { err, ok, type Result } from "../../core/result.ts";
import { lineHash } from "../chain.ts";
import { decodeBase64, noteKeyId } from "../signed_note.ts";
import { verifySignature } from "../verify_signature.ts";

/**
 * Who saw a log, and vouches that it only ever grew: a key, and the name that it goes by
 * (https://c2sp.org/tlog-cosignature).
 */
export interface Witness {
  readonly name: string;
  /** Raw Ed25519 key, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** What a witness says: that it saw a checkpoint, and when. */
export interface Cosignature {
  readonly name: string;
  /** Seconds since the epoch. */
  readonly time: number;
}

/** Signature type of cosignature/v1 with Ed25519. */
const TYPE = 4;
const encoder = new TextEncoder();

/** The name of a witness that nobody named otherwise. */
export function witnessName(publicKey: Uint8Array): string {
  return `firma/witness/${lineHash(publicKey).slice(0, 16)}`;
}

/** A witness as people pass it on: `<name>+<key ID>+<type and key>` (C2SP signed-note). */
export function formatWitness({ name, publicKey }: Witness): string {
  const key = new Uint8Array([TYPE, ...publicKey]).toBase64();
  return `${name}+${noteKeyId(name, TYPE, publicKey).toHex()}+${key}`;
}

/** Reads what {@linkcode formatWitness} writes. */
export function parseWitness(text: string): Result<Witness> {
  const refuse = (state: string) =>
    err({
      code: "WITNESS_INVALID",
      message: `Cannot use the witness "${text.slice(0, 200)}": ${state}`,
      cure:
        "the Authority prints the witness when it starts, and keeps it in keys/witness.key.vkey",
    });
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text.trim()) ??
    [];
  if (name === undefined || encoded === undefined) return refuse("it is not <name>+<id>+<key>");
  const bytes = decodeBase64(encoded);
  if (bytes?.length !== 33 || bytes[0] !== TYPE) return refuse("its key is not of a witness");
  const publicKey = bytes.slice(1);
  if (noteKeyId(name, TYPE, publicKey).toHex() !== id) {
    return refuse("name and key do not belong together");
  }
  return ok({ name, publicKey });
}

/** The line by which a witness cosigns a note at `time`, in seconds since the epoch. */
export function cosign(note: string, witness: Witness, key: KeyObject, time: number): string {
  const signature = sign(null, message(noteText(note)!, time), key);
  const blob = new Uint8Array([
    ...noteKeyId(witness.name, TYPE, witness.publicKey),
    ...timeBytes(time),
  ]);
  return `— ${witness.name} ${new Uint8Array([...blob, ...signature]).toBase64()}\n`;
}

/** When the witness saw the note; `undefined` where it did not cosign it. */
export function findCosignature(note: string, witness: Witness): Cosignature | undefined {
  const text = noteText(note);
  if (text === undefined) return undefined;
  const id = noteKeyId(witness.name, TYPE, witness.publicKey);
  for (const line of note.slice(text.length + 1).split("\n")) {
    const [dash, name, encoded] = line.split(" ");
    const blob = decodeBase64(encoded ?? "");
    if (dash !== "—" || name !== witness.name || blob?.length !== 76) continue;
    if (!id.every((byte, index) => byte === blob[index])) continue;
    const time = Number(new DataView(blob.buffer, blob.byteOffset).getBigUint64(4));
    if (!Number.isSafeInteger(time)) continue;
    if (verifySignature(witness.publicKey, message(text, time), blob.subarray(12))) {
      return { name, time };
    }
  }
  return undefined;
}

/** What signatures of a note are over: everything before the empty line. */
function noteText(note: string): string | undefined {
  const end = note.lastIndexOf("\n\n");
  return end < 0 ? undefined : note.slice(0, end + 1);
}

function message(text: string, time: number): Uint8Array {
  return encoder.encode(`cosignature/v1\ntime ${time}\n${text}`);
}

function timeBytes(time: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(time));
  return bytes;
}
