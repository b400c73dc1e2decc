/** The PROXY protocol, version 2, as firma's bridge writes it in front of each connection. */
import type { Provenance } from "../../core/envelope.ts";

/** What the bridge says of a connection. */
export interface ProxyHeader {
  /** The address that the program in the sandbox connected to. */
  readonly address: string;
  readonly port: number;
  /** The name that it had asked the sandbox's DNS for; transparent capture only. */
  readonly name?: string;
  /** The connection is of a stub of this secret store's program. */
  readonly store?: string;
  readonly provenance: Provenance;
}

/** What reading a header came to. */
export type ProxyHeaderReading =
  | { readonly kind: "header"; readonly header: ProxyHeader; readonly size: number }
  | { readonly kind: "more" }
  | { readonly kind: "bad"; readonly detail: string };

const SIGNATURE = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];
const FIXED = 16;
const MAX_LENGTH = 8_192;
const VERSION_2_PROXY = 0x21;
const TCP4 = 0x11;
const TCP6 = 0x21;
const TYPE_AUTHORITY = 0x02;
const TYPE_PID = 0xe0;
const TYPE_EXECUTABLE = 0xe1;
const TYPE_VIA = 0xe2;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function bad(detail: string): ProxyHeaderReading {
  return { kind: "bad", detail: `PROXY header: ${detail}` };
}

/** Reads the header at the start of `bytes`. */
export function parseProxyHeader(bytes: Uint8Array): ProxyHeaderReading {
  const seen = bytes.subarray(0, SIGNATURE.length);
  if (seen.some((byte, i) => byte !== SIGNATURE[i])) return bad("signature is wrong");
  if (bytes.length < FIXED) return { kind: "more" };
  if (bytes[12] !== VERSION_2_PROXY) return bad("version or command is wrong");
  const family = bytes[13];
  if (family !== TCP4 && family !== TCP6) return bad("address family is wrong");
  const length = uint16At(bytes, 14);
  if (length > MAX_LENGTH) return bad(`length is larger than ${MAX_LENGTH} bytes`);
  if (bytes.length < FIXED + length) return { kind: "more" };
  const body = bytes.subarray(FIXED, FIXED + length);
  const addressSize = family === TCP4 ? 4 : 16;
  const addresses = addressSize * 2 + 4;
  if (length < addresses) return bad("addresses are missing");
  const destination = body.subarray(addressSize, addressSize * 2);
  const extras = parseExtras(body.subarray(addresses));
  if (typeof extras === "string") return bad(extras);
  const header: ProxyHeader = {
    address: family === TCP4 ? destination.join(".") : formatIpv6(destination),
    port: uint16At(body, addressSize * 2 + 2),
    ...extras,
  };
  return { kind: "header", header, size: FIXED + length };
}

function parseExtras(
  bytes: Uint8Array,
): Pick<ProxyHeader, "name" | "store" | "provenance"> | string {
  const values = new Map<number, string>();
  for (let at = 0; at < bytes.length;) {
    if (at + 3 > bytes.length) return "extension is cut short";
    const type = bytes[at]!;
    const end = at + 3 + uint16At(bytes, at + 1);
    if (end > bytes.length) return "extension is cut short";
    if (values.has(type)) return "extension is given twice";
    values.set(type, decoder.decode(bytes.subarray(at + 3, end)));
    at = end;
  }
  const via = values.get(TYPE_VIA);
  if (via === "store") {
    return { store: values.get(TYPE_AUTHORITY) ?? "", provenance: { via: "exec" } };
  }
  if (via !== "proxy" && via !== "transparent" && via !== "exec") {
    return "way of capture is missing";
  }
  const pid = values.get(TYPE_PID);
  if (pid !== undefined && !/^[0-9]{1,10}$/.test(pid)) return "process id is malformed";
  const executable = values.get(TYPE_EXECUTABLE);
  const name = values.get(TYPE_AUTHORITY);
  return {
    ...(name === undefined || name === "" ? {} : { name }),
    provenance: {
      ...(executable === undefined ? {} : { executable }),
      ...(pid === undefined ? {} : { pid: Number(pid) }),
      via,
    },
  };
}

function uint16At(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

function formatIpv6(bytes: Uint8Array): string {
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(uint16At(bytes, i).toString(16));
  return groups.join(":");
}
