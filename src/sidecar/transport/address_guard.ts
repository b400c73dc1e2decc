/**
 * Which addresses no agent may reach through the Sidecar, however it got their name
 * resolved: this machine, its networks, and the metadata services of clouds.
 */

type Range = readonly [network: number, bits: number, what: string];

function ipv4Number(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let value = 0;
  for (let i = 1; i <= 4; i++) {
    const part = Number(match[i]);
    if (part > 255) return undefined;
    value = value * 256 + part;
  }
  return value;
}

function range(cidr: string, what: string): Range {
  const [network, bits] = cidr.split("/");
  return [ipv4Number(network!)!, Number(bits), what];
}

// 203.0.113.0/24 and the other documentation networks are not here: they are routed nowhere by
// default, and closed networks use them for real servers.
const IPV4_RANGES: readonly Range[] = [
  range("0.0.0.0/8", "unspecified"),
  range("10.0.0.0/8", "private"),
  range("100.64.0.0/10", "shared (carrier-grade NAT)"),
  range("127.0.0.0/8", "loopback"),
  // Azure answers its machines here, with their settings and names.
  range("168.63.129.16/32", "cloud metadata"),
  range("169.254.0.0/16", "link-local (cloud metadata)"),
  range("172.16.0.0/12", "private"),
  range("192.0.0.0/24", "reserved"),
  range("192.168.0.0/16", "private"),
  range("198.18.0.0/15", "reserved for the sandbox"),
  range("224.0.0.0/4", "multicast"),
  range("240.0.0.0/4", "reserved"),
];

function blockedIpv4(address: number): string | undefined {
  for (const [network, bits, what] of IPV4_RANGES) {
    const size = 2 ** (32 - bits);
    if (Math.floor(address / size) === network / size) return what;
  }
  return undefined;
}

/** The eight groups of an IPv6 address; `undefined` when it is none. */
function ipv6Groups(text: string): number[] | undefined {
  let address = text.split("%", 1)[0]!;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (dotted !== null) {
    const low = ipv4Number(dotted[2]!);
    if (low === undefined) return undefined;
    address = `${dotted[1]}${Math.floor(low / 65536).toString(16)}:${(low % 65536).toString(16)}`;
  }
  const halves = address.split("::");
  if (halves.length > 2) return undefined;
  const parts = halves.map((half) => half === "" ? [] : half.split(":"));
  const head = parts[0]!;
  const tail = parts[1] ?? [];
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups: number[] = [];
  for (const part of [...head, ...Array<string>(missing).fill("0"), ...tail]) {
    if (!/^[0-9A-Fa-f]{1,4}$/.test(part)) return undefined;
    groups.push(parseInt(part, 16));
  }
  return groups;
}

function embedded(high: number, low: number, how: string): string | undefined {
  const what = blockedIpv4(high * 65536 + low);
  return what === undefined ? undefined : `${what} in ${how}`;
}

function blockedIpv6(groups: readonly number[]): string | undefined {
  const [a, b, c, d, e, f, g, h] = groups as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const zeros = (count: number) => groups.slice(0, count).every((group) => group === 0);
  if (zeros(7) && h === 0) return "unspecified";
  if (zeros(7) && h === 1) return "loopback";
  if (zeros(5) && f === 0xffff) return embedded(g, h, "IPv4-mapped IPv6");
  if (zeros(4) && e === 0xffff && f === 0) return embedded(g, h, "IPv4-translated IPv6");
  if (zeros(6)) return "IPv4-compatible IPv6";
  if ((a & 0xfe00) === 0xfc00) return "private (unique local)";
  if ((a & 0xffc0) === 0xfe80) return "link-local";
  if ((a & 0xffc0) === 0xfec0) return "private (site-local)";
  if ((a & 0xff00) === 0xff00) return "multicast";
  if (a === 0x64 && b === 0xff9b) {
    // 64:ff9b::/96 translates to the IPv4 address at its end; 64:ff9b:1::/48 is for local use.
    return c === 0 && d === 0 && e === 0 && f === 0 ? embedded(g, h, "NAT64") : "private (NAT64)";
  }
  if (a === 0x2002) return embedded(b, c, "6to4");
  if (a === 0x2001 && b === 0) return "Teredo";
  if (a === 0x0100 && b === 0 && c === 0 && d === 0) return "discard-only";
  if (e === 0 || e === 0x0200) {
    if (f === 0x5efe) return embedded(g, h, "ISATAP");
  }
  return undefined;
}

/** Why no agent may reach `address`, or `undefined` when it may. What is no address is refused. */
export function blockedAddress(address: string): string | undefined {
  const ipv4 = ipv4Number(address);
  if (ipv4 !== undefined) return blockedIpv4(ipv4);
  const ipv6 = ipv6Groups(address);
  return ipv6 === undefined ? "not an IP address" : blockedIpv6(ipv6);
}
