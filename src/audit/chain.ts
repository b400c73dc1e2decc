import type { KeyObject } from "node:crypto";
import type { ExecutionEvent } from "../core/event.ts";
import { hashHex } from "../core/hash_hex.ts";
import { nodeModule } from "../core/node_module.ts";
import { type SigningKey, signWith } from "../pki/signing_key.ts";
import { canonicalJson, canonicalString } from "./canonical_json.ts";
import { type Hash, leafHashWithin } from "./merkle/hash.ts";
import { type UnsignedLine, unsignedLine } from "./unsigned_line.ts";
import { writableJson } from "./writable_json.ts";
import { writeBase64 } from "./write_base64.ts";

/** Where a chain stands: the last line's number and hash. */
export interface ChainHead {
  /** `seq` of the last line; 0 when there is none. */
  readonly seq: number;
  /** SHA-256 of the last line without its newline, hex; 64 zeros when there is none. */
  readonly hash: string;
}

/** A chain without lines. */
export const GENESIS: ChainHead = { seq: 0, hash: "0".repeat(64) };

/** Lines ready to be written, and where the chain stands after them. */
export interface ChainedLines {
  /** UTF-8, each line with its newline. */
  readonly bytes: Uint8Array;
  /** Their leaves in the Merkle tree of the log. */
  readonly leaves: readonly Hash[];
  /** The last of the lines without its newline; empty when there are none. */
  readonly lastLine: Uint8Array;
  readonly head: ChainHead;
}

const encoder = new TextEncoder();
const NEWLINE = 0x0a;
/** The member of a line that is added once the rest is signed: 64 bytes are 88 digits. */
const SIGNATURE_MEMBER = encoder.encode(`,"signature":"${"=".repeat(88)}"`);
const SIGNATURE_START = SIGNATURE_MEMBER.indexOf("=".charCodeAt(0));
/** For that member and the newline. */
const SIGNATURE_ROOM = SIGNATURE_MEMBER.length + 1;
/** What an agent makes an event say is cut beyond this, well below what verification reads. */
const MAX_LINE_CHARACTERS = 2 * 1024 * 1024;

/**
 * Links `events` to `head`, one after the other, and signs each. Never throws
 * for what is in an event: what cannot be written is made writable.
 */
export function chainEvents(
  events: readonly ExecutionEvent[],
  head: ChainHead,
  privateKey: KeyObject,
): ChainedLines {
  const { sign } = nodeModule("node:crypto");
  const chaining = chain(events, head);
  let step = chaining.next();
  while (!step.done) step = chaining.next(sign(null, step.value, privateKey));
  return step.value;
}

/**
 * The same for a few events, which need not load `node:crypto`. Takes twice as long for each, and
 * keeps no thread busy with signing.
 */
export async function chainFewEvents(
  events: readonly ExecutionEvent[],
  head: ChainHead,
  key: SigningKey,
): Promise<ChainedLines> {
  const chaining = chain(events, head);
  let step = chaining.next();
  while (!step.done) step = chaining.next(await signWith(key, step.value));
  return step.value;
}

/** Asks for the signature of each line in turn, because the next one names the hash of it all. */
function* chain(
  events: readonly ExecutionEvent[],
  head: ChainHead,
): Generator<Uint8Array<ArrayBuffer>, ChainedLines, Uint8Array> {
  // One buffer for all: allocating several for each line costs as much as a third of signing it.
  let buffer = new Uint8Array(2_048 * events.length);
  let start = 0;
  let end = 0;
  let { seq, hash } = head;
  const leaves: Hash[] = [];
  for (const event of events) {
    start = end;
    seq++;
    const { text, split } = lineOf(event, seq, hash);
    const needed = start + 3 * text.length + SIGNATURE_ROOM;
    if (needed > buffer.length) {
      const larger = new Uint8Array(2 * needed);
      larger.set(buffer.subarray(0, start));
      buffer = larger;
    }
    const unsignedEnd = start + encoder.encodeInto(text, buffer.subarray(start)).written;
    const isAscii = unsignedEnd - start === text.length;
    const at = isAscii ? start + split : unsignedEnd - encoder.encode(text.slice(split)).length;
    const signature = yield buffer.subarray(start, unsignedEnd);
    buffer.copyWithin(at + SIGNATURE_MEMBER.length, at, unsignedEnd);
    buffer.set(SIGNATURE_MEMBER, at);
    writeBase64(signature, buffer, at + SIGNATURE_START);
    end = unsignedEnd + SIGNATURE_MEMBER.length;
    const line = buffer.subarray(start, end);
    hash = lineHash(line);
    leaves.push(leafHashWithin(buffer, start, end));
    buffer[end++] = NEWLINE;
  }
  return {
    bytes: buffer.subarray(0, end),
    leaves,
    lastLine: buffer.slice(start, Math.max(start, end - 1)),
    head: { seq, hash },
  };
}

/** SHA-256 of a line without its newline, hex. */
export function lineHash(line: Uint8Array): string {
  return hashHex(line);
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
  const low: Record<string, unknown> = {};
  const high: Record<string, unknown> = {};
  // In order, so that nothing is left to sort in either half.
  for (const name of Object.keys(members).sort()) {
    // Assigned, "__proto__" would change the object instead of adding a member; no event has one.
    if (name === "signature" || name === "__proto__") continue;
    (name < "signature" ? low : high)[name] = members[name];
  }
  const before = canonicalJson(low).slice(1, -1);
  const after = canonicalJson(high).slice(1, -1);
  return { before, after: after === "" ? "" : `,${after}` };
}

/** The canonical form without `signature`: what is signed. */
export function unsignedText({ before, after }: LineParts): string {
  return `{${before}${after}}`;
}

/** The canonical form with `signature`: the line. */
export function signedText({ before, after }: LineParts, signature: string): string {
  return `{${before},"signature":${canonicalString(signature)}${after}}`;
}

function lineOf(event: ExecutionEvent, seq: number, prev: string): UnsignedLine {
  try {
    const line = unsignedLine(event, seq, prev) ??
      joined(splitAtSignature({ ...event, seq, prev }));
    if (fits(line)) return line;
  } catch {
    // no canonical form
  }
  const members = { ...event, seq, prev };
  const writable = joined(splitAtSignature(writableJson(members) as Record<string, unknown>));
  if (fits(writable)) return writable;
  const { envelope: _, ...rest } = members as Readonly<Record<string, unknown>>;
  return joined(splitAtSignature(
    writableJson({ ...rest, detail: "the envelope is left out: it is too long" }) as typeof rest,
  ));
}

function joined(parts: LineParts): UnsignedLine {
  return { text: unsignedText(parts), split: 1 + parts.before.length };
}

function fits({ text }: UnsignedLine): boolean {
  return text.length <= MAX_LINE_CHARACTERS;
}
