import type { HttpCall } from "../../core/envelope.ts";
import { isSecretField, isSecretHeader } from "./request_place.ts";

type Headers = readonly (readonly [string, string])[];

/** Headers besides those for secrets alone that say on whose behalf a call is made. */
const IDENTIFYING: ReadonlySet<string> = new Set([
  "cookie",
  "x-amz-security-token",
]);

/** Parameters of URLs that were signed for whoever uses them. */
const SIGNATURES: ReadonlySet<string> = new Set([
  ...["sig", "signature", "xamzcredential", "xamzsignature", "xamzsecuritytoken"],
  ...["xgoogcredential", "xgoogsignature"],
]);

/**
 * Whether the agent itself brings a credential, which may be anybody's: in a header or in a
 * parameter for secrets. `isKnown` says of a header and its value that it is none of its own.
 */
export function bringsCredential(
  call: Pick<HttpCall, "query">,
  headers: Headers,
  isKnown: (name: string, value: string) => boolean,
): boolean {
  const inHeader = headers.some(([name, value]) =>
    (isSecretHeader(name) || IDENTIFYING.has(name)) && value.trim() !== "" && !isKnown(name, value)
  );
  return inHeader ||
    [...new URLSearchParams(call.query)].some(([name, value]) =>
      isSigned(name) && value !== "" && !isKnown("", value)
    );
}

function isSigned(name: string): boolean {
  return isSecretField(name, "query") ||
    SIGNATURES.has(name.toLowerCase().replace(/[-_]/g, ""));
}
