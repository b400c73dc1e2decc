import { Buffer } from "node:buffer";

const NEWLINE = 0x0a;

/** A line with its newline, and its place in the bytes that it was found in. */
export interface FoundLine {
  readonly line: Uint8Array<ArrayBuffer>;
  readonly at: number;
}

/** The whole lines in `bytes` that hold one of `texts`, which are ASCII, in their order. */
export function linesWith(
  texts: readonly string[],
  bytes: Uint8Array<ArrayBuffer>,
): readonly FoundLine[] {
  // A character for each byte: looking through a string is twenty times as fast.
  const block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const found = new Map<number, FoundLine>();
  for (const text of texts) {
    for (let hit = block.indexOf(text); hit >= 0; hit = block.indexOf(text, hit + 1)) {
      const at = hit === 0 ? 0 : bytes.lastIndexOf(NEWLINE, hit) + 1;
      found.set(at, { at, line: bytes.slice(at, bytes.indexOf(NEWLINE, hit) + 1) });
    }
  }
  return [...found.values()].sort((one, other) => one.at - other.at);
}

/** The members of a line, none if it cannot be read; nobody has verified them. */
export function lineMembers(line: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(new TextDecoder().decode(line)) ?? {};
  } catch {
    return {};
  }
}
