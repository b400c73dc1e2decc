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
        signature: Uint8Array.fromBase64(signature),
        signed: encoder.encode(unsignedText(parts)),
      });
    }
  } catch {
    // has no canonical form, so it cannot be in it
  }
  return err({ code: "NOT_CANONICAL", reason: "it is not in canonical form (RFC 8785)" });
}

/** Tells whether `line` is a whole record that `publicKey` signed. */
export function isSignedBy(line: Uint8Array, publicKey: Uint8Array): boolean {
  const parsed = parseLine(line);
  return parsed.ok && verifySignature(publicKey, parsed.value.signed, parsed.value.signature);
}
