import { createPrivateKey, type KeyObject } from "node:crypto";
import { err, ok, type Result } from "../../../core/result.ts";
import { signJwt } from "../../../pki/json_web_token.ts";

/** How long a token of an App lives; GitHub takes ten minutes at most. */
const LIFE_S = 540;
/** GitHub's clock may be behind ours. */
const EARLIER_S = 60;

/** Reads the key of a GitHub App: RSA in PEM, as GitHub hands it out (PKCS#1) or as PKCS#8. */
export function readAppKey(pem: string): Result<KeyObject, string> {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    return err("it is not a private key in PEM"); // OpenSSL's own words may repeat the text
  }
  const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== "rsa") return err("it is not an RSA key");
  if (modulusLength < 2048) return err("it has fewer than 2048 bits");
  return ok(key);
}

/** The token that the App itself is known by, good for some minutes. */
export function appToken(appId: string, key: KeyObject, nowMs: number): string {
  const now = Math.floor(nowMs / 1000);
  const claims = { iat: now - EARLIER_S, exp: now + LIFE_S, iss: appId };
  return signJwt(claims, { key, algorithm: "RS256" });
}
