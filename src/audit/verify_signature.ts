import { createPublicKey, type KeyObject, verify } from "node:crypto";

const keys = new Map<string, KeyObject>();

/** Tells whether `signature` is the Ed25519 signature (RFC 8032) of `message` under a raw key. */
export function verifySignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64) return false;
  const name = publicKey.toBase64({ alphabet: "base64url", omitPadding: true });
  let key = keys.get(name);
  if (key === undefined) {
    key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: name }, format: "jwk" });
    keys.set(name, key);
  }
  return verify(null, message, key, signature);
}
