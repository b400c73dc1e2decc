const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** The IPv4 address that an IPv4-mapped IPv6 address stands for; any other address unchanged. */
export function unmapped(address: string): string {
  return MAPPED.exec(address)?.[1] ?? address;
}

/** The bytes of an IPv4 or IPv6 literal in network order. */
export function addressBytes(address: string): number[] {
  if (!address.includes(":")) return address.split(".").map(Number);
  const [head = "", tail] = address.split("::");
  const front = words(head);
  const back = tail === undefined ? [] : words(tail);
  const zeros = new Array<number>(8 - front.length - back.length).fill(0);
  return [...front, ...zeros, ...back].flatMap((word) => [word >> 8, word & 0xff]);
}

function words(text: string): number[] {
  return text === "" ? [] : text.split(":").map((part) => parseInt(part, 16));
}
