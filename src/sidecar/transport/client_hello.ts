/** Reads the server name out of a TLS ClientHello (RFC 8446, 4.1.2; RFC 6066, 3). */
import { Buffer } from "node:buffer";

/** What reading a ClientHello came to. */
export type ClientHelloReading =
  | { readonly kind: "hello"; readonly serverName: string | undefined }
  | { readonly kind: "more" }
  | { readonly kind: "bad"; readonly detail: string };

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const MAX_RECORD = 16_384;
/** Clients split a ClientHello into a few records at most; looking at each costs time. */
const MAX_RECORDS = 64;
const EXTENSION_SERVER_NAME = 0;
const NAME_TYPE_HOST = 0;
const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$/;

function bad(detail: string): ClientHelloReading {
  return { kind: "bad", detail: `ClientHello: ${detail}` };
}

/** The first byte of a TLS connection. */
export const TLS_FIRST_BYTE = HANDSHAKE;

/** Reads the ClientHello at the start of `bytes`, which may span several records. */
export function parseClientHello(bytes: Buffer, limit: number): ClientHelloReading {
  const fragments: Buffer[] = [];
  let have = 0;
  let length: number | undefined;
  for (let at = 0;;) {
    if (have >= 4) {
      length ??= Buffer.concat(fragments).readUIntBE(1, 3);
      if (length + 4 > limit) return bad(`larger than ${limit} bytes`);
      if (have >= length + 4) {
        const handshake = fragments.length === 1 ? fragments[0]! : Buffer.concat(fragments);
        return parseBody(handshake.subarray(4, length + 4));
      }
    }
    if (fragments.length === MAX_RECORDS) return bad("in too many records");
    if (at > limit) return bad(`larger than ${limit} bytes`);
    const record = bytes.subarray(at);
    if (record.length > 0 && record[0] !== HANDSHAKE) return bad("not a handshake record");
    if (record.length > 1 && record[1] !== 3) return bad("record version is wrong");
    if (record.length < 5) return { kind: "more" };
    const size = record.readUInt16BE(3);
    if (size === 0 || size > MAX_RECORD) return bad("record length is wrong");
    const fragment = record.subarray(5, 5 + size);
    // A handshake type other than ClientHello is told from the first byte: no waiting for the rest.
    if (have === 0 && fragment.length > 0 && fragment[0] !== CLIENT_HELLO) {
      return bad("not a ClientHello");
    }
    if (fragment.length < size) return { kind: "more" };
    fragments.push(fragment);
    have += size;
    at += 5 + size;
  }
}

/** Walks length-prefixed fields; every read past the end is an error. */
class Cursor {
  at = 0;
  constructor(readonly bytes: Buffer) {}
  get left(): number {
    return this.bytes.length - this.at;
  }
  take(count: number): Buffer {
    if (count > this.left) throw new RangeError("cut short");
    return this.bytes.subarray(this.at, this.at += count);
  }
  number(size: number): number {
    return this.take(size).readUIntBE(0, size);
  }
  vector(size: number): Cursor {
    return new Cursor(this.take(this.number(size)));
  }
}

function parseBody(body: Buffer): ClientHelloReading {
  try {
    const hello = new Cursor(body);
    hello.take(2 + 32); // legacy version, random
    hello.vector(1); // session id
    hello.vector(2); // cipher suites
    hello.vector(1); // compression methods
    if (hello.left === 0) return { kind: "hello", serverName: undefined };
    const extensions = hello.vector(2);
    if (hello.left > 0) return bad("bytes after the extensions");
    let serverName: string | undefined;
    while (extensions.left > 0) {
      const type = extensions.number(2);
      const data = extensions.vector(2);
      if (type !== EXTENSION_SERVER_NAME) continue;
      if (serverName !== undefined) return bad("server name is given twice");
      const list = data.vector(2);
      if (list.number(1) !== NAME_TYPE_HOST) return bad("server name is not a host name");
      const name = list.vector(2);
      if (list.left > 0 || data.left > 0) return bad("more than one server name");
      serverName = name.bytes.toString("latin1");
      if (!HOST_NAME.test(serverName)) return bad("server name is malformed");
    }
    return { kind: "hello", serverName };
  } catch (error) {
    if (error instanceof RangeError) return bad("cut short");
    throw error;
  }
}
