import { createHmac } from "node:crypto";
import { type CallToSign, canonicalRequest, sha256Hex } from "./canonical.ts";

/** The only algorithm that is spoken here. */
export const ALGORITHM = "AWS4-HMAC-SHA256";

/** Keys of AWS, for a while or for good. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** What a signature is good for. */
export interface SigningScope {
  readonly region: string;
  readonly service: string;
}

/** `20150830T123600Z` */
export function amzDate(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, "");
}

function hmac(key: string | Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}

/** The fields that a signed call has in place of those of the same names. */
export function signatureFields(
  call: CallToSign,
  { accessKeyId, secretAccessKey, sessionToken }: AwsKeys,
  { region, service, payloadHash, alsoSign, nowMs }: SigningScope & {
    readonly payloadHash: string;
    /** Fields to sign beside `host` and those whose names begin with `x-amz-`. */
    readonly alsoSign: readonly string[];
    readonly nowMs: number;
  },
): [string, string][] {
  const at = amzDate(nowMs);
  const added: [string, string][] = [
    ["x-amz-date", at],
    ...(sessionToken === undefined
      ? []
      : [["x-amz-security-token", sessionToken] as [string, string]]),
  ];
  const kept = call.fields.filter(([name]) => !REPLACED.has(name));
  const fields = [...kept, ...added];
  const present = new Set(fields.map(([name]) => name));
  const signed = [
    "host",
    ...[...present].filter((name) => name.startsWith("x-amz-")),
    ...alsoSign.filter((name) => present.has(name)),
  ];
  const request = canonicalRequest({ ...call, fields }, { signed, payloadHash, service });
  const scope = `${at.slice(0, 8)}/${region}/${service}/aws4_request`;
  const day = hmac(`AWS4${secretAccessKey}`, at.slice(0, 8));
  const key = hmac(hmac(hmac(day, region), service), "aws4_request");
  const text = `${ALGORITHM}\n${at}\n${scope}\n${sha256Hex(request)}`;
  const signature = hmac(key, text).toHex();
  const names = [...new Set(signed)].sort().join(";");
  const value = `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, ` +
    `Signature=${signature}`;
  return [...added, ["authorization", value]];
}

/** What is of the old signature, and no part of a new one. */
export const REPLACED: ReadonlySet<string> = new Set([
  "authorization",
  "x-amz-date",
  "x-amz-security-token",
]);
