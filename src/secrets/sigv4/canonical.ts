import { createHash } from "node:crypto";

/** A call as it goes out. */
export interface CallToSign {
  readonly method: string;
  /** `Host`, with the port unless it is the scheme's own. */
  readonly authority: string;
  /** Path and query, as they are sent. */
  readonly target: string;
  /** Names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** The SHA-256 of bytes or text, in hexadecimal. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** AWS's own percent-encoding: everything but letters, digits and `-._~`. */
function encode(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    text += /[A-Za-z0-9\-._~]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}

/** The bytes that a part of a target stands for. */
function decode(text: string): Uint8Array {
  const bytes: number[] = [];
  const raw = new TextEncoder().encode(text);
  for (let at = 0; at < raw.length; at++) {
    const hex = raw[at] === 0x25 ? String.fromCharCode(raw[at + 1] ?? 0, raw[at + 2] ?? 0) : "";
    if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      at += 2;
    } else bytes.push(raw[at]!);
  }
  return Uint8Array.from(bytes);
}

/** S3 takes the path encoded once; every other service encodes what is sent once more. */
function canonicalPath(path: string, service: string): string {
  const segment = service === "s3"
    ? (text: string) => encode(decode(text))
    : (text: string) => encode(new TextEncoder().encode(text));
  return path.split("/").map(segment).join("/");
}

function canonicalQuery(query: string): string {
  if (query === "") return "";
  const value = (text: string) => encode(decode(text.replaceAll("+", "%20")));
  const pairs = query.split("&").filter((pair) => pair !== "").map((pair) => {
    const equals = pair.indexOf("=");
    return equals < 0
      ? [value(pair), ""] as const
      : [value(pair.slice(0, equals)), value(pair.slice(equals + 1))] as const;
  });
  pairs.sort(([a, x], [b, y]) => a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0);
  return pairs.map((pair) => pair.join("=")).join("&");
}

/** The path and the query of a target. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf("?");
  return mark < 0
    ? { path: target, query: "" }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** The canonical request of AWS Signature Version 4; `signed` are names of fields, and `host`. */
export function canonicalRequest(
  { method, authority, target, fields }: CallToSign,
  { signed, payloadHash, service }: {
    readonly signed: readonly string[];
    readonly payloadHash: string;
    readonly service: string;
  },
): string {
  const { path, query } = splitTarget(target);
  const names = [...new Set(signed)].sort();
  const valueOf = (name: string) => {
    const values = name === "host"
      ? [authority]
      : fields.filter(([each]) => each === name).map(([, value]) => value);
    return values.map((value) => value.trim().replace(/[ \t]+/g, " ")).join(",");
  };
  return [
    method,
    canonicalPath(path, service),
    canonicalQuery(query),
    ...names.map((name) => `${name}:${valueOf(name)}`),
    "",
    names.join(";"),
    payloadHash,
  ].join("\n");
}
