import { Buffer } from "node:buffer";
import { err, ok, type Result } from "../core/result.ts";
import { signedText, splitAtSignature, unsignedText } from "./chain.ts";
import { verifySignature } from "./verify_signature.ts";

/** A line of the log in its canonical form; the signature is not checked yet. */
export interface ParsedLine {
  readonly members: Readonly<Record<string, unknown>>;
  readonly seq: number;
  readonly prev: string;
  readonly signature: Uint8Array;
  /** What the signature is over. */
  readonly signed: Uint8Array;
}

/** What is wrong with a line, as the end of a sentence that begins with the line. */
export interface LineFault {
  readonly code: "NOT_JSON" | "NOT_CANONICAL" | "FIELD_INVALID";
  readonly reason: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads one line, given without its newline. */
export function parseLine(line: Uint8Array): Result<ParsedLine, LineFault> {
  let text: string;
  let members: unknown;
  try {
    text = decoder.decode(line);
    members = JSON.parse(text);
  } catch {
    return err({ code: "NOT_JSON", reason: "it is not JSON in UTF-8" });
  }
  if (typeof members !== "object" || members === null || Array.isArray(members)) {
    return err({ code: "NOT_JSON", reason: "it is not a JSON object" });
  }
  const record = members as Record<string, unknown>;
  const { seq, prev, signature } = record;
  if (!Number.isSafeInteger(seq) || (seq as number) < 1) {
    return err({ code: "FIELD_INVALID", reason: '"seq" is not a positive integer' });
  }
  if (typeof prev !== "string" || !/^[0-9a-f]{64}$/.test(prev)) {
    return err({ code: "FIELD_INVALID", reason: '"prev" is not a SHA-256 hash in hex' });
  }
  if (typeof signature !== "string" || !/^[A-Za-z0-9+/]{86}==$/.test(signature)) {
    return err({ code: "FIELD_INVALID", reason: '"signature" is not 64 bytes in base64' });
  }
  try {
    const parts = splitAtSignature(record);
    if (signedText(parts, signature) === text) {
      return ok({
        members: record,
        seq: seq as number,
        prev,
        signature: Uint8Array.fromBase64(signature, { lastChunkHandling: "strict" }),
        signed: encoder.encode(unsignedText(parts)),
      });
    }
  } catch {
    // has no canonical form, so it cannot be in it
  }
  return err({ code: "NOT_CANONICAL", reason: "it is not in canonical form (RFC 8785)" });
}

/** A line that one of several keys signed. */
export interface SignedLine {
  readonly seq: number;
  readonly prev: string;
  /** Of an event of the kind `key`: all that it says. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** What is wrong with a line that should have been signed. */
export type SignedLineFault = Omit<LineFault, "code"> & {
  readonly code: LineFault["code"] | "BAD_SIGNATURE";
};

/** Reads one line, given without its newline, and checks that one of the keys signed it. */
export function readSignedLine(
  line: Uint8Array,
  publicKeys: readonly Uint8Array[],
): Result<SignedLine, SignedLineFault> {
  const quick = quickLine(line, publicKeys);
  return quick === undefined ? readSignedLineAnew(line, publicKeys) : ok(quick);
}

/** The same by way of the canonical form, which says what is wrong with a line as well. */
export function readSignedLineAnew(
  line: Uint8Array,
  publicKeys: readonly Uint8Array[],
): Result<SignedLine, SignedLineFault> {
  const parsed = parseLine(line);
  if (!parsed.ok) return parsed;
  const { signed, signature, seq, prev, members } = parsed.value;
  if (publicKeys.some((key) => verifySignature(key, signed, signature))) {
    return ok({ seq, prev, ...(members.kind === "key" && { members }) });
  }
  return err({
    code: "BAD_SIGNATURE",
    reason: "its signature does not fit: it was changed, or signed by a key that is not known",
  });
}

/** How every line but that of an approval goes on from its number to its signature. */
const END = /^,"seq":([1-9][0-9]{0,15}),"session_id":"[^"\\]*"$/;
const PREV = /^,"prev":"([0-9a-f]{64})",/;
const SIGNATURE = /^,"signature":"([A-Za-z0-9+/]{86}==)"(?:\}$|,"([a-z_]+)":)/;

/**
 * The same without parsing the line. Only the canonical form is ever signed, so that bytes that fit a
 * signature are in it, once the signature itself was in its place; and there, `"` within a string
 * has a backslash before it, so that what looks like a member is one. The last `seq` is the line's
 * own, because nothing nested comes after it in that form. `undefined`: look closer.
 */
function quickLine(
  line: Uint8Array,
  publicKeys: readonly Uint8Array[],
): SignedLine | undefined {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.length);
  // A character for each byte.
  const text = bytes.toString("latin1");
  if (text.includes('"kind":"key"')) return undefined;
  const seqAt = text.lastIndexOf(',"seq":');
  const at = text.indexOf(',"signature":"', seqAt);
  const prevAt = text.lastIndexOf(',"prev":"', seqAt);
  if (seqAt < 0 || at < 0 || prevAt < 0) return undefined;
  const seq = Number(END.exec(text.slice(seqAt, at))?.[1]);
  const prev = PREV.exec(text.slice(prevAt, prevAt + 80))?.[1];
  const [member, signature, next] = SIGNATURE.exec(text.slice(at, at + 160)) ?? [];
  if (!Number.isSafeInteger(seq) || prev === undefined || signature === undefined) return undefined;
  if (next !== undefined && next <= "signature") return undefined;
  let raw: Uint8Array;
  try {
    raw = Uint8Array.fromBase64(signature, { lastChunkHandling: "strict" });
  } catch {
    return undefined;
  }
  const length = next === undefined ? member!.length - 1 : member!.length - next.length - 4;
  const signed = without(bytes, at, length);
  return publicKeys.some((key) => verifySignature(key, signed, raw)) ? { seq, prev } : undefined;
}

let room = Buffer.alloc(65_536);

/** The bytes without those from `at` on; good until the next call. */
function without(bytes: Uint8Array, at: number, length: number): Uint8Array {
  if (bytes.length > room.length) room = Buffer.alloc(2 * bytes.length);
  room.set(bytes.subarray(0, at));
  room.set(bytes.subarray(at + length), at);
  return room.subarray(0, bytes.length - length);
}

/** Tells whether `line` is a whole record that `publicKey` signed. */
export function isSignedBy(line: Uint8Array, publicKey: Uint8Array): boolean {
  const parsed = parseLine(line);
  return parsed.ok && verifySignature(publicKey, parsed.value.signed, parsed.value.signature);
}
