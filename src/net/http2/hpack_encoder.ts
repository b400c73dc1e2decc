import { Buffer } from "node:buffer";
import type { FieldList } from "../http/exchange.ts";
import { STATIC_TABLE } from "./hpack_tables.ts";

/** By name: the first static index of it, and the indexes of its values. */
const STATIC_INDEX = new Map<
  string,
  { readonly name: number; readonly values: Map<string, number> }
>();
for (const [i, [name, value]] of STATIC_TABLE.entries()) {
  let entry = STATIC_INDEX.get(name);
  if (entry === undefined) STATIC_INDEX.set(name, entry = { name: i + 1, values: new Map() });
  entry.values.set(value, i + 1);
}

/** Fields whose values no hop may put into a table (RFC 7541, 7.1.3). */
const NEVER_INDEXED: ReadonlySet<string> = new Set(["authorization", "cookie", "set-cookie"]);
const INDEXED = 0x80;
const LITERAL = 0x00;
const LITERAL_NEVER_INDEXED = 0x10;

/**
 * Encodes header blocks (RFC 7541) without a dynamic table: there is no state that could go
 * wrong or leak one request's secrets into the size of another, and upstreams are few hops away.
 */
export function encodeHpack(fields: FieldList, first: boolean): Buffer {
  let size = 1;
  for (const [name, value] of fields) size += name.length + value.length + 16;
  const block = Buffer.allocUnsafe(size);
  // At the start of a connection: our table has size 0, whatever the peer would allow.
  let at = first ? block.writeUInt8(0x20, 0) : 0;
  for (const [name, value] of fields) {
    const known = STATIC_INDEX.get(name);
    const exact = known?.values.get(value);
    if (exact !== undefined) {
      at = writeInteger(block, at, INDEXED, 7, exact);
      continue;
    }
    const kind = NEVER_INDEXED.has(name) ? LITERAL_NEVER_INDEXED : LITERAL;
    at = writeInteger(block, at, kind, 4, known?.name ?? 0);
    if (known === undefined) at = writeText(block, at, name);
    at = writeText(block, at, value);
  }
  return block.subarray(0, at);
}

function writeInteger(
  block: Buffer,
  at: number,
  kind: number,
  prefixBits: number,
  value: number,
): number {
  const most = (1 << prefixBits) - 1;
  if (value < most) return block.writeUInt8(kind | value, at);
  at = block.writeUInt8(kind | most, at);
  for (value -= most; value >= 0x80; value = Math.floor(value / 0x80)) {
    at = block.writeUInt8(value % 0x80 | 0x80, at);
  }
  return block.writeUInt8(value, at);
}

function writeText(block: Buffer, at: number, text: string): number {
  at = writeInteger(block, at, 0, 7, text.length);
  return at + block.write(text, at, "latin1");
}
