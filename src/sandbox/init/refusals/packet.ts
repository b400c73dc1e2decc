/** The little of IP, TCP and UDP (RFC 791, 8200, 9293, 768) that telling of a refusal takes. */

const TCP = 6;
const UDP = 17;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const SYN = 0x02;
const ACK = 0x10;
const RST_ACK = 0x14;

/** A packet with which somebody wanted to reach something. */
export interface Attempt {
  readonly protocol: "tcp" | "udp";
  readonly from: { readonly address: string; readonly port: number };
  readonly to: { readonly address: string; readonly port: number };
}

/** Reads a packet that begins with its IP header; `undefined` for anything else than an attempt. */
export function readAttempt(packet: Uint8Array<ArrayBuffer>): Attempt | undefined {
  if (packet.length < IPV4_HEADER) return undefined;
  const view = viewOf(packet);
  const header = headerLength(packet);
  const isIpv6 = header === IPV6_HEADER && packet[0]! >> 4 === 6;
  const protocol = isIpv6 ? packet[6] : packet[9];
  if (protocol !== TCP && protocol !== UDP) return undefined;
  if (packet.length < header + (protocol === TCP ? 20 : 8)) return undefined;
  if (protocol === TCP && (packet[header + 13]! & (SYN | ACK)) !== SYN) return undefined;
  const [from, to] = isIpv6
    ? [ipv6Text(view, 8), ipv6Text(view, 24)]
    : [packet.subarray(12, 16).join("."), packet.subarray(16, 20).join(".")];
  return {
    protocol: protocol === TCP ? "tcp" : "udp",
    from: { address: from, port: view.getUint16(header) },
    to: { address: to, port: view.getUint16(header + 2) },
  };
}

function viewOf(packet: Uint8Array<ArrayBuffer>): DataView {
  return new DataView(packet.buffer, packet.byteOffset, packet.length);
}

function headerLength(packet: Uint8Array): number {
  return packet[0]! >> 4 === 6 ? IPV6_HEADER : (packet[0]! & 15) * 4;
}

function ipv6Text(view: DataView, at: number): string {
  const words = Array.from({ length: 8 }, (_, index) => view.getUint16(at + 2 * index));
  return words.map((word) => word.toString(16)).join(":");
}

/** What resets an attempt over TCP and IPv4, with its IP header. */
export function resetOf(packet: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const header = headerLength(packet);
  const from = viewOf(packet);
  const reset = new Uint8Array(IPV4_HEADER + 20);
  const view = viewOf(reset);
  const addresses = [...packet.subarray(16, 20), ...packet.subarray(12, 16)];
  reset[0] = 0x45;
  view.setUint16(2, reset.length);
  reset.set([64, TCP, 0, 0, ...addresses], 8);
  view.setUint16(10, checksum(reset.subarray(0, IPV4_HEADER)));
  view.setUint16(20, from.getUint16(header + 2));
  view.setUint16(22, from.getUint16(header));
  view.setUint32(28, from.getUint32(header + 4) + 1 >>> 0);
  reset.set([5 << 4, RST_ACK], 32);
  const pseudo = [...addresses, 0, TCP, 0, 20];
  view.setUint16(36, checksum(new Uint8Array([...pseudo, ...reset.subarray(IPV4_HEADER)])));
  return reset;
}

/** RFC 1071, over an even number of bytes. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes[at]! << 8 | bytes[at + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
