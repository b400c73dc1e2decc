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

/** What a line is that one of several keys signed. */
export type SignedLine = Pick<ParsedLine, "members" | "seq" | "prev">;

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
  if (quick !== undefined) return ok(quick);
  const parsed = parseLine(line);
  if (!parsed.ok) return parsed;
  const { signed, signature } = parsed.value;
  if (publicKeys.some((key) => verifySignature(key, signed, signature))) return parsed;
  return err({
    code: "BAD_SIGNATURE",
    reason: "its signature does not fit: it was changed, or signed by a key that is not known",
  });
}

/**
 * The same without writing the canonical form again, which takes as long as the rest: only that
 * form is ever signed, so that bytes that fit a signature are in it, once the signature itself was
 * in its place. `undefined`: look closer.
 */
function quickLine(
  line: Uint8Array,
  publicKeys: readonly Uint8Array[],
): SignedLine | undefined {
  try {
    const record = JSON.parse(decoder.decode(line)) as Record<string, unknown>;
    const { seq, prev, signature } = record;
    if (!Number.isSafeInteger(seq) || (seq as number) < 1) return undefined;
    if (typeof prev !== "string" || !/^[0-9a-f]{64}$/.test(prev)) return undefined;
    if (typeof signature !== "string" || !/^[A-Za-z0-9+/]{86}==$/.test(signature)) return undefined;
    let before = "";
    for (const name of Object.keys(record)) {
      if (name <= before) return undefined;
      before = name;
    }
    const bytes = Buffer.from(line.buffer, line.byteOffset, line.length);
    const member = `,"signature":"${signature}"`;
    const at = bytes.indexOf(member, 0, "latin1");
    // Found twice, one of them is what an agent wrote.
    if (at < 0 || bytes.indexOf(member, at + 1, "latin1") >= 0) return undefined;
    const signed = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + member.length)]);
    const raw = Uint8Array.fromBase64(signature, { lastChunkHandling: "strict" });
    if (!publicKeys.some((key) => verifySignature(key, signed, raw))) return undefined;
    return { members: record, seq: seq as number, prev };
  } catch {
    return undefined;
  }
}

/** Tells whether `line` is a whole record that `publicKey` signed. */
export function isSignedBy(line: Uint8Array, publicKey: Uint8Array): boolean {
  const parsed = parseLine(line);
  return parsed.ok && verifySignature(publicKey, parsed.value.signed, parsed.value.signature);
}
