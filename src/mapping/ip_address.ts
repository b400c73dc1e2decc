/**
 * IP addresses as host names. Every address has many spellings (`127.1`,
 * `0x7f000001`, `[::ffff:7f00:1]`), and each spelling that a rule does not know
 * and a resolver does is a way around the rule. So there is one spelling here.
 */

const DOTTED_QUAD =
  /^(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

/**
 * Tells whether some resolver reads `host` as an IPv4 address: its last label is
 * a number in any notation (WHATWG URL, "ends in a number checker").
 */
export function looksLikeIpv4(host: string): boolean {
  const last = host.slice(host.lastIndexOf(".") + 1);
  return /^(?:\d+|0x[0-9a-f]*)$/i.test(last);
}

/** Tells whether `host` is four decimal numbers without leading zeros. */
export function isCanonicalIpv4(host: string): boolean {
  return DOTTED_QUAD.test(host);
}

function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (i === parts.length - 1 && part.includes(".")) {
      if (!isCanonicalIpv4(part)) return undefined;
      const [a, b, c, d] = part.split(".").map(Number) as [number, number, number, number];
      groups.push(a * 256 + b, c * 256 + d);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

/** The eight groups of an IPv6 address (RFC 4291, 2.2), without brackets or zone. */
export function parseIpv6(text: string): number[] | undefined {
  const gap = text.indexOf("::");
  if (gap < 0) {
    const groups = parseGroups(text);
    return groups?.length === 8 ? groups : undefined;
  }
  const after = text.slice(gap + 2);
  // An address has one gap, and a dotted tail can only end the address.
  if (after.includes("::") || text.slice(0, gap).includes(".")) return undefined;
  const head = parseGroups(text.slice(0, gap));
  const tail = parseGroups(after);
  if (!head || !tail || head.length + tail.length > 7) return undefined;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** The one spelling of an IPv6 address that RFC 5952 gives it. */
export function formatIpv6(groups: readonly number[]): string {
  let [bestStart, bestLength] = [-1, 1];
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > bestLength) [bestStart, bestLength] = [start, end - start];
    if (end > start) start = end;
  }
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  if (bestStart < 0) return hex(groups);
  return `${hex(groups.slice(0, bestStart))}::${hex(groups.slice(bestStart + bestLength))}`;
}

/**
 * Tells whether an IPv6 address is an IPv4 address in disguise: mapped
 * (`::ffff:0:0/96`), compatible (`::/96`), translated (`::ffff:0:0:0/96`) or
 * NAT64 (`64:ff9b::/96`, `64:ff9b:1::/48`). `::` and `::1` are not.
 */
export function embedsIpv4(groups: readonly number[]): boolean {
  const leadingZeros = groups.findIndex((group) => group !== 0);
  if (groups[0] === 0x64 && groups[1] === 0xff9b) return true;
  if (leadingZeros === 5 && groups[5] === 0xffff) return true;
  if (leadingZeros === 4 && groups[4] === 0xffff && groups[5] === 0) return true;
  return leadingZeros === 6 || (leadingZeros === 7 && groups[7] !== 1);
}
