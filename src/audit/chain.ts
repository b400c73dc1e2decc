import { hash as digest, type KeyObject, sign } from "node:crypto";
import type { ExecutionEvent } from "../core/event.ts";
import { canonicalJson, canonicalMembers, canonicalString, isPlainName } from "./canonical_json.ts";
import { type Hash, leafHashWithin } from "./merkle/hash.ts";
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
/** Bytes that `,"signature":"…"` takes, with room to spare for braces and the newline. */
const SIGNATURE_ROOM = 128;
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
  // One buffer for all: allocating several for each line costs as much as a third of signing it.
  let buffer = new Uint8Array(2_048 * events.length);
  let start = 0;
  let end = 0;
  let { seq, hash } = head;
  const leaves: Hash[] = [];
  for (const event of events) {
    start = end;
    seq++;
    const { before, after } = lineParts(event, seq, hash);
    const needed = start + 3 * (before.length + after.length) + SIGNATURE_ROOM;
    if (needed > buffer.length) {
      const larger = new Uint8Array(2 * needed);
      larger.set(buffer.subarray(0, start));
      buffer = larger;
    }
    const put = (text: string, at: number) =>
      at + encoder.encodeInto(text, buffer.subarray(at)).written;
    const split = put(`{${before}`, start);
    const unsignedEnd = put(`${after}}`, split);
    const signature = sign(null, buffer.subarray(start, unsignedEnd), privateKey);
    const member = `,"signature":"${signature.toString("base64")}"`;
    buffer.copyWithin(split + member.length, split, unsignedEnd);
    put(member, split);
    end = unsignedEnd + member.length;
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
  return digest("sha256", line, "hex");
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

function lineParts(event: ExecutionEvent, seq: number, prev: string): LineParts {
  try {
    const parts = eventParts(event, seq, prev);
    if (fits(parts)) return parts;
  } catch {
    // no canonical form
  }
  const members = { ...event, seq, prev };
  const writable = splitAtSignature(writableJson(members) as Record<string, unknown>);
  if (fits(writable)) return writable;
  const { envelope: _, ...rest } = members as Readonly<Record<string, unknown>>;
  return splitAtSignature(
    writableJson({ ...rest, detail: "the envelope is left out: it is too long" }) as typeof rest,
  );
}

/** In which order the members of an event stand in its line. */
interface MemberOrder {
  /** As the event lists them. */
  readonly names: readonly string[];
  /** With those that the line has besides, in canonical order, before and after the signature. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** By the kind of event: those of one kind mostly list the same members. */
const orders = new Map<string, MemberOrder>();
/** More than there are kinds. */
const ORDERS_LIMIT = 32;

function orderOf(event: ExecutionEvent): MemberOrder | undefined {
  const names = Object.keys(event);
  const known = orders.get(event.kind);
  if (known?.names.length === names.length && known.names.every((name, i) => name === names[i])) {
    return known;
  }
  if (!names.every(isPlainName)) return undefined;
  const sorted = [...new Set([...names, "seq", "prev"])].filter((name) => name !== "signature")
    .sort();
  const order = {
    names,
    before: sorted.filter((name) => name < "signature"),
    after: sorted.filter((name) => name > "signature"),
  };
  if (orders.size >= ORDERS_LIMIT) orders.clear();
  orders.set(event.kind, order);
  return order;
}

/** The same as {@linkcode splitAtSignature} of the event with what the line has besides. */
function eventParts(event: ExecutionEvent, seq: number, prev: string): LineParts {
  const order = orderOf(event);
  if (order === undefined) return splitAtSignature({ ...event, seq, prev });
  const members: Readonly<Record<string, unknown>> = { ...event, seq, prev };
  const after = canonicalMembers(order.after, members);
  return {
    before: canonicalMembers(order.before, members),
    after: after === "" ? "" : `,${after}`,
  };
}

function fits({ before, after }: LineParts): boolean {
  return before.length + after.length <= MAX_LINE_CHARACTERS;
}
