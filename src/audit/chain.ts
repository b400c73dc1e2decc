import { hash, type KeyObject, sign } from "node:crypto";
import type { ExecutionEvent } from "../core/event.ts";
import { canonicalJson, canonicalString } from "./canonical_json.ts";
import { writableJson } from "./writable_json.ts";

/** Where a chain stands: the last line's number and hash. */
export interface ChainHead {
  /** `seq` of the last line; 0 when there is none. */
  readonly seq: number;
  /** SHA-256 of the last line without its newline, hex; 64 zeros when there is none. */
  readonly hash: string;
}

/** A chain without lines. */
export const GENESIS: ChainHead = { seq: 0, hash: "0".repeat(64) };

/** One line ready to be written, and where the chain stands after it. */
export interface ChainedLine {
  /** UTF-8, with the newline. */
  readonly bytes: Uint8Array;
  readonly head: ChainHead;
}

const encoder = new TextEncoder();

/** Links `event` to `head` and signs it. Never throws: what cannot be written is made writable. */
export function chainEvent(
  event: ExecutionEvent,
  head: ChainHead,
  privateKey: KeyObject,
): ChainedLine {
  const seq = head.seq + 1;
  const text = lineParts({ ...event, seq, prev: head.hash });
  const signature = sign(null, encoder.encode(unsignedText(text)), privateKey).toString("base64");
  const bytes = encoder.encode(`${signedText(text, signature)}\n`);
  return { bytes, head: { seq, hash: lineHash(bytes.subarray(0, -1)) } };
}

/** SHA-256 of a line without its newline, hex. */
export function lineHash(line: Uint8Array): string {
  return hash("sha256", line, "hex");
}

/** The members that sort before `signature` and those that sort after it, in canonical form. */
export interface LineParts {
  readonly before: string;
  readonly after: string;
}

/**
 * Splits the canonical form of a line at the place where `signature` belongs,
 * so that what is signed and what is written come from one serialisation.
 * Throws a `TypeError` for members that have no canonical form.
 */
export function splitAtSignature(members: Readonly<Record<string, unknown>>): LineParts {
  let before = "";
  let after = "";
  for (const name of Object.keys(members).sort()) {
    const value = members[name];
    if (value === undefined || name === "signature") continue;
    const member = `${canonicalString(name)}:${canonicalJson(value)}`;
    if (name > "signature") after += `,${member}`;
    else before += before === "" ? member : `,${member}`;
  }
  return { before, after };
}

/** The canonical form without `signature`: what is signed. */
export function unsignedText({ before, after }: LineParts): string {
  return `{${before}${after}}`;
}

/** The canonical form with `signature`: the line. */
export function signedText({ before, after }: LineParts, signature: string): string {
  return `{${before},"signature":${canonicalString(signature)}${after}}`;
}

function lineParts(members: Readonly<Record<string, unknown>>): LineParts {
  try {
    return splitAtSignature(members);
  } catch {
    return splitAtSignature(writableJson(members) as Record<string, unknown>);
  }
}
