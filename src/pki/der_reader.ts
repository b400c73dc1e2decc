/** One value of DER (X.690), as far as certificates of authorities need it. */
export interface DerElement {
  readonly tag: number;
  readonly contents: Uint8Array;
  /** Tag, length and contents. */
  readonly encoded: Uint8Array;
  /** Dotted, where it is an object identifier. */
  readonly oid: string | undefined;
}

const OBJECT_IDENTIFIER = 0x06;

/**
 * Reads the value that `bytes` begins with.
 *
 * @throws {RangeError} When there is no whole value
 */
export function readElement(bytes: Uint8Array): DerElement {
  const tag = byteAt(bytes, 0);
  let length = byteAt(bytes, 1);
  let start = 2;
  if (length >= 0x80) {
    const octets = length & 0x7f;
    if (octets === 0 || octets > 4) throw new RangeError("Cannot read DER: bad length");
    length = 0;
    for (let i = 0; i < octets; i++) length = length * 256 + byteAt(bytes, start++);
  }
  if (start + length > bytes.length) throw new RangeError("Cannot read DER: value is cut off");
  const contents = bytes.subarray(start, start + length);
  return {
    tag,
    contents,
    encoded: bytes.subarray(0, start + length),
    oid: tag === OBJECT_IDENTIFIER ? dotted(contents) : undefined,
  };
}

/**
 * Reads all values in `bytes`.
 *
 * @throws {RangeError} When something else is among them
 */
export function readElements(bytes: Uint8Array): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length;) {
    const element = readElement(bytes.subarray(at));
    elements.push(element);
    at += element.encoded.length;
  }
  return elements;
}

function dotted(contents: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const octet of contents) {
    arc = arc * 128 + (octet & 0x7f);
    if (octet >= 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  const first = Math.min(2, Math.floor((arcs[0] ?? 0) / 40));
  return [first, (arcs[0] ?? 0) - first * 40, ...arcs.slice(1)].join(".");
}

function byteAt(bytes: Uint8Array, index: number): number {
  const byte = bytes[index];
  if (byte === undefined) throw new RangeError("Cannot read DER: value is cut off");
  return byte;
}
