/**
 * The part of DER (X.690) that certificates are written in. Each function
 * returns the complete encoding of one value.
 */

/** Encoded bytes. */
export type Der = Uint8Array<ArrayBuffer>;

/** A tag, the length of `contents` taken together, and the contents. */
export function tagged(tag: number, ...contents: readonly Uint8Array[]): Der {
  const size = contents.reduce((sum, part) => sum + part.length, 0);
  const length = lengthOctets(size);
  const encoded = new Uint8Array(1 + length.length + size);
  encoded[0] = tag;
  encoded.set(length, 1);
  let at = 1 + length.length;
  for (const part of contents) {
    encoded.set(part, at);
    at += part.length;
  }
  return encoded;
}

function lengthOctets(size: number): number[] {
  if (size < 0x80) return [size];
  const octets: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
}

/** SEQUENCE. */
export function sequence(...members: readonly Uint8Array[]): Der {
  return tagged(0x30, ...members);
}

/** SET of one member, which is all that names need; more would have to be sorted. */
export function setOf(member: Uint8Array): Der {
  return tagged(0x31, member);
}

/** INTEGER of the unsigned number that `bytes` are, most significant first. */
export function integer(bytes: Uint8Array): Der {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const minimal = bytes.subarray(start);
  // A first bit of 1 would make it negative.
  return minimal[0]! >= 0x80 ? tagged(0x02, Uint8Array.of(0), minimal) : tagged(0x02, minimal);
}

/** BOOLEAN TRUE. FALSE is a default wherever certificates have one, and not written in DER. */
export const TRUE: Der = tagged(0x01, Uint8Array.of(0xff));

/** OBJECT IDENTIFIER, given in its dotted form. */
export function objectIdentifier(dotted: string): Der {
  const [first, second, ...rest] = dotted.split(".").map(Number) as [number, number, ...number[]];
  const octets: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      groups.unshift(0x80 | left % 128);
    }
    octets.push(...groups);
  }
  return tagged(0x06, Uint8Array.from(octets));
}

/** OCTET STRING. */
export function octetString(bytes: Uint8Array): Der {
  return tagged(0x04, bytes);
}

/** BIT STRING of whole bytes, or of which the last `unused` bits do not count. */
export function bitString(bytes: Uint8Array, unused = 0): Der {
  return tagged(0x03, Uint8Array.of(unused), bytes);
}

/** UTF8String. */
export function utf8String(text: string): Der {
  return tagged(0x0c, new TextEncoder().encode(text));
}

/** Time as RFC 5280, 4.1.2.5 wants it: UTCTime before 2050, GeneralizedTime from then on. */
export function time(milliseconds: number): Der {
  const iso = new Date(milliseconds).toISOString(); // 2026-01-31T12:34:56.789Z
  const digits = `${iso.slice(0, 19).replace(/\D/g, "")}Z`;
  const bytes = (text: string) => new TextEncoder().encode(text);
  return digits < "2050" ? tagged(0x17, bytes(digits.slice(2))) : tagged(0x18, bytes(digits));
}
