import { text, type ValueType } from "./value_type.ts";

/** Where to connect instead of resolving a host. */
export interface ConnectAddress {
  readonly hostname: string;
  readonly port: number;
}

/** An address, or a name, and a port. */
export const CONNECT_ADDRESS: ValueType<ConnectAddress> = text<ConnectAddress>(
  "address",
  { pattern: ":[0-9]{1,5}$" },
  (value) => {
    const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/i.exec(value);
    const port = Number(match?.[3]);
    if (!match || port < 1 || port > 65535) {
      return { state: `"${value}" is not an address and a port such as "127.0.0.1:8443"` };
    }
    return { value: { hostname: (match[1] ?? match[2])!, port } };
  },
);
