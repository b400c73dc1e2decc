import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";

/** The commits that a pack holds, as far as they were read: identifier to parents. */
export type CommitGraph = ReadonlyMap<string, readonly string[]>;

/** Most objects that are looked at: commits come first in the packs that git makes. */
const MOST_OBJECTS = 5_000;
/** Larger objects are no commits, and are not worth the time. */
const LARGEST_OBJECT = 1 << 20;
/** Most bytes that objects may unpack to, all together. */
const MOST_OUTPUT = 16 << 20;

const COMMIT = 1;
const OFS_DELTA = 6;
const REF_DELTA = 7;

const text = new TextDecoder("latin1");

interface Entry {
  readonly kind: number;
  readonly size: number;
  /** Where the compressed data begins. */
  readonly data: number;
  readonly baseOffset?: number;
  readonly baseId?: string;
}

/**
 * Reads commits from the beginning of a pack (gitformat-pack) until `enough` says so,
 * and gives the graph of them to it. Identifiers are computed from the content, so
 * what is in the graph is true whatever the pack claims. Never throws; what it
 * cannot read or has no time for is missing from the graph.
 */
export function readCommits(
  pack: Uint8Array,
  hash: "sha1" | "sha256",
  enough: (graph: CommitGraph) => boolean,
): boolean {
  const graph = new Map<string, readonly string[]>();
  try {
    if (scan(pack, hash, graph, () => enough(graph))) return true;
  } catch {
    // It is cut, or no pack; what was read before is true all the same.
  }
  return enough(graph);
}

function scan(
  pack: Uint8Array,
  hash: "sha1" | "sha256",
  graph: Map<string, readonly string[]>,
  enough: () => boolean,
): boolean {
  if (pack.length < 12 || text.decode(pack.subarray(0, 4)) !== "PACK") return false;
  const view = new DataView(pack.buffer, pack.byteOffset, pack.byteLength);
  const version = view.getUint32(4);
  if (version !== 2 && version !== 3) return false;
  const count = Math.min(view.getUint32(8), MOST_OBJECTS);
  const idBytes = hash === "sha1" ? 20 : 32;
  const commitsByOffset = new Map<number, Uint8Array>();
  const commitsById = new Map<string, Uint8Array>();
  let output = 0;
  let checkAt = 1;
  let at = 12;
  for (let i = 0; i < count; i++) {
    const offset = at;
    const entry = readEntry(pack, offset, idBytes);
    output += entry.size;
    if (entry.size > LARGEST_OBJECT || output > MOST_OUTPUT) return false;
    const { content, end } = inflate(pack, entry);
    at = end;
    const base = entry.kind === OFS_DELTA
      ? commitsByOffset.get(entry.baseOffset!)
      : entry.kind === REF_DELTA
      ? commitsById.get(entry.baseId!)
      : undefined;
    const commit = entry.kind === COMMIT
      ? content
      : base !== undefined
      ? applyDelta(base, content)
      : undefined;
    if (commit !== undefined) {
      const id = commitId(commit, hash);
      graph.set(id, parentsOf(commit, idBytes));
      commitsByOffset.set(offset, commit);
      commitsById.set(id, commit);
      output += commit.length;
    } else if (graph.size >= checkAt) {
      // The commits are over, most likely: time to see whether they will do. Not for
      // each of the few that may come later, for the answer takes time.
      checkAt = graph.size * 2;
      if (enough()) return true;
    }
  }
  return false;
}

function readEntry(pack: Uint8Array, start: number, idBytes: number): Entry {
  let at = start;
  let byte = byteAt(pack, at++);
  const kind = (byte >> 4) & 7;
  let size = byte & 15;
  for (let shift = 4; byte & 0x80; shift += 7) {
    if (shift > 25) throw new RangeError("object is too large");
    byte = byteAt(pack, at++);
    size += (byte & 0x7f) << shift;
  }
  if (kind === OFS_DELTA) {
    byte = byteAt(pack, at++);
    let distance = byte & 0x7f;
    while (byte & 0x80) {
      byte = byteAt(pack, at++);
      distance = (distance + 1) * 128 + (byte & 0x7f);
    }
    return { kind, size, data: at, baseOffset: start - distance };
  }
  if (kind === REF_DELTA) {
    return { kind, size, data: at + idBytes, baseId: hex(pack.subarray(at, at + idBytes)) };
  }
  if (kind === 0 || kind === 5) throw new RangeError("no such kind of object");
  return { kind, size, data: at };
}

function inflate(pack: Uint8Array, { data, size }: Entry): { content: Uint8Array; end: number } {
  // Deflate makes nothing much larger than it was.
  const input = pack.subarray(data, data + size + (size >> 3) + 1024);
  // With `info`, node:zlib also says how much of the input it took; its types do not know that.
  const { buffer, engine } = inflateSync(
    input,
    { maxOutputLength: size + 1, info: true } as object,
  ) as unknown as { buffer: Uint8Array; engine: { bytesWritten: number } };
  if (buffer.length !== size) throw new RangeError("object is not as large as it says");
  return { content: buffer, end: data + engine.bytesWritten };
}

/** Applies a delta (gitformat-pack, "Deltified representation"). */
function applyDelta(base: Uint8Array, delta: Uint8Array): Uint8Array {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0;; shift += 7) {
      if (shift > 21) throw new RangeError("object is too large");
      const byte = byteAt(delta, at++);
      value |= (byte & 0x7f) << shift;
      if (!(byte & 0x80)) return value;
    }
  };
  if (varint() !== base.length) throw new RangeError("delta is for another object");
  const size = varint();
  if (size > LARGEST_OBJECT) throw new RangeError("object is too large");
  const result = new Uint8Array(size);
  let written = 0;
  while (at < delta.length) {
    const command = byteAt(delta, at++);
    let piece: Uint8Array;
    if (command & 0x80) {
      let from = 0;
      let length = 0;
      for (let i = 0; i < 4; i++) if (command & (1 << i)) from |= byteAt(delta, at++) << (8 * i);
      for (let i = 0; i < 3; i++) {
        if (command & (0x10 << i)) length |= byteAt(delta, at++) << (8 * i);
      }
      if (length === 0) length = 0x10000;
      if (from < 0 || from + length > base.length) throw new RangeError("delta is out of range");
      piece = base.subarray(from, from + length);
    } else {
      if (command === 0 || at + command > delta.length) throw new RangeError("delta is cut");
      piece = delta.subarray(at, at += command);
    }
    result.set(piece, written);
    written += piece.length;
  }
  if (written !== size) throw new RangeError("delta makes another size");
  return result;
}

function commitId(content: Uint8Array, hash: "sha1" | "sha256"): string {
  return createHash(hash).update(`commit ${content.length}\0`).update(content).digest("hex");
}

function parentsOf(content: Uint8Array, idBytes: number): string[] {
  const digits = idBytes * 2;
  const head = text.decode(content);
  const parents: string[] = [];
  const line = new RegExp(`tree [0-9a-f]{${digits}}\\n|parent ([0-9a-f]{${digits}})\\n`, "y");
  for (let match = line.exec(head); match !== null; match = line.exec(head)) {
    if (match[1] !== undefined) parents.push(match[1]);
  }
  return parents;
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new RangeError("it is cut");
  return byte;
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Tells whether the graph leads from one commit back to another. */
export function descends(graph: CommitGraph, from: string, to: string): boolean {
  const waiting = [from];
  const seen = new Set(waiting);
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (id === to) return true;
    for (const parent of graph.get(id) ?? []) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      waiting.push(parent);
    }
  }
  return false;
}
