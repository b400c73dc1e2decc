import { err, ok, type Result } from "../core/result.ts";
import { signedText, splitAtSignature, unsignedText } from "./chain.ts";
import { SingleSignatures } from "./line_signatures.ts";
import { QuickLines } from "./quick_lines.ts";
import { verifyOneSignature, verifySignature } from "./verify_signature.ts";

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
  const quick = new QuickLines(line, new SingleSignatures(publicKeys));
  if (!quick.read(0, line.length)) return readSignedLineAnew(line, publicKeys);
  return ok({ seq: quick.seq, prev: quick.prev });
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

/** The same as {@linkcode isSignedBy} without loading `node:crypto`. */
export async function isOneSignedBy(line: Uint8Array, publicKey: Uint8Array): Promise<boolean> {
  const parsed = parseLine(line);
  return parsed.ok &&
    await verifyOneSignature(publicKey, parsed.value.signed, parsed.value.signature);
}

/** Tells whether `line` is a whole record that `publicKey` signed. */
export function isSignedBy(line: Uint8Array, publicKey: Uint8Array): boolean {
  const parsed = parseLine(line);
  return parsed.ok && verifySignature(publicKey, parsed.value.signed, parsed.value.signature);
}
