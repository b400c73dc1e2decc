import { isCanonicalIpv4, parseIpv6 } from "../mapping/ip_address.ts";

/** A block of addresses: network, prefix length, and what it is for. */
type Block = readonly [network: string, bits: number, name: string];

/** IPv4 addresses that are not on the public internet (IANA special-purpose registry). */
const IPV4_BLOCKS: readonly Block[] = [
  ["0.0.0.0", 8, "this network"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "shared address space"],
  ["127.0.0.0", 8, "loopback"],
  ["169.254.0.0", 16, "link-local, cloud metadata"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "protocol assignments"],
  ["192.0.2.0", 24, "documentation"],
  ["192.88.99.0", 24, "6to4 relay"],
  ["192.168.0.0", 16, "private"],
  ["198.18.0.0", 15, "benchmarking"],
  ["198.51.100.0", 24, "documentation"],
  ["203.0.113.0", 24, "documentation"],
  ["224.0.0.0", 4, "multicast"],
  ["240.0.0.0", 4, "reserved"],
];

/** IPv6 blocks inside 2000::/3 that are not on the public internet; nothing outside it is. */
const IPV6_BLOCKS: readonly Block[] = [
  ["2001::", 23, "protocol assignments, Teredo"],
  ["2001:db8::", 32, "documentation"],
  ["2002::", 16, "6to4"],
  ["3fff::", 20, "documentation"],
];

const IPV4 = IPV4_BLOCKS.map(([network, bits, name]) => ({
  network: ipv4Number(network),
  divisor: 2 ** (32 - bits),
  name,
}));
const IPV6 = IPV6_BLOCKS.map(([network, bits, name]) => ({
  network: ipv6Number(parseIpv6(network)!) >> BigInt(128 - bits),
  shift: BigInt(128 - bits),
  name,
}));

/**
 * Why `address` is not on the public internet, or `undefined` when it is. Takes
 * IPv4, and IPv6 with or without brackets; an IPv4 address inside an IPv6 one
 * counts as itself. What is no address is not public either.
 */
export function notPublic(address: string): string | undefined {
  if (isCanonicalIpv4(address)) return ipv4Range(ipv4Number(address));
  const zone = address.indexOf("%");
  if (zone >= 0) return "link-local";
  const bare = address.startsWith("[") && address.endsWith("]") ? address.slice(1, -1) : address;
  const groups = parseIpv6(bare);
  if (groups === undefined) return "not an address";
  const inner = embeddedIpv4(groups);
  if (inner !== undefined) return ipv4Range(inner);
  if (groups.every((group, i) => group === (i === 7 ? 1 : 0))) return "loopback";
  if (groups[0]! >> 13 !== 1) return "not global unicast";
  const value = ipv6Number(groups);
  return IPV6.find(({ network, shift }) => value >> shift === network)?.name;
}

function ipv4Range(value: number): string | undefined {
  return IPV4.find(({ network, divisor }) =>
    Math.floor(value / divisor) === Math.floor(network / divisor)
  )?.name;
}

/** Of a mapped (`::ffff:0:0/96`) or NAT64 (`64:ff9b::/96`) address; routers deliver these to it. */
function embeddedIpv4(groups: readonly number[]): number | undefined {
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  const nat64 = groups[0] === 0x64 && groups[1] === 0xff9b &&
    groups.slice(2, 6).every((group) => group === 0);
  return mapped || nat64 ? groups[6]! * 0x10000 + groups[7]! : undefined;
}

function ipv4Number(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function ipv6Number(groups: readonly number[]): bigint {
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);
}
