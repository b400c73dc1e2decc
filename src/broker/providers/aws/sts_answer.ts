import { err, ok, type Result } from "../../../core/result.ts";
import { expiryMs } from "../service/token.ts";
import type { ServiceAnswer } from "../service/ask.ts";

/** Keys of AWS for a while. */
export interface SessionKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAtMs: number;
}

/**
 * Reads the answer of STS to AssumeRole and AssumeRoleWithWebIdentity. Of XML it takes elements with
 * text and nothing else: no declarations of types, no entities, no attributes on what is read, and
 * each element that is read exactly once.
 */
export function readSessionKeys(
  { mediaType, text }: ServiceAnswer,
  nowMs: number,
): Result<SessionKeys, string> {
  if (mediaType !== "text/xml" && mediaType !== "application/xml") {
    return err("its answer is not XML");
  }
  if (/<!|<\?(?!xml )/.test(text)) return err("its answer has declarations in it");
  const credentials = only(text, "Credentials", /[^]*?/);
  if (credentials === undefined) return err("its answer has no Credentials, or several");
  const accessKeyId = only(credentials, "AccessKeyId", /[A-Z0-9]{16,128}/);
  const secretAccessKey = only(credentials, "SecretAccessKey", /[A-Za-z0-9+/=]{16,256}/);
  const sessionToken = only(credentials, "SessionToken", /[A-Za-z0-9+/=_-]{1,16384}/);
  if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined) {
    return err("its answer has not all parts of a key");
  }
  const expiresAtMs = expiryMs(
    only(credentials, "Expiration", /[0-9T:.Z-]{1,40}/),
    "Expiration",
    nowMs,
  );
  if (!expiresAtMs.ok) return expiresAtMs;
  return ok({ accessKeyId, secretAccessKey, sessionToken, expiresAtMs: expiresAtMs.value });
}

/** The text of the only element of a name, where it has the form of `value`. */
function only(text: string, name: string, value: RegExp): string | undefined {
  if (text.split(new RegExp(`<${name}[\\s/>]`)).length !== 2) return undefined;
  return new RegExp(`<${name}>\\s*(${value.source})\\s*</${name}>`).exec(text)?.[1];
}

/** Codes of STS's refusals: the only words of an answer that are repeated. */
const REFUSALS: ReadonlySet<string> = new Set([
  ...["AccessDenied", "ExpiredToken", "ExpiredTokenException", "IDPCommunicationError"],
  ...[
    "IDPRejectedClaim",
    "InvalidClientTokenId",
    "InvalidIdentityToken",
    "MalformedPolicyDocument",
  ],
  ...[
    "PackedPolicyTooLarge",
    "RegionDisabledException",
    "SignatureDoesNotMatch",
    "ValidationError",
  ],
]);

/** Why STS refused, in words that no answer can choose. */
export function stsRefusal({ status, text }: ServiceAnswer): string {
  const code = /<Code>([A-Za-z]{1,64})<\/Code>/.exec(text)?.[1];
  return `it answered ${status}${code !== undefined && REFUSALS.has(code) ? ` (${code})` : ""}`;
}
