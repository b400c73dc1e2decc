import { nodeModule } from "../core/node_module.ts";

/** The 4 or 16 bytes of an IP address, `undefined` for anything else. */
export function addressBytes(host: string): Uint8Array | undefined {
  // Most names are none: no address is without a colon or a digit at its end.
  if (!/[0-9:]/.test(host.at(-1) ?? "") && !host.includes(":")) return undefined;
  const { isIP } = nodeModule("node:net");
  if (isIP(host) === 4) return Uint8Array.from(host.split("."), Number);
  if (isIP(host) !== 6 || /[.%]/.test(host)) return undefined;
  const [head, tail] = host.split("::").map((half) => half === "" ? [] : half.split(":"));
  const gap = tail === undefined ? 0 : 8 - head!.length - tail.length;
  const groups = [...head!, ...Array<string>(gap).fill("0"), ...(tail ?? [])];
  return Uint8Array.fromHex(groups.map((group) => group.padStart(4, "0")).join(""));
}
