/**
 * Signs anew what an agent signed with look-alikes of keys (AWS Signature Version 4): the agent's
 * signature says for which region and service, and nothing else of it is believed.
 */
import { err, ok, type Result } from "../../core/result.ts";
import { type CallToSign, splitTarget } from "./canonical.ts";
import {
  ALGORITHM,
  type AwsKeys,
  REPLACED,
  signatureFields,
  type SigningScope,
} from "./signature.ts";

/** How a call is to be signed. */
export interface SigningPlan extends SigningScope {
  /** What stands for the body in the signature; `undefined`: its own SHA-256 has to. */
  readonly payloadHash: string | undefined;
  /** Fields that the agent signed. */
  readonly signed: readonly string[];
}

/** May change between here and the service, whoever sends them. */
const NOT_SIGNED: ReadonlySet<string> = new Set([
  ...["accept-encoding", "connection", "content-length", "expect", "te", "trailer", "upgrade"],
  ...["transfer-encoding", "user-agent", "via", "x-amzn-trace-id", "x-forwarded-for", "host"],
  ...REPLACED,
]);

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 +Credential=[^\s\/,]{1,256}\/\d{8}\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,64})\/aws4_request *, *SignedHeaders=([a-z0-9;_.-]{1,4096}) *, *Signature=[0-9A-Fa-f]{1,256}$/;

/**
 * Reads how a call is signed. `otherwise` holds for calls that are not signed at all, where it names
 * both. The error says, for people, why the call cannot be signed.
 */
export function signingPlan(
  { target, fields }: Pick<CallToSign, "target" | "fields">,
  otherwise: { readonly region?: string | undefined; readonly service?: string | undefined },
): Result<SigningPlan, string> {
  const payload = payloadHash(fields);
  if (!payload.ok) return payload;
  const names = splitTarget(target).query.split("&")
    .map((pair) => pair.split("=", 1)[0]!.replaceAll(/%([0-9A-Fa-f]{2})/g, decoded).toLowerCase());
  // Its life and what it is good for would be the agent's to choose, and it can be passed on.
  if (names.includes("x-amz-signature") || names.includes("signature")) {
    return err("its signature is in the query, and links for others are not signed");
  }
  const [authorization, more] = valuesOf(fields, "authorization");
  if (more !== undefined) return err("it has two signatures");
  if (authorization === undefined) {
    const { region, service } = otherwise;
    if (region === undefined || service === undefined) {
      return err("it does not say by a signature for which region and service it is");
    }
    return ok({ region, service, payloadHash: payload.value, signed: ["content-type"] });
  }
  const [, region, service, signed] = AUTHORIZATION.exec(authorization) ?? [];
  if (region === undefined || service === undefined || signed === undefined) {
    return err(`its signature is not one of ${ALGORITHM}`);
  }
  return ok({
    region,
    service,
    payloadHash: payload.value,
    signed: signed.split(";").filter((name) => !NOT_SIGNED.has(name)),
  });
}

function decoded(_: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

function payloadHash(fields: CallToSign["fields"]): Result<string | undefined, string> {
  const [hash, more] = valuesOf(fields, "x-amz-content-sha256");
  if (more !== undefined) return err("it has two hashes of its body");
  if (hash === undefined || /^[0-9a-f]{64}$/.test(hash)) return ok(hash);
  // The checksum that follows the body is no part of any signature.
  if (hash === "UNSIGNED-PAYLOAD" || hash === "STREAMING-UNSIGNED-PAYLOAD-TRAILER") return ok(hash);
  if (hash.startsWith("STREAMING-")) {
    return err("each piece of its body is signed for itself; have the client sign the whole body");
  }
  return err("what it has for a hash of its body is none");
}

function valuesOf(fields: CallToSign["fields"], name: string): string[] {
  return fields.filter(([each]) => each === name).map(([, value]) => value);
}

/** The fields of the call with another signature, and without any trace of the old one. */
export function resign(
  call: CallToSign,
  keys: AwsKeys,
  { region, service, signed, payloadHash, nowMs }: SigningPlan & {
    readonly payloadHash: string;
    readonly nowMs: number;
  },
): [string, string][] {
  const scope = { region, service, payloadHash, alsoSign: signed, nowMs };
  const kept = call.fields.filter(([name]) => !REPLACED.has(name));
  return [
    ...kept.map(([name, value]): [string, string] => [name, value]),
    ...signatureFields(call, keys, scope),
  ];
}
