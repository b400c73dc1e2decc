/** The PROXY protocol, version 2, as firma's bridge writes it in front of each connection. */
import { Buffer } from "node:buffer";
import type { Provenance } from "../../core/envelope.ts";

/** What the bridge says of a connection. */
export interface ProxyHeader {
  /** The address that the program in the sandbox connected to. */
  readonly address: string;
  readonly port: number;
  /** The name that it had asked the sandbox's DNS for; transparent capture only. */
  readonly name?: string;
  readonly provenance: Provenance;
}

/** What reading a header came to. */
export type ProxyHeaderReading =
  | { readonly kind: "header"; readonly header: ProxyHeader; readonly size: number }
  | { readonly kind: "more" }
  | { readonly kind: "bad"; readonly detail: string };

const SIGNATURE = Buffer.from([13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]);
const FIXED = 16;
const MAX_LENGTH = 8_192;
const VERSION_2_PROXY = 0x21;
const TCP4 = 0x11;
const TCP6 = 0x21;
const TYPE_AUTHORITY = 0x02;
const TYPE_PID = 0xe0;
const TYPE_EXECUTABLE = 0xe1;
const TYPE_VIA = 0xe2;

function bad(detail: string): ProxyHeaderReading {
  return { kind: "bad", detail: `PROXY header: ${detail}` };
}

/** Reads the header at the start of `bytes`. */
export function parseProxyHeader(bytes: Buffer): ProxyHeaderReading {
  const seen = Math.min(bytes.length, SIGNATURE.length);
  if (bytes.compare(SIGNATURE, 0, seen, 0, seen) !== 0) return bad("signature is wrong");
  if (bytes.length < FIXED) return { kind: "more" };
  if (bytes[12] !== VERSION_2_PROXY) return bad("version or command is wrong");
  const family = bytes[13];
  if (family !== TCP4 && family !== TCP6) return bad("address family is wrong");
  const length = bytes.readUInt16BE(14);
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
    port: body.readUInt16BE(addressSize * 2 + 2),
    ...extras,
  };
  return { kind: "header", header, size: FIXED + length };
}

function parseExtras(bytes: Buffer): Pick<ProxyHeader, "name" | "provenance"> | string {
  const values = new Map<number, string>();
  for (let at = 0; at < bytes.length;) {
    if (at + 3 > bytes.length) return "extension is cut short";
    const type = bytes[at]!;
    const end = at + 3 + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) return "extension is cut short";
    if (values.has(type)) return "extension is given twice";
    values.set(type, bytes.toString("utf8", at + 3, end));
    at = end;
  }
  const via = values.get(TYPE_VIA);
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

function formatIpv6(bytes: Buffer): string {
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(bytes.readUInt16BE(i).toString(16));
  return groups.join(":");
}
