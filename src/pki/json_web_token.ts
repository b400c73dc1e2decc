import { type KeyObject, sign } from "node:crypto";

/** How JSON Web Tokens are signed here (RFC 7518, 3.1; EdDSA: RFC 8037). */
export type JwtAlgorithm = "RS256" | "ES256" | "EdDSA";

/** The algorithm that goes with a private key; `undefined` where there is none that is safe. */
export function jwtAlgorithm(key: KeyObject): JwtAlgorithm | undefined {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "rsa":
      return modulusLength >= 2048 ? "RS256" : undefined;
    case "ec":
      return namedCurve === "prime256v1" || namedCurve === "P-256" ? "ES256" : undefined;
    case "ed25519":
      return "EdDSA";
    default:
      return undefined;
  }
}

/** Signs claims as a JSON Web Token (RFC 7519) in the compact form of RFC 7515. */
export function signJwt(
  claims: Readonly<Record<string, unknown>>,
  key: { readonly key: KeyObject; readonly algorithm: JwtAlgorithm; readonly keyId?: string },
): string {
  const { algorithm: alg, keyId } = key;
  const header = { alg, typ: "JWT", ...(keyId !== undefined && { kid: keyId }) };
  const input = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
  const signature = sign(
    alg === "EdDSA" ? null : "sha256",
    new TextEncoder().encode(input),
    // RFC 7518, 3.4: the two numbers one after the other, not in DER.
    { key: key.key, dsaEncoding: "ieee-p1363" },
  );
  return `${input}.${base64url(signature)}`;
}

function base64url(data: string | Uint8Array): string {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
