import { isAbsolute } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";

/** Where an Authority listens. */
export type ListenAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly hostname: string; readonly port: number };

/** Reads `unix:///path/of.sock`, `127.0.0.1:9443` or `[::1]:9443`; port 0 takes any. */
export function parseListenAddress(text: string): Result<ListenAddress, string> {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix://".length);
    if (text.startsWith("unix://") && isAbsolute(path)) return ok({ kind: "unix", path });
    return err(`"${text}" is not a socket such as "unix:///run/firma/authority.sock"`);
  }
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535) {
    return err(`"${text}" is neither an address and a port nor a socket "unix:///…"`);
  }
  return ok({ kind: "tcp", hostname: (match[1] ?? match[2])!, port });
}

/** The address as an operator writes it. */
export function listenAddressText(address: ListenAddress): string {
  if (address.kind === "unix") return `unix://${address.path}`;
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
