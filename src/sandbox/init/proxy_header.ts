import { addressBytes } from "./address.ts";

/** PROXY protocol version 2 (haproxy.org, proxy-protocol.txt, 2.2): who connects, and whereto. */

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const VERSION_2_PROXY = 0x21;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;

const TYPE_AUTHORITY = 0x02;
const TYPE_PROCESS = 0xe0;
const TYPE_EXECUTABLE = 0xe1;
const TYPE_VIA = 0xe2;

/** What the Sidecar is told about a connection before its first byte. */
export interface ConnectionOrigin {
  readonly clientPort: number;
  /** The address that the program connected to: an IPv4 or IPv6 literal. */
  readonly address: string;
  readonly port: number;
  /** The name that the program had looked up; of a stub, the secret store that it is for. */
  readonly host?: string;
  readonly pid?: number;
  readonly executable?: string;
  readonly via: "proxy" | "transparent" | "exec" | "store";
}

const encoder = new TextEncoder();

/** The header that opens a connection to the Sidecar. */
export function proxyHeader(origin: ConnectionOrigin): Uint8Array<ArrayBuffer> {
  const ipv6 = origin.address.includes(":");
  const body: number[] = [
    ...addressBytes(ipv6 ? "::1" : "127.0.0.1"),
    ...addressBytes(origin.address),
    origin.clientPort >> 8,
    origin.clientPort & 0xff,
    origin.port >> 8,
    origin.port & 0xff,
  ];
  const add = (type: number, value: string | undefined) => {
    if (!value) return;
    const bytes = encoder.encode(value).subarray(0, 4096);
    body.push(type, bytes.length >> 8, bytes.length & 0xff, ...bytes);
  };
  add(TYPE_AUTHORITY, origin.host);
  add(TYPE_PROCESS, origin.pid?.toString());
  add(TYPE_EXECUTABLE, origin.executable);
  add(TYPE_VIA, origin.via);
  return new Uint8Array([
    ...SIGNATURE,
    VERSION_2_PROXY,
    ipv6 ? TCP_OVER_IPV6 : TCP_OVER_IPV4,
    body.length >> 8,
    body.length & 0xff,
    ...body,
  ]);
}
